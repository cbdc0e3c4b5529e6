"""`invrender inspect`: once through its real entry point in a subprocess, else in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.rigs import rig
from invrender.cli.app import run
from invrender.io.datasets.dataset import write_dataset
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh, Views
from invrender.samples import SAMPLES

DATA = Path(__file__).parents[2] / "data"


def test_a_mug_in_words(run_cli):
    done = run_cli("inspect", DATA / "mug.glb")
    assert done.code == 0, done.stderr
    assert done.stderr == ""
    for words in ("unit: metre", "watertight    yes", "1 (one handle)", "bodies        1", "'glaze'"):
        assert words in done.stdout


def test_a_figure_as_json(capsys):
    assert run(["inspect", str(DATA / "figure.obj"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["bodies"], facts["genus"], facts["watertight"]) == ("mesh", 2, 0, True)
    assert facts["units"] is None
    assert facts["faces"] > 1000


def test_a_dataset(tmp_path, capsys):
    masks = torch.zeros(8, 32, 32)
    masks[:, 8:24, 8:24] = 1
    write_dataset(tmp_path / "set", Views(rig("orbit", 8, (0, 0, 0), 1.0, (32, 32)), masks))
    assert run(["inspect", str(tmp_path / "set")]) == 0
    shown = capsys.readouterr().out
    for words in (
        "8, colours and masks",
        "32 x 32 pixels",
        "45 x 45 degrees",
        "all of them: yes",
        "10 degrees",
        "25.0%",
    ):
        assert words in shown
    assert run(["inspect", str(tmp_path / "set" / "transforms.json"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["views"], facts["up"], facts["cut_off"]) == ("dataset", 8, "+Y", [])


def test_a_run_folder(tmp_path, capsys):
    write_mesh(tmp_path / "mesh.ply", SAMPLES["sphere"]())
    (tmp_path / "run.json").write_text("{}")
    assert run(["inspect", str(tmp_path)]) == 0
    assert "5120" in capsys.readouterr().out
    (tmp_path / "mesh.ply").unlink()
    assert run(["inspect", str(tmp_path)]) == 3
    assert "no mesh yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["sphre.ply"], 3, "did you mean sphere.ply?"),
        (["notes.txt"], 3, "use one of .obj"),
        (["."], 3, "neither transforms.json nor a COLMAP model"),
        (["sphere.ply", "--masks", "m"], 2, "leave --masks out"),
        ([], 2, "INPUT"),
    ],
)
def test_what_cannot_be_inspected(tmp_path, monkeypatch, capsys, arguments, code, word):
    write_mesh(tmp_path / "sphere.ply", SAMPLES["sphere"]())
    (tmp_path / "notes.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert run(["inspect", *arguments]) == code
    assert word in capsys.readouterr().err


@pytest.fixture
def twelve(tmp_path, monkeypatch):
    """Twelve views of a ball beside a smaller one, in tmp_path/set."""
    monkeypatch.chdir(tmp_path)
    vertices, faces = SAMPLES["sphere"]().numpy()
    pair = np.concatenate([vertices, 0.5 * vertices + np.abs(vertices).max(0) * [1.6, 0.3, 0.2]])
    write_mesh(tmp_path / "pair.ply", Mesh.from_numpy(pair, np.concatenate([faces, faces + len(vertices)])))
    drawn = ["--dataset", "set", "--cameras", "sphere", "--views", "12", "--size", "48", "-q"]
    assert run(["render", "pair.ply", *drawn, "--mode", "silhouette", "--backend", "torch"]) == 0
    return tmp_path


def rewrite(folder: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change the camera-to-world matrices of a dataset."""
    table = json.loads((folder / "transforms.json").read_text())
    matrices = change([np.array(frame["transform_matrix"]) for frame in table["frames"]])
    for frame, matrix in zip(table["frames"], matrices, strict=True):
        frame["transform_matrix"] = matrix.tolist()
    (folder / "transforms.json").write_text(json.dumps(table))


def test_good_poses_pass_the_checks(twelve, capsys):
    assert run(["inspect", "set", "--strict"]) == 0
    said = capsys.readouterr()
    assert "explains 100% of a mask" in said.out
    assert said.err == ""


def test_a_wrong_pose_is_named_by_inspect_and_by_reconstruct(twelve, capsys):
    rewrite(twelve / "set", lambda matrices: [matrices[11] if i == 4 else m for i, m in enumerate(matrices)])
    assert run(["inspect", "set"]) == 0
    assert "warning: view_004 contradicts the other views" in capsys.readouterr().err
    assert run(["inspect", "set", "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["views"] == ["view_004"]
    assert run(["inspect", "set", "--strict"]) == 3
    quick = ["--iterations", "0", "--set", "gif_frames=0", "-q"]
    assert run(["reconstruct", "set", "-o", "out", "--strict", *quick]) == 3
    assert not (twelve / "out").exists()
    capsys.readouterr()
    assert run(["reconstruct", "set", "-o", "out", *quick]) == 0
    shown = capsys.readouterr().err
    assert "view_004 contradicts" in shown
    each = json.loads((twelve / "out" / "metrics.json").read_text())["views_iou_each"]
    assert sorted(each) == [f"view_{i:03d}" for i in range(12)]
    assert min(each.values()) < 0.9
    assert any("view_004" in line for line in json.loads((twelve / "out" / "run.json").read_text())["warnings"])


@pytest.mark.parametrize("axes", ["OpenGL", "OpenCV"])
def test_a_contact_sheet_shows_views_and_cameras(twelve, capsys, axes):
    if axes == "OpenCV":
        rewrite(twelve / "set", lambda matrices: [m * [1, -1, -1, 1] for m in matrices])
    assert run(["inspect", "set", "--picture", "sheet.png"]) == 0
    said = capsys.readouterr().err
    assert (said == "") if axes == "OpenGL" else ("OpenCV axes" in said)
    sheet = np.asarray(Image.open("sheet.png").convert("RGB")).astype(int)
    assert min(sheet.shape[:2]) > 600
    orange = (np.abs(sheet - [255, 130, 0]).sum(2) < 30).sum()
    blue = (np.abs(sheet - [0, 150, 255]).sum(2) < 30).sum()
    assert blue > 12 * 48
    assert (orange > 12 * 48) == (axes == "OpenGL")  # without common hull there is no silhouette of it
    room = sheet[60:600, :880]
    assert ((room.sum(2) < 500).sum() > 4000) == (axes == "OpenGL")  # the hull itself
    assert (room.sum(2) < 500).sum() > 500  # cameras


def test_a_picture_needs_a_dataset_and_a_png(twelve, capsys):
    assert run(["inspect", "pair.ply", "--picture", "a.png"]) == 2
    assert run(["inspect", "set", "--picture", "a.jpg"]) == 2
    assert "name a .png file" in capsys.readouterr().err
    assert not list(twelve.glob("a.*"))
