"""Volumes are written slice by slice: no copy of the whole, and the blocks of a .vti lie where its header says."""

from __future__ import annotations

import itertools
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.io.volumes.vti import BLOCK
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume

BOUNDS = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64)


@pytest.mark.parametrize("ending", [".vti", ".nrrd", ".tif", ".npy", ".raw"])
def test_no_copy_of_a_volume_is_made(ending: str, tmp_path: Path) -> None:
    # .npz is not among them: numpy takes 16 MiB at a time, more than a test of seconds holds
    values = torch.rand(1, 96, 128, 128, generator=torch.Generator().manual_seed(1))
    write_volume(tmp_path / f"small{ending}", Volume(values[:, :4, :4, :4], BOUNDS))  # what it imports
    tracemalloc.start()
    try:
        write_volume(tmp_path / f"volume{ending}", Volume(values, BOUNDS))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 0.5 * values.numel() * 4


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (1, 40, 41, 43), (3, 20, 33, 37), (1, 8, 32, 32)])
def test_blocks_of_a_vti_are_as_its_header_says(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(2))
    write_volume(tmp_path / "volume.vti", Volume(values, BOUNDS))
    _, data = (tmp_path / "volume.vti").read_bytes().split(b'encoding="raw">\n_')
    count, block, rest = np.frombuffer(data[:24], "<u8").tolist()
    lengths = np.frombuffer(data[24 : 24 + 8 * count], "<u8")
    ends = 24 + 8 * count + np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    parts = [zlib.decompress(data[a:b]) for a, b in itertools.pairwise(ends)]
    size = values.numel() * 4
    assert block == BLOCK and rest == size % BLOCK and count == -(-size // BLOCK)
    assert all(len(part) == BLOCK for part in parts[:-1]) and len(parts[-1]) == (rest or BLOCK)
    assert (
        b"".join(parts) == values[0 if len(values) == 1 else slice(None)].reshape(len(values), -1).T.numpy().tobytes()
    )
    assert data[ends[-1] :].strip().startswith(b"</AppendedData>")


@pytest.mark.parametrize("place", [(0, 0, 0, 0), (1, 34, 3, 2), (0, 34, 6, 4)])
def test_what_is_not_finite_is_found_anywhere(place: tuple[int, ...], tmp_path: Path) -> None:
    values = torch.ones(2, 35, 7, 5)
    values[place] = float("inf")
    with pytest.raises(InputError, match="NaN or infinite"):
        write_volume(tmp_path / "volume.npz", Volume(values, BOUNDS))
