"""Masks of a whole dataset: what is said of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset
from tests.io.datasets.made import SIZE, disc, write_poses, write_rgba


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = [f"view_00{i}.png" for i in range(3)]
    write_poses(tmp_path, files)
    for file in files:
        write_rgba(tmp_path / file)
    (tmp_path / "masks").mkdir()
    return tmp_path


def write_masks(folder: Path, mask: Image.Image) -> None:
    for i in range(3):
        mask.save(folder / "masks" / f"view_00{i}.png")


def refused(folder: Path, **options) -> str:
    with pytest.raises(InputError) as error:
        read_dataset(folder, folder / "masks", **options)
    assert error.value.remedy
    return error.value.cause


def test_two_values_are_accepted_and_it_is_said_once(folder, caplog):
    write_masks(folder, Image.fromarray(disc().astype("u1")))
    assert torch.equal(read_dataset(folder, folder / "masks").masks[0] > 0, torch.from_numpy(disc()))
    assert caplog.text.count("the masks hold 0 and 1 alone, taken for background and object (view_000 and 2 more") == 1


def test_two_values_the_wrong_way_round_are_refused(folder):
    write_masks(folder, Image.fromarray((~disc()).astype("u1")))
    assert "looks inverted" in refused(folder)


def test_pictures_given_as_masks_are_refused(folder):
    write_masks(folder, Image.linear_gradient("L").resize(SIZE[::-1]))
    assert "it is a picture, not a mask" in refused(folder)


def test_damaged_pictures_are_named_where_masks_alone_are_wanted(folder):
    write_masks(folder, Image.fromarray(disc()))
    (folder / "view_001.png").write_bytes(b"nothing")
    assert "view_001.png cannot be read" in refused(folder, images=False)
