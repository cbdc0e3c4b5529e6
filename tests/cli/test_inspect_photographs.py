"""`invrender inspect` on what people bring: photographs without masks, without cameras, and videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from tests.methods.photometric.scene import around, straight, taken, write

VIEWS = taken(around(8, (40, 48)))
NOISE = torch.rand((8, 40, 48, 3), generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_set(masked: int) -> None:
    """Photographs before clutter, the first of which have masks in masks/."""
    assert VIEWS.images is not None
    write(Path("set"), VIEWS, torch.where(VIEWS.masks[..., None] > 0.5, VIEWS.images, NOISE))
    Path("set/masks").mkdir()
    for name, mask in zip(VIEWS.names[:masked], VIEWS.masks, strict=False):
        Image.fromarray((mask > 0.5).numpy()).save(f"set/masks/{name}.png")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """The table, and what was said beside it."""
    assert run(["inspect", *arguments, "--json"]) == 0
    said = capsys.readouterr()
    table: dict[str, Any] = json.loads(said.out)
    return table, said.err


def test_photographs_before_clutter_are_described_with_what_they_lack(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(0)
    table, said = told(capsys, "set")
    assert (table["views"], table["masked"], table["images"], table["coverage"]) == (8, 0, True, None)
    assert "no masks, which `invrender reconstruct` needs" in said
    assert "cluttered" in said
    assert "--masks DIR" in said
    assert run(["inspect", "set", "--strict"]) == 3
    assert "8, colours, no masks" in capsys.readouterr().out


def test_views_without_a_mask_are_named_beside_those_that_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(6)
    table, said = told(capsys, "set")
    assert table["masked"] == 6
    assert table["coverage"][0] == pytest.approx(float((VIEWS.masks[:6] > 0.5).float().mean((1, 2)).min()))
    assert min(table["explained"].values()) > 0.95
    assert "2 views have no mask" in said
    assert "images/view_06, images/view_07" in said
    assert run(["inspect", "set"]) == 0
    assert "8, colours, masks of 6" in capsys.readouterr().out


def test_one_mask_alone_agrees_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(1)
    assert run(["inspect", "set"]) == 0
    assert "that takes two masks" in capsys.readouterr().out


def test_masks_before_a_plain_backdrop_are_found_as_reconstruct_finds_them(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write(Path("set"), VIEWS, straight(VIEWS)[..., :3] * VIEWS.masks[..., None])
    assert told(capsys, "set")[0]["masked"] == 8
    assert "masks found in 8 pictures: dark" in caplog.text


def test_bare_pictures_are_counted_and_the_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(0)
    Path("set/images").rename("my photos")
    Image.open("my photos/view_00.png").rotate(90, expand=True).save("my photos/view_00.png")
    Path("my photos/IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic")
    table, _ = told(capsys, "my photos")
    assert (table["kind"], table["pictures"], table["enough"]) == ("photographs without cameras", 8, True)
    assert table["sizes"] == [["48 x 40", 7], ["40 x 48", 1]]
    assert "convert it" in table["skipped"]["IMG_1.heic"]
    assert run(["inspect", "my photos"]) == 0
    assert "invrender reconstruct 'my photos' -o 'outputs/my photos'" in capsys.readouterr().out
    assert run(["inspect", "my photos", "--masks", "masks"]) == 2


def test_a_video_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    writer = cv2.VideoWriter("walk.avi", cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for shade in range(20):
        writer.write(np.full((48, 64, 3), 10 * shade, np.uint8))
    writer.release()
    table, _ = told(capsys, "walk.avi")
    assert (table["kind"], table["frames"], table["width"], table["height"]) == ("video", 20, 64, 48)
    assert table["seconds"] == pytest.approx(2)
    assert run(["inspect", "walk.avi"]) == 0
    assert "invrender reconstruct walk.avi -o outputs/walk" in capsys.readouterr().out
    assert run(["inspect", "gone.mp4"]) == 3


def test_formats_that_are_not_read_are_named_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(0)
    for picture in Path("set/images").iterdir():
        picture.rename(picture.with_suffix(".heic"))
    table = json.loads(Path("set/transforms.json").read_text())
    for frame in table["frames"]:
        frame["file_path"] = frame["file_path"].replace(".png", ".heic")
    Path("set/transforms.json").write_text(json.dumps(table))
    for source in ("set", "set/images"):
        assert run(["inspect", source]) == 3
        said = capsys.readouterr().err
        assert ".heic" in said
        assert "magick mogrify -format jpg *.heic" in said


def test_a_folder_that_is_not_there_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(0)
    assert run(["reconstruct", "sett", "-o", "out"]) == 3
    assert capsys.readouterr().err == "error: there is no sett\ntry: did you mean set?\n"
