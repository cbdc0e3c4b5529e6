"""`invrender evaluate`: once through its real entry point in a subprocess, else in this process."""

from __future__ import annotations

import json

import pytest

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh
from invrender.samples import SAMPLES

QUICK = ("--views", "3", "--size", "64", "--samples", "2000")


@pytest.fixture
def files(tmp_path):
    ball = SAMPLES["sphere"]()
    write_mesh(tmp_path / "ball.ply", ball)
    (tmp_path / "run").mkdir()
    write_mesh(tmp_path / "run" / "mesh.ply", Mesh(ball.vertices * 1.02, ball.faces))
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_json_of_a_run_folder(run_cli, files):
    done = run_cli("evaluate", "run", "ball.ply", *QUICK, "--json")
    assert done.code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["result"].endswith("mesh.ply")
    assert facts["iou"] > 0.9
    assert facts["chamfer"] == pytest.approx(0.02 / 2 / 3**0.5, rel=0.1)
    assert (facts["watertight"], facts["genus"], facts["self_intersections"]) == (True, 0, 0)


def test_the_table_names_units(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert run(["evaluate", "ball.ply", "ball.ply", *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "1.0000" in shown
    assert "% of the diagonal" in shown
    assert "watertight" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("empty", "ball.ply"), 3, "mesh.ply"),
        (("bal.ply", "ball.ply"), 3, "ball.ply"),
        (("ball.ply", "ball.ply", "--samples", "0"), 2, "--samples"),
        (("ball.ply",), 2, "REFERENCE"),
    ],
)
def test_mistakes_are_explained(files, monkeypatch, capsys, arguments, code, hint):
    monkeypatch.chdir(files)
    assert run(["evaluate", *arguments]) == code
    said = capsys.readouterr().err
    assert hint in said
    assert "Traceback" not in said


def test_several_results_make_a_table_with_the_best_marked(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert run(["evaluate", "run", "ball.ply", "ball.ply", *QUICK]) == 0
    shown = capsys.readouterr().out
    worse, better = (next(row for row in shown.splitlines() if row.startswith(name)) for name in (" run", " ball.ply"))
    assert worse.count("*") == 0
    assert better.count("*") >= 2
    assert "distances in % of the diagonal" in " ".join(shown.split())
    assert run(["evaluate", "run", "ball.ply", "ball.ply", *QUICK, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["chamfer"] > 0.001 > second["chamfer"]
    assert "silhouettes" in first["comparison"]


def test_of_a_run_it_is_told_what_its_cameras_saw(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    rig = ["--views", "2", "--size", "32", "--iterations", "0", "--set", "hull_resolution=16", "--set", "gif_frames=0"]
    assert run(["reconstruct", "ball.ply", "-o", "out", "-q", *rig]) == 0
    told = json.loads((files / "out" / "metrics.json").read_text())
    assert 0.01 < told["out_of_sight"] < 0.5  # two opposite cameras, which see a little less than half each
    capsys.readouterr()
    assert run(["evaluate", "out", "ball.ply", *QUICK, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["out_of_sight"] == pytest.approx(told["out_of_sight"], abs=0.02)
    assert again["chamfer_seen"] == pytest.approx(told["chamfer_seen"], rel=0.2)
    assert run(["evaluate", "out/mesh.ply", "ball.ply", *QUICK]) == 0
    assert "seen by" not in capsys.readouterr().out  # nobody knows of a bare file
    (files / "ball.ply").rename(files / "gone.ply")
    assert run(["evaluate", "out", "gone.ply", *QUICK]) == 0
    assert "what the run's cameras saw is not told apart: the input of out cannot be read" in capsys.readouterr().err
