"""`invrender reconstruct`: whole runs through the real entry point, and every way in which a call can be wrong."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh
from invrender.report.lettering import GAP, letters, line_height
from invrender.samples import SAMPLES
from tests.conftest import cli_environment

ROOT = Path(__file__).parents[2]
TINY = ("--views", "6", "--size", "40", "--iterations", "9", "--set", "smoothness=1", "--set", "gif_frames=4")
FILES = {
    "config.toml", "run.json", "metrics.json", "losses.csv", "log.txt", "mesh.glb", "mesh.ply",
    "progress.gif", "turntable.gif", "report.html", "report.png",
}  # fmt: skip


def frames(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            found.append(np.asarray(image.convert("RGB")).astype(int))
    return found


# --- whole runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mug(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of one small run on the mug, and what the command said."""
    folder = tmp_path_factory.mktemp("mug")
    arguments = ("--views", "10", "--size", "128", "--preset", "draft", "--iterations", "45", "--set", "gif_frames=6")
    done = subprocess.run(
        [sys.executable, "-m", "invrender.cli.app", "reconstruct", str(ROOT / "data" / "mug.glb"), "-o", "run",
         *arguments, "--elevation", "25", "--json"],
        cwd=folder, env=cli_environment(), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    return folder / "run", done


def test_a_mug_comes_back_as_a_mug(mug):
    folder, done = mug
    assert done.returncode == 0, done.stderr
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["views_iou"] > 0.97
    assert metrics["iou"] > 0.91  # from one ring of cameras the underside is a cone
    assert metrics["chamfer"] < 0.03
    assert metrics["watertight"] is True
    assert (metrics["genus"], metrics["components"], metrics["self_intersections"]) == (1, 1, 0)
    assert json.loads(done.stdout) == {"output": "run", **metrics}


def test_a_run_folder_is_complete(mug):
    folder, _ = mug
    assert {path.name for path in folder.iterdir()} == FILES
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["command"], record["seed"]) == ("finished", "reconstruct", 0)
    assert set(record["files"]) >= FILES - {"run.json"}
    assert record["timings"]["refine"] > 0
    with (folder / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(45))
    assert float(rows[-1]["iou"]) > 0.98


def test_meshes_are_in_the_frame_of_the_asset(mug):
    folder, _ = mug
    asset = trimesh.load(ROOT / "data" / "mug.glb", force="mesh")
    for name in ("mesh.ply", "mesh.glb"):
        result = trimesh.load(folder / name, force="mesh")
        assert result.is_watertight
        assert result.is_winding_consistent
        assert result.volume > 0
        difference = np.abs(result.bounds - asset.bounds)
        difference[0, 1] = 0.0  # the underside, which no view sees
        assert difference.max() < 0.05 * asset.scale


def test_the_film_ends_on_a_full_turn_with_the_asset_beside_the_estimate(mug):
    folder, _ = mug
    film, turntable = frames(folder / "progress.gif"), frames(folder / "turntable.gif")
    height, width, _ = turntable[0].shape
    assert len(turntable) == 36
    assert len(film) > len(turntable)
    top, gap = line_height(letters(width)), GAP
    assert film[0].shape == (top + height + line_height(letters(width) + 1), 3 * width + 2 * gap, 3)
    middle = slice(width + gap, 2 * width + gap)
    for frame, still in zip(film[-36:], turntable, strict=True):
        assert np.abs(frame[top : top + height, middle].astype(int) - still).mean() < 4  # palettes differ
    dark = [(frame[top : top + height, :width] < 210).all(-1) for frame in film]
    assert all(0.05 < asset.mean() < 0.8 for asset in dark)
    assert np.abs(film[-1][:, :width].astype(int) - film[-10][:, :width]).max() > 60  # the asset turns, too


