"""Training a network to render voxels: it learns, goes on to the same bits, and its parts add up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import invrender
from invrender.backends import select
from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.network import read_network
from invrender.methods.neural_renderer import method, task
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.run.execute import Destination, execute
from invrender.run.losses_csv import read_losses
from invrender.solve.loop import Loop
from invrender.solve.snapshot import pack, unpack
from tests.conftest import cli_environment
from tests.pretended_gpu import pretended, pretending
from tests.voxel_pictures import balls, nearness, write_balls

CPU = torch.device("cpu")
FILES = {
    "config.toml", "run.json", "metrics.json", "losses.csv", "log.txt", "network.safetensors", "curves.png",
    "pictures.png", "progress.gif", "report.html", "report.png",
}  # fmt: skip
QUICK = {"iterations": 150, "batch": 4, "rate": 4e-3, "width": 8, "gif_frames": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_balls(tmp_path_factory.mktemp("balls") / "data")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    invrender.train(data, folder, **QUICK)
    return folder


def learning(data: Path, **settings: Any) -> tuple[Loop, Any]:
    """The loop of a run, and what it makes of its end."""
    backend = select("cpu", needs=())
    resolved = TrainSettings(data, **{**QUICK, "gif_frames": 0, **settings})
    problem = method.begin(task.load(resolved, backend), resolved, backend)
    return Loop(problem.schedule), problem


def test_it_learns_what_it_never_saw(trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    assert {path.name for path in trained.iterdir() if path.is_file()} == FILES
    assert metrics["measured_on"] == "test"
    assert metrics["pictures_measured"] == 6
    assert metrics["psnr"] > metrics["mean_picture_psnr"] + 8
    assert metrics["psnr"] > 24


def test_what_is_told_is_what_the_network_does(trained: Path) -> None:
    metrics, network = json.loads((trained / "metrics.json").read_text()), read_network(trained)
    voxels = balls(6, (16, 16, 16), 30)  # the test split
    drawn = network.pictures(torch.from_numpy((voxels * 255 + 0.5).astype(np.uint8) / 255).float()[:, None])
    stored = np.floor(nearness(voxels, (16, 16)) * 255 + 0.5) / 255
    error = (drawn.clamp(0, 1).numpy() - stored) ** 2
    psnr = float((-10 * np.log10(error.mean((1, 2, 3)))).mean())
    assert metrics["psnr"] == pytest.approx(psnr, abs=0.01)


def test_its_pictures_can_be_looked_at(trained: Path) -> None:
    with Image.open(trained / "progress.gif") as film:
        assert film.n_frames == 3
    with Image.open(trained / "pictures.png") as sheet:
        pictures = np.asarray(sheet.convert("RGB")).astype(int)
    side = 128
    given, drawn = pictures[:side, :side], pictures[:side, side + 2 : 2 * side + 2]
    assert np.abs(given - drawn).mean() < 20 < given.std()
    with Image.open(trained / "curves.png") as curves:
        assert min(curves.size) > 300


def test_losses_hold_every_step_and_scores_of_some(trained: Path) -> None:
    rows = read_losses(trained / "losses.csv")
    assert len(rows) == QUICK["iterations"]
    judged = [int(row["step"]) + 1 for row in rows if row["validation"]]
    assert judged == [*range(7, 150, 7), 150]
    metrics = json.loads((trained / "metrics.json").read_text())
    assert max(float(row["validation"]) for row in rows if row["validation"]) == pytest.approx(
        metrics["validation_psnr"]
    )


@pytest.mark.parametrize("network", ["slices", "conv-deconv", "conv-deconv-apart"])
def test_a_stopped_training_goes_on_to_the_same_bits(network: str, data: Path) -> None:
    settings = {"iterations": 6, "network": network, "width": 4 if network == "slices" else 0.02, "validate_every": 2}
    whole, problem = learning(data, **settings)
    states = [step.state for step in whole]
    for at in (1, 4):
        later, _ = learning(data, **settings)
        later.state = unpack(pack(states[at]), CPU)
        assert len(list(later)) == 5 - at
        mine, theirs = pack(later.state), pack(whole.state)
        assert mine.keys() == theirs.keys()
        assert all((mine[name] == value).all() for name, value in theirs.items())
    assert problem.result(whole.state.finished).network.architecture.network == network


def test_parts_of_a_batch_add_up_to_it(data: Path) -> None:
    """The gradient of a batch does not depend on in how many parts it is worked on."""
    backend, found = select("cpu", needs=()), []
    for parts in (1, 3):
        resolved = TrainSettings(data, batch=4, accumulate=parts, width=4)
        given = task.load(resolved, backend)
        misfit = method.objective(given, resolved, backend).minibatch(2)
        found.append(misfit.value_and_grad(given.weights, torch.Generator()))
    (terms, gradient), (other, same) = found
    assert terms == pytest.approx(other, rel=1e-5)
    for name, value in gradient.items():
        assert torch.allclose(value, same[name], rtol=1e-3, atol=1e-7), name


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_the_gradient_is_that_of_differences(loss: str, data: Path) -> None:
    backend = select("cpu", needs=())
    resolved = TrainSettings(data, batch=2, width=2, loss=loss)  # type: ignore[arg-type]
    given = task.load(resolved, backend)
    misfit = method.objective(given, resolved, backend).minibatch(0)
    random = torch.Generator().manual_seed(0)
    direction = {name: torch.randn(value.shape, generator=random) for name, value in given.weights.items()}
    _, gradient = misfit.value_and_grad(given.weights, random)
    slope = sum(float((gradient[name] * direction[name]).sum()) for name in gradient)

    def value(step: float) -> float:
        moved = {name: weight + step * direction[name] for name, weight in given.weights.items()}
        return misfit.value_and_grad(moved, random)[0][loss]

    assert slope == pytest.approx((value(1e-3) - value(-1e-3)) / 2e-3, rel=0.02)


def test_training_ends_early_when_nothing_gets_better(data: Path) -> None:
    loop, problem = learning(data, iterations=400, rate=1e-12, patience=2, validate_every=3)
    taken = len(list(loop))
    assert taken == 3 * (1 + 2)  # the first judgement is the best, and two more are none
    assert problem.result(loop.state.finished).steps == taken


def test_it_sets_out_from_what_another_run_has_learnt(data: Path, trained: Path) -> None:
    loop, _ = learning(data, iterations=3, start=str(trained), validate_every=1, rate=1e-6)
    assert next(iter(loop)).terms["validation"] > 24
    with pytest.raises(InputError, match="width"):
        learning(data, start=str(trained), width=4)


def test_another_resolution_or_other_channels_are_no_start(trained: Path, tmp_path: Path) -> None:
    finer = write_balls(tmp_path / "finer", (24, 24, 24))
    colours = write_balls(tmp_path / "colours", channels=4)
    for folder in (finer, colours):
        with pytest.raises(InputError, match="made for voxels"):
            learning(folder, start=str(trained))


@pytest.mark.parametrize("missing", ["train", "validation"])
def test_a_split_without_samples_is_refused(missing: str, tmp_path: Path) -> None:
    counts = {name: 3 for name in ("train", "validation", "test") if name != missing}
    with pytest.raises(InputError, match=f"no {missing} samples"):
        learning(write_balls(tmp_path / "data", counts=counts))


def test_without_test_samples_the_validation_samples_measure(tmp_path: Path) -> None:
    data = write_balls(tmp_path / "data", counts={"train": 4, "validation": 3})
    found = invrender.train(data, **{**QUICK, "iterations": 2, "gif_frames": 0})
    assert found.metrics["measured_on"] == "validation"
    assert found.metrics["pictures_measured"] == 3


def test_a_run_does_not_go_on_with_other_data(tmp_path: Path) -> None:
    data, run = write_balls(tmp_path / "data"), tmp_path / "run"
    backend, settings = select("cpu", needs=()), TrainSettings(data, **{**QUICK, "iterations": 4})  # type: ignore[arg-type]
    before = task.load(settings, backend).digest
    file = data / "train-0000.pictures.npy"
    pictures = np.load(file)
    np.save(file, pictures[::-1])
    assert task.load(settings, backend).digest != before
    invrender.train(data, run, **{**QUICK, "iterations": 1})
    with pytest.raises(OutputExistsError):
        invrender.train(data, run, **{**QUICK, "iterations": 1})


def test_settings_that_make_no_sense_are_refused(data: Path) -> None:
    with pytest.raises(UsageError, match="accumulate"):
        learning(data, batch=2, accumulate=3)
    with pytest.raises(UsageError, match="iterations"):
        invrender.train(data, iterations=0)
    with pytest.raises(UsageError, match="itertions"):
        invrender.train(data, itertions=5)


def test_a_training_is_on_the_backend_s_device(data: Path, tmp_path: Path) -> None:
    settings = TrainSettings(data, **{**QUICK, "iterations": 3})  # type: ignore[arg-type]
    with pretending():
        execute(method.METHOD, settings, pretended(select("cpu", needs=())), Destination(tmp_path / "run"), quiet=True)
    assert (tmp_path / "run" / "network.safetensors").exists()


def test_two_processes_learn_what_one_does(data: Path, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    invrender.train(data, alone, iterations=4, batch=4, width=4, gif_frames=0)
    options = ("--iterations", "4", "--batch", "4", "--width", "4", "--set", "gif_frames=0", "-q", "-o", str(both))
    launch = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "invrender")
    done = subprocess.run(
        [sys.executable, *launch, "train", str(data), *options],
        env=cli_environment(), capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = (dict(read_network(folder).module.named_parameters()) for folder in (alone, both))
    for name, weights in one.items():
        assert torch.allclose(weights, two[name], rtol=1e-3, atol=1e-5), name
    losses = [[float(row["l1"]) for row in read_losses(folder / "losses.csv")] for folder in (alone, both)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "both"]


def test_layers_may_compute_in_fewer_bits_and_weights_stay_float32(data: Path) -> None:
    exact, _ = learning(data, iterations=2)
    rough, _ = learning(data, iterations=2, precision="bfloat16")
    pairs = list(zip(exact, rough, strict=True))
    for one, other in pairs:
        assert one.terms["l1"] == pytest.approx(other.terms["l1"], rel=0.05)
    assert all(value.dtype == torch.float32 for value in rough.state.finished[-1].result.values())
    assert pairs[1][0].terms["l1"] != pairs[1][1].terms["l1"]


def test_nan_in_a_sample_ends_the_run_with_its_name(tmp_path: Path) -> None:
    data = write_balls(tmp_path / "data")
    meta = json.loads((data / "meta.json").read_text())
    meta["voxels"]["dtype"] = "float16"
    (data / "meta.json").write_text(json.dumps(meta))
    for file in data.glob("*.voxels.npy"):
        np.save(file, (np.load(file) / 255).astype(np.float16))
    file = data / "train-0000.voxels.npy"
    voxels = np.load(file)
    voxels[5, 0, 3, 3, 3] = np.nan
    np.save(file, voxels)
    with pytest.raises(InputError, match=r"train-0000\.voxels\.npy holds NaN or infinite values in sample 5"):
        invrender.train(data, tmp_path / "run", **{**QUICK, "iterations": 12})
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"
