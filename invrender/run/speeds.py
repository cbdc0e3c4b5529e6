"""How fast this machine is now, in a second, beside the one on which `run.costs` was measured.

Only ratios matter, so little of each part is enough: many small calls and a sort for what Python and numpy do, a few
kernels of the backend for each group that a method needs, and torch's matrix product. Kernels use all threads, the
rest one, and both are timed by the clock: a forecast is of the threads at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.kernels import Backend
from invrender.kernels.floor import floor
from invrender.kernels.radiance import Transport
from invrender.nouns import Cameras
from invrender.run.memory import resident
from invrender.run.trial import silhouettes, trial

Part = Literal["python", "meshes", "volumes", "scenes", "torch"]
PARTS: tuple[Part, ...] = get_args(Part)
SPAN = 0.15  # seconds that each part is timed for, in rounds of a millisecond, which other programs interrupt rarely
REFERENCE: Mapping[str, float] = {
    "python": 3100.0,
    "meshes": 3740.0,
    "volumes": 2950.0,
    "scenes": 1090.0,
    "torch": 1020.0,
}
"""Rounds a second of each part on the machine of the costs, with one thread."""


@dataclass(frozen=True)
class Speeds:
    """How fast a machine is.

    Attributes:
        rates: by part, rounds a second as a share of the reference machine's.
        process: bytes that the process held then: its libraries, and what else has been read already.
        measured: whether costs were measured with this backend; else a forecast may be far off.
    """

    rates: Mapping[str, float]
    process: int
    measured: bool


def calibrate(backend: Backend, parts: Collection[str] = PARTS) -> Speeds:
    """Time the parts that are asked for on a backend: about a second, and once for each in a process.

    Args:
        backend: which.
        parts: which; others count as fast as the reference machine's.
    """
    rates: dict[str, float] = {part: _rate(backend, part) / REFERENCE[part] if part in parts else 1.0 for part in PARTS}
    return Speeds(rates, resident(), backend.name == "cpu")


_timed: dict[tuple[str, str, str], float] = {}


def _rate(backend: Backend, part: str) -> float:
    key = (backend.name, str(backend.device), part)
    if key not in _timed:
        _timed[key] = rounds_per_second(ROUNDS[part](backend))
    return _timed[key]


def rounds_per_second(once: Callable[[], object], span: float = SPAN) -> float:
    """How often something can be done in a second: by the fastest round of those in a span, after a first one that
    loads what it needs."""
    once()
    best, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < span:
        start = time.perf_counter()
        once()
        best = min(best, time.perf_counter() - start)
    return 1 / max(best, 1e-9)


def _waiting(backend: Backend, call: Callable[[], object]) -> Callable[[], object]:
    """The call, and waiting for the device to have done it."""

    def once() -> object:
        found = call()
        if backend.device.type == "cuda":
            torch.cuda.synchronize(backend.device)
        return found

    return once


def _python(backend: Backend) -> Callable[[], object]:
    """Small calls of torch and numpy, a sort and a sparse product: what is done between kernels."""
    from scipy.sparse import random_array

    del backend
    random = np.random.default_rng(0)
    numbers, small = random.random(10_000), torch.linspace(0, 1, 300, dtype=torch.float64)
    matrix = random_array((3_000, 3_000), density=2e-3, rng=random, format="csr")
    vector = random.random(3_000)

    def once() -> object:
        found = small
        for _ in range(30):
            found = (found * 0.9 + 0.1).clamp(0, 1)
        return np.sort(numbers), matrix @ (matrix @ vector), found

    return once


def _meshes(backend: Backend) -> Callable[[], object]:
    """Silhouettes of the trial's ball and their adjoint."""
    scene = trial(backend.device)
    return _waiting(backend, lambda: silhouettes(backend, scene))


def _volumes(backend: Backend) -> Callable[[], object]:
    """Joseph's projection of a small grid, there and back."""
    side, size, views = 32, (24, 24), 4
    bounds = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)
    lens = perspective(40.0, size, 0.1, 4.0).repeat(views, 1, 1)
    cameras = Cameras(look_at(2 * fibonacci(views), (0.0, 0.0, 0.0)), lens, size)
    grid = torch.linspace(0.1, 1, side**3, device=backend.device).reshape(side, side, side)
    bundle = backend.joseph_rays(
        (side, side, side), bounds.to(backend.device), cameras, torch.ones((views, *size), dtype=torch.bool),
        grid.cpu() > 0,
    )  # fmt: skip
    return _waiting(backend, lambda: bundle.adjoint(bundle.forward(grid)))


def _scenes(backend: Backend) -> Callable[[], object]:
    """Paths of light over a floor."""
    scene = floor(backend.device)
    origin = torch.tensor([[0.0, 0, 1]], device=backend.device).repeat(2_000, 1)
    return _waiting(backend, lambda: backend.radiance(scene, origin, -origin, 0, Transport()))


def _torch(backend: Backend) -> Callable[[], object]:
    """Convolutions, which networks are made of."""
    layer = torch.nn.Conv2d(32, 32, 3, padding=1).to(backend.device).requires_grad_(False)
    picture = torch.zeros(1, 32, 64, 64, device=backend.device)
    return _waiting(backend, lambda: layer(picture))


ROUNDS: Mapping[str, Callable[[Backend], Callable[[], object]]] = {
    "python": _python, "meshes": _meshes, "volumes": _volumes, "scenes": _scenes, "torch": _torch,
}  # fmt: skip