def test_a_dataset_made_by_render_is_reconstructed_without_its_asset(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blob = str(ROOT / "data" / "blobby.ply")
    assert (
        run(["render", blob, "--dataset", "views", "--views", "10", "--size", "56", "--cameras", "sphere", "-q"]) == 0
    )
    settings = ("--method", "silhouette", "--preset", "draft", "--iterations", "30", "--set", "gif_frames=0")
    assert run(["reconstruct", "views", "-o", "run", *settings]) == 0
    assert "watertight" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["views_iou"] > 0.95
    assert "iou" not in metrics  # no reference
    assert not (tmp_path / "run" / "progress.gif").exists()
    assert run(["evaluate", "run", blob, "--json", "--samples", "4000", "--views", "4", "--size", "96"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["iou"] > 0.93
    assert facts["chamfer"] < 0.02
    assert (facts["watertight"], facts["genus"], facts["self_intersections"]) == (True, 0, 0)


# --- in this process --------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    """tmp_path as the working folder, with a small ball in it."""
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", Mesh(SAMPLES["sphere"]().vertices, SAMPLES["sphere"]().faces))
    return tmp_path


def test_a_config_reproduces_its_run_bit_for_bit(here, capsys):
    assert run(["reconstruct", "ball.ply", "-o", "one", *TINY, "-q"]) == 0
    assert run(["reconstruct", "--config", "one/config.toml", "-o", "two", "-q"]) == 0
    said = capsys.readouterr()
    assert said.out == said.err == ""
    for name in ("mesh.ply", "mesh.glb", "metrics.json", "losses.csv", "progress.gif", "config.toml"):
        assert (here / "one" / name).read_bytes() == (here / "two" / name).read_bytes(), name


def test_flags_beat_the_config(here):
    quick = ("--set", "gif_frames=0", "--set", "smoothness=1", "-q")
    (here / "mine.toml").write_text('input = "ball.ply"\nviews = 7\nsize = 40\niterations = 3\n')
    assert run(["reconstruct", "--config", "mine.toml", "--views", "5", "-o", "two", *quick]) == 0
    assert json.loads((here / "two" / "metrics.json").read_text())["views"] == 5
    assert "iterations = 3" in (here / "two" / "config.toml").read_text()


def test_the_kernel_cache_has_a_variable_that_is_no_setting(here, monkeypatch, tmp_path):
    monkeypatch.setenv("INVRENDER_CACHE_DIR", str(tmp_path / "kernels"))
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY, "--backend", "torch", "--dry-run"]) == 0


def test_a_dry_run_checks_everything_and_writes_nothing(here, capsys):
    before = sorted(here.iterdir())
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "6 views of 40 x 40" in shown
    assert "iterations = 9" in shown
    assert run(["reconstruct", "bal.ply", "--dry-run"]) == 3
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("init", ["sphere", "ball.ply"])
def test_other_starts(here, init):
    assert run(["reconstruct", "ball.ply", "-o", "out", *TINY, "--init", init, "--set", "gif_frames=0", "-q"]) == 0
    metrics = json.loads((here / "out" / "metrics.json").read_text())
    assert metrics["views_iou"] > (0.95 if init == "ball.ply" else 0.4)
    assert metrics["genus"] == 0


def test_a_finished_run_is_replaced_only_when_asked(here, capsys):
    once = ["reconstruct", "ball.ply", "-o", "out", *TINY, "--set", "gif_frames=0", "--iterations", "0", "-q"]
    assert run(once) == 0
    stamp = (here / "out" / "mesh.ply").stat().st_mtime_ns
    (here / "out" / "mine.txt").write_text("keep")
    assert run(once) == 6
    assert "--overwrite" in capsys.readouterr().err
    assert (here / "out" / "mesh.ply").stat().st_mtime_ns == stamp
    assert run([*once, "--overwrite"]) == 0
    assert (here / "out" / "mine.txt").read_text() == "keep"


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
def test_ctrl_c_in_mid_run_leaves_an_interrupted_run_that_can_be_started_over(here, capsys):
    command = ["reconstruct", "ball.ply", "-o", "out", *TINY[:4], "--iterations", "100000", "--set", "smoothness=1"]
    with subprocess.Popen(
        [sys.executable, "-m", "invrender.cli.app", *command, "-q"], cwd=here, env=cli_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:  # fmt: skip
        losses = here / "out" / "losses.csv"
        deadline = time.monotonic() + 900  # kernels may have to be compiled first
        while not losses.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, shown = process.communicate(timeout=300)
    assert process.returncode == 130
    assert out == ""
    notices = ("compiling kernels", "interrupted: stopping after")  # where none are kept; where a step takes long
    told = [line for line in shown.splitlines() if not line.startswith(notices)]
    assert told[0].startswith("error: interrupted")
    assert len(told) == 2
    record = json.loads((here / "out" / "run.json").read_text())
    assert record["status"] == "interrupted"
    names = {path.name for path in (here / "out").iterdir()} - {"current.png"}  # of runs that have come so far
    assert names == {
        "config.toml",
        "run.json",
        "log.txt",
        "losses.csv",
        "checkpoints",
    }  # nothing half-written, no result
    (state,) = (here / "out" / "checkpoints").iterdir()
    again = ["reconstruct", "ball.ply", "-o", "again", *TINY, "--init", str(state), "--set", "gif_frames=0", "-q"]
    assert run(again) == 0
    assert run([*again[:-1], "--overwrite", "--init", "none.npz"]) == 7
    capsys.readouterr()
    other = ["reconstruct", "ball.ply", "-o", "out", *TINY, "--set", "gif_frames=0", "-q"]
    assert run(other) == 7
    shown = capsys.readouterr().err
    assert "iterations 100000 -> 9" in shown
    assert "--fresh" in shown
    assert run([*other, "--fresh"]) == 0
    assert json.loads((here / "out" / "run.json").read_text())["status"] == "finished"
