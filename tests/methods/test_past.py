"""Reports of runs: written at the end of each, anew from what lies in a folder, and never at the cost of a result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.methods.past import past_run
from invrender.run import told
from invrender.samples import SAMPLES

TINY = ("--views", "4", "--size", "24", "--iterations", "3", "--init", "sphere", "--set", "gif_frames=0", "-q")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", SAMPLES["sphere"]())
    return tmp_path


def test_a_run_leaves_a_report_that_can_be_written_anew(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY]) == 0
    record = json.loads(Path("out/run.json").read_text())
    assert {"report.html", "report.png"} <= set(record["files"])
    assert record["timings"]["report"] > 0
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "ball.ply" in page and 'class="viewer"' in page and "look from a camera" in page
    for name in ("report.html", "report.png"):
        Path("out", name).unlink()
    capsys.readouterr()
    assert run(["inspect", "out", "--report", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["run"]["status"] == "finished"
    assert shown["run"]["settings"] == {"views": "4", "size": "24", "init": "sphere", "iterations": "3",
                                        "gif_frames": "0"}  # fmt: skip
    assert shown["run"]["files"]["report.html"] > 10_000
    assert Path("out/report.png").stat().st_size > 1000
    assert run(["inspect", "out"]) == 0
    words = capsys.readouterr().out
    for word in ("finished", "silhouette", "overlap with the input's outlines (IoU)", "report.html", "(mesh)"):
        assert word in words
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY, "--overwrite"]) == 0


def test_a_fault_in_drawing_costs_no_result(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> str:
        raise ZeroDivisionError("in the drawing")

    monkeypatch.setattr(told, "report_page", fail)
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY[:-1]]) == 0
    assert "no report could be drawn: in the drawing" in " ".join(capsys.readouterr().err.split())
    assert json.loads(Path("out/run.json").read_text())["status"] == "finished"
    assert "ZeroDivisionError" in Path("out/log.txt").read_text()
    assert Path("out/mesh.ply").is_file() and Path("out/metrics.json").is_file()
    assert not Path("out/report.html").exists()


@pytest.mark.parametrize("what", ["ball.ply", "."])
def test_only_runs_have_reports(here: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", what, "--report"]) == 2
    assert "--report goes with a run" in capsys.readouterr().err


def test_settings_of_another_version_are_told_as_they_stand(here: Path) -> None:
    Path("old").mkdir()
    Path("old/run.json").write_text('{"invrender": "0.0.1", "status": "finished", "command": "reconstruct"}')
    Path("old/config.toml").write_text('input = "a.glb"\nmethod = "silhouette"\nforgotten = 3\n')
    story = past_run(Path("old"))
    assert story is not None
    assert [(each.name, each.value, each.changed) for each in story.settings] == [("forgotten", "3", False)]
    assert past_run(here) is None
