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
    assert "as pictures are, not masks" in refused(folder)


def test_damaged_pictures_are_named_where_masks_alone_are_wanted(folder):
    write_masks(folder, Image.fromarray(disc()))
    (folder / "view_001.png").write_bytes(b"nothing")
    assert "view_001.png cannot be read" in refused(folder, images=False)


def opaque(folder: Path) -> None:
    """Leave the pictures of a dataset without their alpha."""
    for path in folder.glob("view_*.png"):
        Image.new("RGB", SIZE[::-1], (90, 90, 90)).save(path)


@pytest.mark.parametrize(
    "name", ["{}.png", "{}.png.png", "{}_mask.png", "{}-mask.png", "{}.mask.png", "mask_{}.png", "{}_MASK.PNG"]
)
def test_masks_are_found_by_the_names_that_programs_give_them(folder, name):
    opaque(folder)
    for i in range(3):
        Image.fromarray(disc()).save(folder / "masks" / name.format(f"view_00{i}"))
    assert torch.equal(read_dataset(folder).masks[2] > 0, torch.from_numpy(disc()))
    assert torch.equal(read_dataset(folder, folder / "masks").masks[2] > 0, torch.from_numpy(disc()))


def test_cut_out_pictures_are_masks(folder):
    image = Image.merge("RGB", [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.new("L", (256, 256), 70)])
    image = image.resize(SIZE[::-1])
    image.putalpha(Image.fromarray(disc()).convert("L"))
    write_masks(folder, image)
    assert torch.equal(read_dataset(folder, folder / "masks").masks[0] > 0, torch.from_numpy(disc()))


def test_where_masks_are_missing_it_is_said_what_is_there(folder):
    opaque(folder)
    for i in range(3):
        Image.fromarray(disc()).save(folder / "masks" / f"{i}.png")
    with pytest.raises(InputError, match="3 images have no alpha channel and no mask: view_000") as error:
        read_dataset(folder)
    assert "masks/ holds 0.png, 1.png, 2.png: name them after" in error.value.remedy
    assert "such as masks/view_000.png" in error.value.remedy
    (folder / "masks").rename(folder / "segmentation")
    with pytest.raises(InputError) as error:
        read_dataset(folder)
    assert error.value.remedy.startswith(f"pass --masks {folder / 'segmentation'} ")
    with pytest.raises(InputError, match="lacks the masks of 3 of 3") as error:
        read_dataset(folder, folder / "segmentation")
    assert "it holds 0.png, 1.png, 2.png" in error.value.remedy
