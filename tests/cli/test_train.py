"""`invrender train` and `invrender render --model` through the real entry point, and how calls can be wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from invrender.io.assets import NETWORK as NAME
from invrender.io.meshes.write import write_mesh
from invrender.io.network import read_network
from invrender.io.volumes.write import write_volume
from invrender.networks.staging import placed, staged
from invrender.nouns import Volume
from invrender.nouns.stage import Stage
from invrender.samples import SAMPLES
from tests.conftest import cli_environment
from tests.voxel_pictures import balls, write_balls

QUICK = ("--width", "4", "--batch", "4", "--set", "gif_frames=2", "-q")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_balls(tmp_path_factory.mktemp("balls") / "data", stage=Stage())


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert run(["train", str(data), "-o", str(folder), "--iterations", "30", *QUICK]) == 0
    return folder


def ball(samples: int = 20) -> Volume:
    unit = torch.linspace(-1, 1, samples)
    z, y, x = torch.meshgrid(unit, unit, unit, indexing="ij")
    return Volume.from_numpy(((1 - (x**2 + y**2 + z**2)).clamp(0, 0.1) * 500).numpy())


def test_results_are_printed_for_people_and_for_machines(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(data), "-o", str(tmp_path / "a"), "--iterations", "2", *QUICK[:-1]]) == 0
    said = capsys.readouterr()
    assert "PSNR of 6 test pictures" in said.out
    assert "invrender render VOLUME --model" in said.err
    assert run(["train", str(data), "-o", str(tmp_path / "b"), "--iterations", "2", "--json", *QUICK]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["network"] == "slices"
    assert told["iterations"] == 2


def test_a_dry_run_writes_nothing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", str(data), "-o", str(tmp_path / "run"), "--dry-run", "--network", "conv-deconv-apart"]) == 0
    assert 'network = "conv-deconv-apart"' in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_the_config_of_a_run_repeats_it(trained: Path, tmp_path: Path) -> None:
    assert run(["train", "--config", str(trained / "config.toml"), "-o", str(tmp_path / "again"), "-q"]) == 0
    assert (tmp_path / "again" / NAME).read_bytes() == (trained / NAME).read_bytes()
    assert (tmp_path / "again" / "progress.gif").read_bytes() == (trained / "progress.gif").read_bytes()


def test_a_stopped_run_goes_on_and_ends_the_same(data: Path, tmp_path: Path) -> None:
    call = ["train", str(data), "--iterations", "120", *QUICK]
    command = [sys.executable, "-m", "invrender", *call, "-o", str(tmp_path / "stopped")]
    process = subprocess.Popen(command, env=cli_environment(), stderr=subprocess.PIPE, text=True)
    losses = tmp_path / "stopped" / "losses.csv"
    started = time.monotonic()
    while not losses.exists() or len(losses.read_text().splitlines()) < 20:
        assert process.poll() is None
        assert time.monotonic() - started < 120
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (75, 130), said
    assert json.loads((tmp_path / "stopped" / "run.json").read_text())["status"] == "interrupted"
    for name in ("stopped", "whole"):
        assert run([*call, "-o", str(tmp_path / name)]) == 0
    for name in (NAME, "losses.csv", "progress.gif", "pictures.png"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_other_settings_do_not_go_on_with_a_stopped_run(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    call = ["train", str(data), "-o", str(tmp_path / "run"), "--iterations", "40", *QUICK]
    with monkeypatch.context() as patched:
        patched.setattr("invrender.methods.neural_renderer.report.measure", stopped)
        patched.setattr("invrender.run.folder.SECURE", 0.0)
        patched.setattr("invrender.methods.neural_renderer.method.report.write", stopped)
        patched.setattr("invrender.methods.neural_renderer.report._mean_picture", stopped)
        assert run(call) == 130
    assert run([*call, "--network", "conv-deconv-apart", "--set", "width=0.02"]) == 7
    assert "network" in capsys.readouterr().err
    assert run(call) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing"], 3, "no folder"),
        (["."], 3, "meta.json"),
        ([], 2, "no DATASET"),
        (["DATA", "--network", "slcies"], 2, "slices"),
        (["DATA", "--network", "conv-deconv"], 0, ""),
        (["DATA", "--iterations", "0"], 2, "iterations"),
        (["DATA", "--start", "missing"], 3, "missing"),
        (["DATA", "--rate", "nan"], 2, "rate"),
    ],
)
def test_bad_calls_end_in_one_message(
    arguments: list[str],
    code: int,
    said: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(data) if word == "DATA" else word for word in arguments]
    assert run(["train", *given, "-o", str(tmp_path / "run"), "--dry-run"]) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not (tmp_path / "run").exists()


def damaged(folder: Path, how: str) -> None:
    file = folder / "train-0000.voxels.npy"
    voxels = np.load(file)
    if how == "cut short":
        file.write_bytes(file.read_bytes()[:-7])
    elif how == "another shape":
        np.save(file, voxels[..., :8])
    elif how == "another type":
        np.save(file, voxels.astype(np.float32))
    elif how == "fewer samples":
        np.save(file, voxels[1:])
    else:
        file.unlink()


@pytest.mark.parametrize("how", ["cut short", "another shape", "another type", "fewer samples", "gone"])
def test_a_damaged_shard_is_refused_before_any_work(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_balls(tmp_path / "data")
    damaged(data, how)
    assert run(["train", str(data), "-o", str(tmp_path / "run"), *QUICK]) == 3
    assert "train-0000.voxels.npy" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_volume_turns_before_the_network(trained: Path, tmp_path: Path) -> None:
    write_volume(tmp_path / "ball.npz", ball())
    call = ["render", str(tmp_path / "ball.npz"), "--model", str(trained), "-q"]
    assert run([*call, "-o", str(tmp_path / "still.png")]) == 0
    assert run([*call, "-o", str(tmp_path / "turn.gif"), "--views", "5"]) == 0
    with Image.open(tmp_path / "turn.gif") as turning:
        assert turning.n_frames == 5
        assert turning.size == (16, 16)
    network = read_network(trained)
    there = placed(Volume((ball().values / 50).clamp(0, 1), ball().bounds), Stage())
    drawn = network.pictures(staged(there, network.architecture))[0, ..., 0].clamp(0, 1)
    with Image.open(tmp_path / "still.png") as still:
        shown = np.asarray(still.convert("L")).astype(float)
    assert np.abs(shown - 255 * drawn.numpy()).max() <= 1.5


def test_a_mesh_is_drawn_as_its_voxels_are(trained: Path, tmp_path: Path) -> None:
    write_mesh(tmp_path / "ball.ply", SAMPLES["sphere"]())
    write_volume(tmp_path / "ball.npz", ball(48))
    shown = []
    for name in ("ball.ply", "ball.npz"):
        picture = tmp_path / f"{name}.png"
        assert run(["render", str(tmp_path / name), "--model", str(trained), "-o", str(picture), "-q"]) == 0
        with Image.open(picture) as opened:
            shown.append(np.asarray(opened.convert("L")).astype(float))
    assert np.abs(shown[0] - shown[1]).mean() < 6


def test_voxels_in_camera_space_are_taken_as_they_are(trained: Path, tmp_path: Path) -> None:
    voxels = balls(1, (16, 16, 16), 3)[0]
    np.save(tmp_path / "voxels.npy", voxels)
    call = ["render", str(tmp_path / "voxels.npy"), "--model", str(trained), "--camera-space", "-q"]
    assert run([*call, "-o", str(tmp_path / "picture.png")]) == 0
    drawn = read_network(trained).pictures(torch.from_numpy(voxels)[None, None])[0, ..., 0].clamp(0, 1)
    with Image.open(tmp_path / "picture.png") as picture:
        assert np.abs(np.asarray(picture.convert("L")) - 255 * drawn.numpy()).max() <= 1.5


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--mode", "transmittance"], 2, "--mode does not go with --model"),
        (["--size", "64"], 2, "--size does not go with --model"),
        (["--camera-space"], 3, "takes voxels of"),
        (["--camera-space", "--views", "3"], 2, "--views"),
        (["--window", "60,70"], 3, "nothing is in it"),
        (["--window", "a,b"], 2, "--window"),
        (["-o", "picture.tiff"], 2, "picture.tiff"),
        (["--model", "nowhere"], 3, "nowhere"),
    ],
)
def test_bad_calls_of_render_end_in_one_message(
    options: list[str], code: int, said: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(tmp_path / "ball.npz", ball())
    call = ["render", str(tmp_path / "ball.npz"), "--model", str(trained), "-o", str(tmp_path / "picture.png")]
    assert run([*call, *options]) == code
    told = capsys.readouterr().err
    assert said in told
    assert not (tmp_path / "picture.png").exists()


def test_a_network_without_a_stage_draws_its_own_voxels_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, model = write_balls(tmp_path / "data"), tmp_path / "run"
    assert run(["train", str(data), "-o", str(model), "--iterations", "1", *QUICK]) == 0
    write_volume(tmp_path / "ball.npz", ball())
    call = ["render", str(tmp_path / "ball.npz"), "--model", str(model), "-o", str(tmp_path / "a.png")]
    assert run(call) == 3
    assert "--camera-space" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["render", "preview", "evaluate"])
def test_the_run_of_a_network_is_no_asset(
    command: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = {"render": ["-o", "a.png"], "preview": ["--screenshot", "a.png"], "evaluate": [str(trained)]}[command]
    assert run([command, str(trained), *rest]) == 3
    assert "render VOLUME --model" in capsys.readouterr().err


def test_inspect_tells_how_a_network_is_built(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(trained)]) == 0
    assert "1 x 16 x 16 x 16" in capsys.readouterr().out
    assert run(["inspect", str(trained), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "network"
    assert told["stage"]["fov"] == 32
    assert told["metrics"]["iterations"] == 30
