"""`--dry-run`: what it says of a run before it starts, held against the run itself, for every method."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.io.volumes.write import write_volume
from invrender.nouns import Mesh
from invrender.samples import SAMPLES, VOLUMES
from tests.conftest import cli_environment
from tests.io.scans.made import setup
from tests.io.scans.made import write as write_scan_files
from tests.methods.scene.made import FLOOR, LAMP, exr, lit_floor, written
from tests.voxel_pictures import write_balls

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FEW = ("--views", "6", "--size", "24", "--set", "gif_frames=2")
CASES = {
    "silhouette": ("reconstruct", "ball.ply", *FEW, "--iterations", "6"),
    "photometric": ("reconstruct", "ball.ply", "--method", "photometric", *FEW, "--effort", "0.05"),
    "transmittance": ("reconstruct", "cloud.npz", *FEW, "--iterations", "6"),
    "scan": ("reconstruct", "scan.toml", "--iterations", "6", "--set", "gif_frames=2"),
    "volume": ("reconstruct", "cloud.npz", "--method", "volume", *FEW, "--iterations", "4", "--set", "rays=64"),
    "scattering": ("reconstruct", "cloud.npz", "--method", "scattering", "--views", "3", "--size", "8", "--iterations",
                   "3", "--grid", "6", "--target-spp", "4", "--set", "gif_frames=1"),
    "scene": ("reconstruct", "scene.toml", "--target", "above.exr", "--optimize", "light.intensity", "--iterations",
              "3", "--set", "gif_frames=2"),
    "train": ("train", "data", "--iterations", "2", "--width", "4", "--set", "gif_frames=1"),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """tmp_path as the working folder, with an input of each kind."""
    monkeypatch.chdir(tmp_path)
    ball = SAMPLES["sphere"]()
    write_mesh(tmp_path / "ball.ply", Mesh(ball.vertices, ball.faces))
    write_volume(tmp_path / "cloud.npz", VOLUMES["cloud"](10))
    written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 4))
    exr(tmp_path / "above.exr", lit_floor((0.4, 1.5, -0.3), 8.0, torch.full((3,), 0.5)))
    write_scan_files(tmp_path, setup("cone", 6, (16, 20)))
    write_balls(tmp_path / "data", counts={"train": 4, "validation": 2, "test": 2})
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a dry run prints."""
    capsys.readouterr()
    assert run([*arguments, "--dry-run", "-o", "out"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", CASES)
def test_what_is_told_is_what_is_done(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    before = sorted(here.rglob("*"))
    said = told(capsys, *CASES[name])
    assert sorted(here.rglob("*")) == before
    labels = {line.split()[1] for line in said.splitlines() if line.startswith("# ")}
    assert {"read", "memory", "time", "would"} <= labels
    assert ("cameras" in labels) == (name not in ("scene", "train"))
    assert ("mask" in labels) == (name in ("silhouette", "photometric", "volume"))
    (here / "saved.toml").write_text(said)
    assert tomllib.loads(said)["gif_frames"] in (1, 2)
    files = json.loads(told(capsys, *CASES[name], "--json"))["files"]
    assert run([CASES[name][0], "--config", "saved.toml", "-o", "out", "-q"]) == 0
    there = [str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()]
    kept = [name for name in there if not name.startswith("checkpoints/")]
    assert [name for name in kept if not any(fnmatch(name, one) for one in files)] == []
    assert [one for one in files if not any(fnmatch(name, one) for name in there) and "checkpoints" not in one] == []


def test_the_ring_and_the_masks_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(told(capsys, *CASES["silhouette"], "--elevation", "20", "--json"))
    ring = said["cameras"]
    assert ring["views"] == 6 and ring["gap"] == pytest.approx(60) and ring["azimuth"] == pytest.approx(300)
    assert ring["elevation"] == pytest.approx([20, 20]) and ring["fov_x"] == pytest.approx([45, 45])
    low, mean, high = said["mask_coverage"]
    assert 0.1 < low <= mean <= high < 0.5
    assert said["memory"] < said["memory_free"] and said["seconds"] > 0
    assert not Path("out").exists()


def test_more_of_everything_takes_longer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def seconds(*more: str) -> float:
        return float(json.loads(told(capsys, *CASES["silhouette"], *more, "--json"))["seconds"])

    least = seconds()
    assert least < seconds("--iterations", "60") < seconds("--iterations", "600")
    assert least < seconds("--views", "12") and least < seconds("--size", "48")


def test_a_bad_input_ends_as_the_run_would(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("somebody's own")
    calls = (("bal.ply",), ("ball.ply", "--init", "nowhere.ply"), ("cloud.npz", "--extinction", "-1"),
             ("ball.ply", "-o", "taken"))  # fmt: skip
    for call in calls:
        given = ["reconstruct", *call, *FEW, *(() if "-o" in call else ("-o", "out"))]
        dry, real = run([*given, "--dry-run"]), run(given)
        assert dry == real != 0, call


def test_copies_are_named_before_the_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "ball.ply", "--dataset", "set", "--views", "6", "--size", "32"]) == 0
    poses = json.loads(Path("set/transforms.json").read_text())
    poses["frames"][4] = {**poses["frames"][1], "file_path": poses["frames"][4]["file_path"]}
    Path("set/transforms.json").write_text(json.dumps(poses))
    Path("set/view_004.png").write_bytes(Path("set/view_001.png").read_bytes())
    capsys.readouterr()
    for command in (["reconstruct", "set", "--dry-run", "-o", "out"], ["inspect", "set"]):
        assert run(command) == 0
        assert "view_001 and view_004 are nearly the same view" in capsys.readouterr().err.replace("\n", " ")
        assert run([*command, "--strict"]) == 3
        capsys.readouterr()


PEAK = """
import atexit, re
from pathlib import Path
status = Path("/proc/self/status")
atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]))
from invrender.cli.app import main
main()
"""
"""The command, which prints the peak of its own memory in the end. What `wait4` tells of a child knows its parent's."""


def test_the_memory_of_a_small_run_is_foreseen(here: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not tell a process's peak")

    def call(output: str, *more: str) -> str:
        words = [sys.executable, "-c", PEAK, *CASES["silhouette"], "-o", output, *more]
        return subprocess.run(words, env=cli_environment(), capture_output=True, text=True, check=True).stdout

    call("warm", "-q")  # compiling kernels, which is done once, takes hundreds of megabytes for a while
    foreseen = json.loads(call("out", "--dry-run", "--json").rpartition("}")[0] + "}")["memory"]
    assert foreseen == pytest.approx(1024 * int(call("out", "-q").split()[-1]), rel=0.25)
