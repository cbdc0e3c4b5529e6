"""Names of pictures as other systems write them, and what is suggested where none fits."""

from __future__ import annotations

import os

import pytest

from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset
from invrender.io.pixels import IMAGE_EXTENSIONS
from tests.io.datasets.made import edit, write_poses, write_rgba

WAYS = {
    "as it is": ("images/v{}.png", "images/v{}.png"),
    "backslashes": (".\\images\\v{}.png", "images/v{}.png"),
    "no extension": ("./train/r_{}", "train/r_{}.png"),
    "capitals": ("images/v{}.png", "Images/V{}.PNG"),
    "capital extension left out": ("images/V{}", "images/V{}.PNG"),
    "url": ("my%20images/v%20{}.png", "my images/v {}.png"),
    "per cent": ("100%25/v{}.png", "100%25/v{}.png"),
    "letters": ("bílder ✓/v {}.png", "bílder ✓/v {}.png"),
    "another machine": ("/home/someone/capture/images/v{}.png", "images/v{}.png"),
    "another system": ("C:\\Users\\someone\\capture\\images\\v{}.png", "images/v{}.png"),
    "another folder": ("../capture/images/v{}.png", "images/v{}.png"),
    "url of another machine": ("file:///home/someone/images/v{}.png", "images/v{}.png"),
    "from where the program was called": ("data/nerf/capture/images/v{}.png", "images/v{}.png"),
    "accents apart": ("bi\u0301lder/größe {}.png", "b\u00edlder/gro\u0308ße {}.png"),
    "smaller copies": ("images/v{}.png", "images_4/v{}.png"),
}


@pytest.mark.parametrize("way", WAYS)
def test_names_are_found(tmp_path, way):
    named, there = WAYS[way]
    for i in range(3):
        write_rgba(tmp_path / "set" / there.format(i))
    write_poses(tmp_path / "set", [named.format(i) for i in range(3)])
    assert len(read_dataset(tmp_path / "set").cameras) == 3


@pytest.mark.parametrize("extension", [e for e in IMAGE_EXTENSIONS if e not in (".exr", ".jpg", ".jpeg", ".bmp")])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_every_known_extension_may_be_left_out(tmp_path, extension, case):
    for i in range(2):
        write_rgba(tmp_path / f"v{i}{extension}")
        (tmp_path / f"v{i}{extension}").rename(tmp_path / f"v{i}{case(extension)}")
    write_poses(tmp_path, ["v0", "v1"])
    assert read_dataset(tmp_path).names == ("v0", "v1")


def test_what_stands_for_another_folder_is_said_once(tmp_path, caplog):
    for i in range(3):
        write_rgba(tmp_path / f"images/v{i}.png")
    write_poses(tmp_path, [f"/data/images/v{i}.png" for i in range(3)])
    read_dataset(tmp_path)
    assert caplog.text.count("does not exist here") == 1


def test_masks_are_found_in_any_case(tmp_path):
    for i in range(2):
        write_rgba(tmp_path / f"IMG_{i}.PNG")
        write_rgba(tmp_path / "masks" / f"img_{i}.PNG")
    write_poses(tmp_path, ["IMG_0.PNG", "IMG_1.PNG"])
    assert read_dataset(tmp_path, tmp_path / "masks").masks.sum() > 0


def test_an_absolute_picture_is_not_its_own_mask(tmp_path):
    for i in range(2):
        write_rgba(tmp_path / f"v{i}.png")
    (tmp_path / "set" / "masks").mkdir(parents=True)
    write_poses(tmp_path / "set", [str(tmp_path / f"v{i}.png") for i in range(2)])
    with pytest.raises(InputError, match="lacks the masks of 2 of 2 views"):
        read_dataset(tmp_path / "set", tmp_path / "set" / "masks")


def test_pictures_may_lie_anywhere_and_the_log_says_so(tmp_path, caplog):
    for i in range(3):
        write_rgba(tmp_path / "elsewhere" / f"v{i}.png")
    write_rgba(tmp_path / "set" / "v3.png")
    (tmp_path / "set" / "v1.png").symlink_to(tmp_path / "elsewhere" / "v1.png")
    write_poses(tmp_path / "set", [str(tmp_path / "elsewhere" / "v0.png"), "v1.png", "../elsewhere/v2.png", "v3.png"])
    assert len(read_dataset(tmp_path / "set").cameras) == 4
    assert "3 of 4 pictures lie outside" in caplog.text


