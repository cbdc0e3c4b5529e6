"""What the readers' tests share: a small grid without any symmetry, and how a volume is compared with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from invrender.io.volumes.read import read_volume
from invrender.nouns import Volume

Array = NDArray[np.float64]
Expect = Callable[..., None]


@pytest.fixture
def grid() -> Array:
    """4 x 5 x 6 samples (z, y, x), all different and whole numbers up to 119."""
    return np.random.default_rng(7).permutation(120).reshape(4, 5, 6).astype(np.float64)


@pytest.fixture
def expect() -> Expect:
    """Assert what a file holds: values [D,H,W] or [C,D,H,W], and both corners of the box."""

    def check(path: Path, values: Array, corners: Sequence[Sequence[float]] | None = None, **options: object) -> None:
        found = read_volume(path, **options)  # type: ignore[arg-type]
        assert np.array_equal(found.numpy(), values if values.ndim == 4 else values[None])
        if corners is not None:
            assert np.allclose(found.bounds, corners, rtol=1e-12, atol=1e-6 * np.abs(corners).max())

    return check


@pytest.fixture
def vertices() -> Callable[[Volume], torch.Tensor]:
    """The places [D,H,W,3] of all samples of a volume in its own frame."""

    def places(volume: Volume) -> torch.Tensor:
        low, high = volume.bounds
        axes = [
            torch.linspace(float(low[a]), float(high[a]), volume.shape[2 - a], dtype=torch.float64) for a in (2, 1, 0)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], -1)

    return places
