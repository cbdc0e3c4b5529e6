"""`--events`, a run as lines of JSON, and `--fail-if`, gates on what it measured, through the real command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from invrender.cli.app import run
from invrender.run.gates import parse_gate
from tests.conftest import cli_environment

MUG = Path(__file__).parents[2] / "data" / "mug.glb"
TINY = ("--views", "6", "--size", "32", "--iterations", "9", "--set", "smoothness=1", "--set", "gif_frames=0", "-q")


def call(folder: Path, *more: str) -> int:
    return run(["reconstruct", str(MUG), "-o", str(folder), *TINY, *more])


def read(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def of(events: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def test_a_run_tells_how_it_goes_and_what_came_of_it(tmp_path: Path) -> None:
    # From so near that the object is cut off, which is worth a warning.
    assert (
        call(
            tmp_path / "run",
            "--events",
            str(tmp_path / "a" / "e.jsonl"),
            "--save-every",
            "0",
            "--fov",
            "24",
            "--distance",
            "3",
        )
        == 0
    )
    told = read((tmp_path / "a" / "e.jsonl").read_text())
    assert told[0]["event"] == "started"
    assert told[0]["method"] == "silhouette" and told[0]["folder"] == str(tmp_path / "run") and told[0]["after"] is None
    steps = of(told, "step")
    assert steps[-1]["step"] == steps[-1]["total"] == 9
    assert steps[-1]["left"] == 0 and 0 <= steps[-1]["terms"]["iou"] <= 1
    assert len(of(told, "checkpoint")) == 9 and of(told, "checkpoint")[-1]["file"] == "checkpoints/step_000009.npz"
    assert of(told, "warning"), "the object is cut off"
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert {event["name"]: event["value"] for event in of(told, "metric")} == metrics
    assert told[-1]["event"] == "finished" and told[-1]["exit_code"] == 0 and told[-1]["cause"] == ""


def test_on_stdout_there_is_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invrender", "reconstruct", str(MUG), "-o", str(tmp_path / "run"), *TINY[:-1],
         "--events", "-"],
        env=cli_environment(), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    told = read(done.stdout)
    assert told[0]["event"] == "started" and told[-1]["event"] == "finished"


def test_a_run_that_fails_says_why_and_an_earlier_file_is_gone_on_with(tmp_path: Path) -> None:
    assert call(tmp_path / "run", "--events", str(tmp_path / "e"), "--device", "cuda:77") == 4
    assert call(tmp_path / "run", "--events", str(tmp_path / "e")) == 0
    assert call(tmp_path / "run", "--events", str(tmp_path / "e")) == 6  # it is finished
    ends = of(read((tmp_path / "e").read_text()), "finished")
    assert [event["exit_code"] for event in ends] == [4, 0, 6]
    assert "CUDA" in ends[0]["cause"] and "--overwrite" in ends[2]["remedy"]


def test_two_things_do_not_go_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path / "run", "--events", "-", "--json") == 2
    assert "give --events a file" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert call(tmp_path / "run", "--events", str(tmp_path / "file" / "e")) == 2


# --- gates ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gates") / "run"
    assert call(folder, "--fail-if", "iou<.3", "--fail-if", "views_iou_of_hull > 1.5") == 0
    return folder


def test_a_gate_that_is_hit_fails_after_everything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path / "run", "--events", str(tmp_path / "e"), "--fail-if", "iou<2", "--fail-if", "genus<0") == 8
    assert "iou is 0." in (said := capsys.readouterr().err) and "genus" not in said
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"
    assert (tmp_path / "run" / "mesh.glb").exists()
    assert read((tmp_path / "e").read_text())[-1]["exit_code"] == 8


@pytest.mark.parametrize(
    ("gate", "code", "said"),
    [
        ("iou<.3", 0, ""),
        ("iou>=.3", 8, "iou is"),
        ("genus==1", 8, "genus is 1"),
        ("watertight!=1", 0, ""),
        ("iuo<.3", 2, "did you mean iou?"),
        ("iou", 2, "--fail-if 'iou<.95'"),
        ("iou<", 2, "--fail-if 'iou<.95'"),
        ("iou<nan", 2, "--fail-if 'iou<.95'"),
        ("iou=<1", 2, "--fail-if 'iou<.95'"),
    ],
)
def test_gates_of_evaluate(done: Path, capsys: pytest.CaptureFixture[str], gate: str, code: int, said: str) -> None:
    assert run(["evaluate", str(done), str(MUG), "--samples", "2000", "--views", "4", "--fail-if", gate]) == code
    assert said in capsys.readouterr().err


def test_a_table_is_reached_by_dots() -> None:
    gate = parse_gate("unseen.psnr <= 30")
    assert (gate.metric, gate.comparison, gate.bound) == ("unseen.psnr", "<=", 30.0)
