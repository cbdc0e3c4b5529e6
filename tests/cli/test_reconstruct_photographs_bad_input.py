"""Photographs with which something is wrong: the right result, or one message with its remedy and nothing left over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from invrender.io.datasets import layout
from tests.methods.photometric.scene import CENTRE, around, straight, taken, write

QUICK = ("--set", "effort=0.03", "--set", "gif_frames=0", "--texture", "0")
VIEWS = taken(around(8, (40, 48)))
PICTURES = straight(VIEWS)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def edit(change: Callable[[dict[str, Any]], object]) -> None:
    path = Path("set/transforms.json")
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


def write_set(*changed: tuple[int, torch.Tensor], **fields: object) -> None:
    """The dataset, some of its pictures replaced."""
    pictures = list(PICTURES)
    for view, picture in changed:
        pictures[view] = picture
    write(Path("set"), VIEWS, pictures, **fields)


def lost(*names: str) -> None:
    write_set()
    for name in names:
        Path(f"set/images/{name}.png").unlink()


def resized(size: tuple[int, int]) -> None:
    """One picture of another size (W, H)."""
    write_set()
    with Image.open("set/images/view_03.png") as picture:
        smaller = picture.resize(size)
    smaller.save("set/images/view_03.png")


def within() -> None:
    """One camera in the middle of the object."""
    write_set()

    def move(table: dict[str, Any]) -> None:
        for row, value in zip(table["frames"][2]["transform_matrix"], CENTRE, strict=False):
            row[3] = float(value)

    edit(move)


def strewn() -> None:
    """Cameras that see nothing in common."""
    write_set()

    def move(table: dict[str, Any]) -> None:
        for i, frame in enumerate(table["frames"]):
            frame["transform_matrix"][i % 3][3] += 300.0 * (i - 3.5)

    edit(move)


def cluttered() -> None:
    """No masks, and a background of all colours."""
    assert VIEWS.images is not None
    noise = torch.rand(VIEWS.images.shape, generator=torch.Generator().manual_seed(0))
    write(Path("set"), VIEWS, torch.where(VIEWS.masks[..., None] > 0.5, VIEWS.images, noise))


def colourless() -> None:
    write(Path("set"), VIEWS, torch.cat([torch.ones_like(PICTURES[..., :3]), PICTURES[..., 3:]], -1))


@pytest.mark.parametrize(
    ("make", "arguments", "words"),
    [
        (lambda: lost("view_02"), (), ["1 of 8 files are missing", "view_02", "--skip-missing"]),
        (lambda: lost(*VIEWS.names), (), ["8 of 8 files are missing", "put the"]),
        (lambda: resized((30, 44)), (), ["view_03", "no scaled copy"]),
        (lambda: write_set(camera_model="WEIRD", k1=0.1), (), ["WEIRD", "undistort"]),
        (within, (), ["view_02 contradicts", "looks away", "check its pose"]),
        (strewn, (), ["nothing in common", "camera convention"]),
        (cluttered, (), ["cluttered", "--masks DIR", "rembg"]),
        (cluttered, ("--bounds", "2,-5,-2,8,1,4"), ["cluttered", "--masks DIR"]),
        (colourless, ("--method", "photometric"), ["no colours", "--method silhouette"]),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], make: Callable[[], None], arguments: tuple[str, ...], words: list[str]
) -> None:
    make()
    assert run(["reconstruct", "set", "-o", "out", *arguments, *QUICK]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert len(said.err.splitlines()) == 2
    for word in words:
        assert word in said.err
    assert [path.name for path in Path().iterdir()] == ["set"]


def reconstructed(*arguments: str) -> tuple[dict[str, Any], str]:
    """Metrics, and the warnings of a run that ends well."""
    assert run(["reconstruct", "set", "-o", "out", "-q", *QUICK, *arguments]) == 0
    record = json.loads(Path("out/run.json").read_text())
    found: dict[str, Any] = json.loads(Path("out/metrics.json").read_text())
    return found, " | ".join(record["warnings"])


def test_missing_pictures_are_left_out_on_demand() -> None:
    lost("view_02")
    metrics, warned = reconstructed("--skip-missing")
    assert metrics["views"] == 7
    assert "view_02" in warned


def test_scaled_pictures_stand_beside_the_others() -> None:
    resized((24, 20))
    metrics, warned = reconstructed()
    assert metrics["seen"]["iou"] > 0.95
    assert "differ in size" in warned


def test_premultiplied_pictures_give_the_colours_inside() -> None:
    flat = torch.cat([PICTURES[..., :3] * PICTURES[..., 3:], PICTURES[..., 3:]], -1)
    write(Path("set"), VIEWS, flat)
    assert reconstructed()[0]["seen"]["psnr_shared"] > 30


def test_an_empty_test_split_holds_nothing_out() -> None:
    write_set()
    Path("set/transforms.json").rename("set/transforms_train.json")
    Path("set/transforms_test.json").write_text('{"frames": []}')
    metrics, warned = reconstructed()
    assert (metrics["views"], metrics["unseen"]) == (8, None)
    assert "lists no views" in warned


def test_a_mask_that_contradicts_the_others_is_named() -> None:
    write_set((2, PICTURES[2].roll(8, 1)))
    assert "view_02 contradicts the other views" in reconstructed()[1]
    assert run(["reconstruct", "set", "-o", "strict", "--strict", *QUICK]) == 3
    assert not Path("strict").exists()


def test_exposures_that_differ_by_stops_are_named_until_they_are_sought() -> None:
    darker = torch.cat([PICTURES[1, ..., :3] / 4, PICTURES[1, ..., 3:]], -1)
    write_set((1, darker))
    plain, warned = reconstructed()
    assert "exposures differ by up to" in warned
    assert "images/view_01;" in warned
    assert "--optimize shape,albedo,light,exposure" in warned
    sought, warned = reconstructed("--overwrite", "--optimize", "shape,albedo,light,exposure")
    assert not warned
    assert sought["seen"]["psnr_shared"] > plain["seen"]["psnr_shared"] + 3


def test_three_views_are_enough() -> None:
    write(Path("set"), VIEWS[[0, 3, 6]])
    assert reconstructed()[0]["seen"]["iou"] > 0.9


def test_views_are_taken_evenly() -> None:
    write_set()
    assert reconstructed("--views", "4")[0]["views"] == 4


def test_pictures_that_do_not_fit_in_memory_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set()
    monkeypatch.setattr(layout, "available_memory", lambda: 80_000)
    assert run(["reconstruct", "set", "-o", "out", *QUICK]) == 5
    assert "fewer views" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_view_before_clutter_without_a_mask_beside_others_with_one() -> None:
    assert VIEWS.images is not None
    noise = torch.rand(VIEWS.images[4].shape, generator=torch.Generator().manual_seed(0))
    write_set((4, torch.where(VIEWS.masks[4][..., None] > 0.5, VIEWS.images[4], noise)))
    metrics, warned = reconstructed()
    assert metrics["seen"]["iou"] > 0.95
    assert "images/view_04: no mask" in warned
