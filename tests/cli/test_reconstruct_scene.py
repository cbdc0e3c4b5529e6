"""`invrender reconstruct SCENE --method scene`: its files, going on with a stopped run, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from invrender.io.scenes.read import read_scene
from invrender.solve import loop as solve_loop
from tests.methods.scene.made import FLOOR, LAMP, exr, lit_floor, written

PLACE = (0.4, 1.5, -0.3)
FREE = "light.position,light.intensity"


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A scene with a light in a wrong place, and the picture of one under the right light."""
    scene = written(tmp_path, FLOOR + LAMP.format("-0.5, 2, 0.2", 2))
    target = exr(tmp_path / "above.exr", lit_floor(PLACE, 8.0, torch.full((3,), 0.5)))
    return ["reconstruct", str(scene), "--target", str(target), "--optimize", FREE, "--backend", "cpu"]


def output(folder: Path) -> list[str]:
    return ["-o", str(folder / "run")]


def test_a_run_leaves_what_people_need(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, *output(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["values"]["light.intensity"]["found"] == pytest.approx(8, rel=0.01)
    assert said["own_noise"] == 0  # one lamp is followed without chance
    folder = tmp_path / "run"
    light = read_scene(folder / "scene.toml").lights[0]  # type: ignore[index]
    assert light.position == pytest.approx(PLACE, abs=0.01) and light.name == "lamp"
    lines = (folder / "parameters.csv").read_text().splitlines()
    assert lines[0] == "step,phase,loss,light.position.x,light.position.y,light.position.z,light.intensity"
    assert lines[1] == "start,,,-0.5,2,0.2,2" and len(lines) > 3
    for name in ("target.png", "estimate.png", "difference.png", "progress.gif", "metrics.json"):
        assert (folder / name).is_file()
    with Image.open(folder / "progress.gif") as film:
        assert film.n_frames > 3
    assert run(["inspect", str(folder)]) == 0 and "scene.toml" in capsys.readouterr().out


def test_the_summary_says_how_sure_each_value_is(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, *output(tmp_path)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("light.intensity"))
    start, _, found, _, error, unit = line.split()[1:]
    assert (start, unit) == ("2", "W/sr") and abs(float(found) - 8) < 0.05 and float(error) < 0.05


def test_a_stopped_run_goes_on(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "-o", str(tmp_path / "whole"), "-q"]) == 0
    advanced, left = solve_loop._advanced, [2]

    def stopping(*given: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return advanced(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(solve_loop, "_advanced", stopping)
    assert run([*arguments, *output(tmp_path)]) == 130
    monkeypatch.setattr(solve_loop, "_advanced", advanced)
    assert run([*arguments, *output(tmp_path)]) == 0
    assert "going on after step 2" in capsys.readouterr().err
    for name in ("parameters.csv", "scene.toml"):
        assert (tmp_path / "run" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_a_dry_run_checks_and_writes_nothing(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, *output(tmp_path), "--dry-run"]) == 0
    assert "4 free numbers" in capsys.readouterr().out and not (tmp_path / "run").exists()


def test_a_run_is_replaced_with_paths_that_still_lead_somewhere(arguments: list[str], tmp_path: Path) -> None:
    short = [*arguments, *output(tmp_path), "-q", "--preset", "draft"]
    assert run(short) == 0 and run(short) == 6 and run([*short, "--overwrite"]) == 0
    assert len(read_scene(tmp_path / "run" / "scene.toml").meshes) == 1
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (["--optimize", "light.pos"], 2, "did you mean light.position"),
        (["--optimize", "light.lamp.color"], 2, "light.lamp has position, intensity"),
        (["--target", "nothing.png"], 3, "no file nothing.png"),
        (["--mode", "path", "--solver", "lm"], 2, "--solver adam"),
        (["--mode", "path", "--posterior"], 2, "--mode raytraced"),
        (["--solver", "newton"], 2, "auto, lm, lbfgs, adam"),
        (["--noise", "none of it"], 2, "noise"),
        (["--method", "silhouette"], 2, "does not go with --method silhouette"),
    ],
)
def test_mistakes(
    arguments: list[str], tmp_path: Path, changes: list[str], code: int, words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run([*arguments, *changes, *output(tmp_path)]) == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_a_scene_without_a_camera(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = FLOOR[: FLOOR.index("[[camera]]")] + FLOOR[FLOOR.index("[[plane]]") :]
    arguments[1] = str(written(tmp_path, bare, "bare"))
    assert run([*arguments, "--dry-run"]) == 3
    assert "add a [[camera]]" in " ".join(capsys.readouterr().err.split())
