"""`invrender inspect`: once through its real entry point in a subprocess, else in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.cli.app import run
from invrender.io.datasets.dataset import write_dataset
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Views
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
