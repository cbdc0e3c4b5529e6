"""Colours read in bytes are those of the files, and files that hold more than 8 bits are read in floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.rigs import rig
from invrender.io.datasets.dataset import read_dataset, write_dataset
from invrender.io.images import write_png
from invrender.methods.inputs import is_plain
from invrender.nouns import Views
from invrender.nouns.colours import encoded, in_bytes, linear

SIZE = (24, 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mask = torch.zeros(3, *SIZE)
    mask[:, 6:18, 8:24] = 1
    cameras = rig("orbit", 3, (0.0, 0, 0), 1.5, SIZE, fov=40)
    generator = torch.Generator().manual_seed(0)
    write_dataset(tmp_path / "set", Views(cameras, mask, torch.rand(3, *SIZE, 3, generator=generator)))
    return tmp_path / "set"


@pytest.mark.parametrize("size", [None, 16])
def test_colours_in_bytes_are_those_of_the_files(folder, size):
    floats, kept = (read_dataset(folder, size=size, in_bytes=way) for way in (False, True))
    assert kept.images.dtype == torch.uint8
    assert float((encoded(floats.images) - encoded(kept.images)).abs().max()) <= 0.53 / 255
    if size is None:
        assert torch.equal(linear(kept.images), floats.images)


def test_colours_of_more_than_eight_bits_stay_floats(folder):
    levels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE) * 80
    Image.fromarray(levels).save(folder / "view_000.png")
    mask = np.zeros(SIZE, np.float32)
    mask[6:18, 8:24] = 1
    write_png(folder / "masks" / "view_000.png", mask)
    views = read_dataset(folder, in_bytes=True)
    assert (views.images.dtype, views.masks.dtype) == (torch.float32, torch.uint8)
    assert len(views.images[0].unique()) == levels.size


def test_all_views_are_no_copy_of_themselves(folder):
    views = read_dataset(folder, in_bytes=True)
    assert views[range(3)] is views
    assert views[[2, 1]].images.data_ptr() != views.images.data_ptr()


def test_one_colour_is_told_from_several_in_floats_and_in_bytes():
    masks = torch.ones(4, 6, 6)
    grey, two = torch.full((4, 6, 6, 3), 0.2), torch.full((4, 6, 6, 3), 0.2)
    two[3] = 0.3  # each view has one colour
    noisy = grey + 0.02 * torch.rand(grey.shape, generator=torch.Generator().manual_seed(0))
    masks[:, :3] = 0
    beside = grey.clone()
    beside[:, :3] = 0.9  # not on the object
    for images, plain in ((grey, True), (two, False), (noisy, True), (beside, True)):
        assert is_plain(images, masks) == plain
        assert is_plain(torch.from_numpy(in_bytes(images.numpy())), (masks * 255).to(torch.uint8)) == plain
    assert not is_plain(grey, 0 * masks)
