"""`invrender render --mode raytraced`: once through its real entry point, else in this process."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from invrender.cli.app import run
from invrender.io.datasets.dataset import read_dataset

OBJ = """mtllib a.mtl
v -4 0 -4
v -4 0 4
v 4 0 4
v 4 0 -4
v -0.5 1 -0.5
v -0.5 1 0.5
v 0.5 1 0.5
v 0.5 1 -0.5
usemtl floor
f 1 2 3 4
usemtl plate
f 5 6 7 8
"""
MTL = "newmtl floor\nKd 0.5 0.5 0.5\nKs 0.5 0.5 0.5\nNs 0\nillum 3\nnewmtl plate\nKd 1 0 0\n"


@pytest.fixture
def render(monkeypatch, tmp_path):
    """`invrender render a.obj ARGUMENTS...` in this process, in tmp_path; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.obj").write_text(OBJ)
    (tmp_path / "a.mtl").write_text(MTL)
    return lambda *arguments: run(["render", "a.obj", *arguments])


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_the_real_command_draws_shadows(run_cli, render, tmp_path):
    shot = ("--mode", "raytraced", "--size", "48", "--elevation", "40", "--light", "1,1,0", "--background", "black")
    shot = (*shot, "--depth", "0", "--backend", "torch")
    outcome = run_cli("render", "a.obj", "-o", "a.png", *shot, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.stdout) == {"mode": "raytraced", "files": ["a.png"]}
    assert "wrote a.png (48 x 48)" in outcome.stderr
    assert render("-o", "b.png", *shot, "--no-shadows") == 0
    with_shadow, without = pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png")
    darker = (with_shadow < without - 20).any(-1)
    assert 10 < darker.sum() < 100
    assert (with_shadow <= without).all()


def test_mirrors_and_occlusion_change_the_picture(render, tmp_path):
    shot = ("--size", "40", "--elevation", "30", "--light", "0,1,0", "--background", "#4060ff")
    assert render("-o", "0.png", "--mode", "raytraced", "--depth", "0", *shot) == 0
    assert render("-o", "1.png", "--mode", "raytraced", *shot) == 0
    none, mirrored = pixels(tmp_path / "0.png"), pixels(tmp_path / "1.png")
    added = mirrored - none
    assert (added[..., 2] > added[..., 0] + 20).sum() > 100  # the sky, seen in the floor
    assert (added[..., 0] > added[..., 2] + 5).any()  # the plate
    for mode in ("shaded", "raytraced"):
        assert render("-o", f"{mode}.png", "--mode", mode, *shot) == 0
        assert (
            render("-o", f"o {mode}.png", "--mode", mode, "--occlusion", "64", "--occlusion-reach", "0.5", *shot) == 0
        )
        assert (pixels(tmp_path / f"o {mode}.png") < pixels(tmp_path / f"{mode}.png") - 3).any(-1).sum() > 3


def test_turntables_sheets_and_transparent_stills(render, tmp_path):
    for name, more in (("a.gif", ()), ("sheet.png", ("--background", "transparent"))):
        shot = ("-o", name, "--mode", "raytraced", "--size", "24", "--views", "3")
        assert render(*shot, "--turn", "light", *more) == 0
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.size, image.n_frames) == ((24, 24), 3)
    assert pixels(tmp_path / "sheet.png").shape == (48, 48, 4)


def test_a_dataset_reads_back_as_views(render, tmp_path):
    assert render("--dataset", "views", "--mode", "raytraced", "--views", "2", "--size", "40", "--elevation", "40") == 0
    views = read_dataset(tmp_path / "views")
    assert views.images is not None
    inside = views.masks > 0.05
    assert float(views.images[inside].amax(-1).min()) > 0.1  # no black fringe where no ray hit
    assert render("--dataset", "dark", "--views", "2", "--size", "24", "--occlusion", "64") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--depth", "1"), "--depth has no effect in mode shaded"),
        (("--mode", "color", "--no-shadows"), "use --mode raytraced"),
        (("--mode", "normal", "--occlusion", "8"), "use --mode shaded or raytraced"),
        (("--occlusion-reach", "1"), "add --occlusion 64"),
        (("--occlusion", "8", "--occlusion-reach", "nan"), "use a share above 0"),
        (("--mode", "raytrace"), "raytraced"),
        (("--mode", "raytraced", "--depth", "-1"), "--depth"),
        (("--mode", "raytraced", "--view-dependent", "a.npz"), "use --mode color"),
    ],
)
def test_options_that_do_not_fit_are_refused(render, capsys, arguments, message):
    assert render("-o", "a.png", *arguments) == 2
    assert message in capsys.readouterr().err