def test_a_missing_picture_suggests_one_that_no_other_view_has(tmp_path):
    for i in (0, 1, 2, 13):
        write_rgba(tmp_path / f"view_{i:03d}.png")
    (tmp_path / "view_014.txt").touch()
    write_poses(tmp_path, ["view_000.png", "view_001.png", "view_002.png", "view_003.png"])
    with pytest.raises(InputError, match="1 of 4 files are missing: view_003") as error:
        read_dataset(tmp_path)
    assert "did you mean view_013.png?" in error.value.remedy
    (tmp_path / "view_013.png").unlink()
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert "did you mean" not in error.value.remedy


@pytest.mark.parametrize(
    "name",
    ["a" * 5000, "a/" * 3000 + "b.png", "a\0.png", "\ud800.png", "a\x1b[31m\n.png"],
    ids=["long", "deep", "nul", "no text", "escapes"],
)
def test_names_that_cannot_be_are_missing_and_written_plainly(tmp_path, name):
    write_rgba(tmp_path / "v0.png")
    write_poses(tmp_path, ["v0.png", name])
    with pytest.raises(InputError, match="1 of 2 files are missing") as error:
        read_dataset(tmp_path)
    assert str(error.value).replace("\n", "").isprintable()
    assert len(str(error.value)) < 800


def test_names_that_are_no_text_can_be_printed(tmp_path):
    odd = os.fsdecode(b"v\xff\x1b.png")
    try:
        write_rgba(tmp_path / odd)
    except OSError:
        pytest.skip("this disk takes text alone")
    write_rgba(tmp_path / "v0.png")
    write_poses(tmp_path, ["v0.png", odd])
    assert read_dataset(tmp_path).names == ("v0", "v\\udcff\\x1b")


def test_pictures_that_differ_in_their_extension_alone_are_two_views(tmp_path):
    write_rgba(tmp_path / "v.png")
    write_rgba(tmp_path / "v.tif")
    write_poses(tmp_path, ["v.png", "v.tif"])
    assert read_dataset(tmp_path).names == ("v.png", "v.tif")


@pytest.mark.parametrize("key", ["file_path", "mask_path", "transform_matrix"])
@pytest.mark.parametrize(
    "value", [5, True, [], {}, 3.5, ["v0.png"], [[10**400] * 4] * 4], ids=lambda value: str(value)[:9]
)
def test_values_of_the_wrong_type_are_named(tmp_path, key, value):
    write_rgba(tmp_path / "v0.png")
    write_rgba(tmp_path / "v1.png")
    write_poses(tmp_path, ["v0.png", "v1.png"])
    edit(tmp_path, lambda table: table["frames"][1].update({key: value}))
    with pytest.raises(InputError, match=f"frame 1.*'{key}'") as error:
        read_dataset(tmp_path)
    assert error.value.remedy


@pytest.mark.parametrize(
    "value", [[], "wide", True, float("nan"), float("inf"), 10**400, -40, 0], ids=lambda value: str(value)[:9]
)
@pytest.mark.parametrize("key", ["fl_x", "w"])
def test_impossible_numbers_are_named(tmp_path, key, value):
    write_rgba(tmp_path / "v0.png")
    write_rgba(tmp_path / "v1.png")
    write_poses(tmp_path, ["v0.png", "v1.png"], **{"w": 32, "h": 24, key: value})
    with pytest.raises(InputError, match=f"'{key}'"):
        read_dataset(tmp_path)


def test_transposed_matrices_are_named(tmp_path):
    for i in range(2):
        write_rgba(tmp_path / f"v{i}.png")
    write_poses(tmp_path, ["v0.png", "v1.png"])

    def transpose(table):
        for frame in table["frames"]:
            frame["transform_matrix"] = [list(row) for row in zip(*frame["transform_matrix"], strict=True)]

    edit(tmp_path, transpose)
    with pytest.raises(InputError, match=r"the last row of its camera matrix is \(0, 0, 4, 1\)"):
        read_dataset(tmp_path)
