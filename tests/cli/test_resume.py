"""A run that is stopped, by whatever, and called again ends with the same bytes as one that was left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.io.volumes.write import write_volume
from invrender.methods.volume_colour.schedule import Misfit
from invrender.nouns import Mesh
from invrender.run.progress import Progress
from invrender.samples import SAMPLES, VOLUMES
from tests.conftest import cli_environment

RESULTS = ("mesh.ply", "mesh.glb", "volume.npz", "volume.vti", "transfer.json", "metrics.json", "losses.csv",
           "config.toml", "progress.gif", "turntable.gif")  # fmt: skip
SMALL = ("--views", "8", "--size", "16", "--set", "gif_frames=3", "--backend", "cpu")
JOBS = {
    "silhouette": ("ball.ply", "--views", "5", "--size", "24", "--iterations", "24", "--set", "gif_frames=2"),
    "stages": ("ball.ply", "--views", "4", "--size", "24", "--iterations", "12", "--set", "gif_frames=2"),
    "fista": ("cloud.npz", *SMALL, "--iterations", "30"),
    "noisy": ("cloud.npz", *SMALL, "--iterations", "30", "--noise", "poisson:500"),
    "cgls": ("cloud.npz", *SMALL, "--iterations", "12", "--solver", "cgls"),
    "neural": ("cloud.npz", *SMALL, "--iterations", "12", "--field", "neural"),
    "colour": ("cloud.npz", *SMALL, "--method", "volume", "--iterations", "12"),
    "transfer": ("cloud.npz", *SMALL, "--method", "volume", "--iterations", "12", "--known", "cloud.npz"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """tmp_path as the working folder, with a small ball and a small cloud in it."""
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", Mesh(SAMPLES["sphere"]().vertices, SAMPLES["sphere"]().faces))
    write_volume(tmp_path / "cloud.npz", VOLUMES["cloud"](12))
    return tmp_path


def reconstruct(job: str, folder: str, *more: str) -> int:
    return run(["reconstruct", *JOBS[job], "-o", folder, "-q", *more])


def stopped_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> Callable[[], None]:
    """Press Ctrl-C after so many steps; the function that is returned takes the finger off."""
    taken = []
    whole = Progress.step

    def step(self: Progress, *given: object, **named: object) -> None:
        taken.append(None)
        if len(taken) == steps:
            raise KeyboardInterrupt
        whole(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Progress, "step", step)
    return lambda: monkeypatch.setattr(Progress, "step", whole)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS if (folder / name).exists()}


@pytest.mark.parametrize("job", JOBS)
def test_a_stopped_run_goes_on_to_the_same_bytes(here: Path, monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    assert reconstruct(job, "whole") == 0
    for steps in (7, 4):  # the second stop comes after the first has been gone on from
        go_on = stopped_after(monkeypatch, steps)
        assert reconstruct(job, "parts") == 130
        go_on()
    if job == "silhouette":
        assert not (here / "parts" / "losses.csv").exists()  # it was stopped in trials, which leave no losses
    assert reconstruct(job, "parts") == 0
    assert contents(here / "parts") == contents(here / "whole")
    record = json.loads((here / "parts" / "run.json").read_text())
    assert (record["status"], len(record["resumed"])) == ("finished", 2)


@pytest.fixture
def stopped(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run with two checkpoints, stopped after 6 steps."""
    go_on = stopped_after(monkeypatch, 7)
    assert reconstruct("cgls", "out", "--save-every", "0") == 130
    go_on()
    return here / "out"


def test_other_settings_are_refused_and_named(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct("cgls", "out", "--seed", "3", "--iterations", "9") == 7
    shown = capsys.readouterr().err
    assert "seed 0 -> 3" in shown
    assert "iterations 12 -> 9" in shown
    assert "--fresh" in shown
    assert reconstruct("cgls", "out", "--save-every", "5") == 0  # how often it saves changes nothing


def test_another_input_under_the_same_name_is_refused(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_volume(stopped.parent / "cloud.npz", VOLUMES["double-sphere"](12))
    assert reconstruct("cgls", "out") == 7
    assert "the input's content" in capsys.readouterr().err


def test_fresh_starts_over(stopped: Path) -> None:
    assert reconstruct("cgls", "out", "--fresh") == 0
    record = json.loads((stopped / "run.json").read_text())
    assert record["resumed"] == []


def test_a_damaged_checkpoint_is_left_out_with_a_notice(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct("cgls", "whole") == 0
    last = max((stopped / "checkpoints").iterdir())
    last.write_bytes(last.read_bytes()[:-200])
    capsys.readouterr()
    assert run(["reconstruct", *JOBS["cgls"], "-o", "out"]) == 0
    shown = capsys.readouterr().err
    assert f"{last.name} is damaged" in shown
    assert "going on after step 5" in shown
    whole, parts = contents(stopped.parent / "whole"), contents(stopped)
    assert whole.pop("config.toml") != parts.pop("config.toml")  # how often it saves
    assert whole == parts


def test_without_any_sound_checkpoint_it_starts_over(stopped: Path) -> None:
    for path in (stopped / "checkpoints").iterdir():
        path.write_bytes(b"")
    assert reconstruct("cgls", "out") == 0
    assert json.loads((stopped / "run.json").read_text())["resumed"] == []


def test_what_a_killed_writer_left_is_removed(stopped: Path) -> None:
    for name in (".volume.0a1b2c3d.tmp.npz", "checkpoints/.step_000009.0a1b2c3d.tmp.npz"):
        (stopped / name).write_bytes(b"half")
    (stopped / ".mine.tmp").write_text("not ours")
    assert reconstruct("cgls", "out") == 0
    assert [path.name for path in stopped.rglob("*.tmp*")] == [".mine.tmp"]


PAUSING = """
import sys
from invrender.cli.app import main
from invrender.run import folder

save = folder.save_checkpoint

def save_and_wait(*given):
    path = save(*given)
    print("saved", flush=True)
    sys.stdin.readline()
    return path

folder.save_checkpoint = save_and_wait
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGKILL"])
def test_signals(here: Path, name: str) -> None:
    """SIGTERM and SIGUSR1 save first and ask for another try; SIGKILL cannot, and loses what came after a save."""
    job = ("reconstruct", *JOBS["colour"], "-o", "out", "-q", "--save-every", "0", "--iterations", "60")
    with subprocess.Popen(
        [sys.executable, "-c", PAUSING, *job], cwd=here, env=cli_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "saved\n"
            print(file=process.stdin, flush=True)
        assert process.stdout.readline() == "saved\n"
        process.send_signal(getattr(signal, name))
        _, shown = process.communicate(timeout=300)
    if name != "SIGKILL":
        assert process.returncode == 75
        assert name in shown
        assert json.loads((here / "out" / "run.json").read_text())["status"] == "interrupted"
    shutil.copytree(here / "out", here / "copy")
    assert run([*job[:-4], *job[-2:], "--fresh"]) == 0
    assert run(["copy" if word == "out" else word for word in [*job[:-4], *job[-2:]]]) == 0
    whole, copy = contents(here / "out"), contents(here / "copy")
    assert whole.pop("config.toml") != copy.pop("config.toml")  # how often it saves
    assert whole == copy
    assert len(json.loads((here / "copy" / "run.json").read_text())["resumed"]) == 1


def test_another_backend_or_version_is_refused(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where `auto` means something else than before, say, as a GPU has come or gone."""
    record = json.loads((stopped / "run.json").read_text())
    (stopped / "run.json").write_text(json.dumps({**record, "backend": "cuda", "invrender": "0.0.9"}))
    assert reconstruct("cgls", "out") == 7
    shown = capsys.readouterr().err
    assert "backend in use cuda -> cpu" in shown
    assert "version 0.0.9 -> " in shown


def test_a_diverged_run_ends_with_its_last_good_state(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconstruct("colour", "whole") == 0
    calls = []

    def broken(self: Misfit, params: object, random: object) -> object:
        calls.append(None)
        terms, gradient = sound(self, params, random)  # type: ignore[arg-type]
        return ({**terms, "loss": float("nan")} if len(calls) > 5 else terms), gradient

    sound = Misfit.value_and_grad
    monkeypatch.setattr(Misfit, "value_and_grad", broken)
    assert reconstruct("colour", "out") == 8
    shown = capsys.readouterr().err
    assert "the loss was nan at step 5 although the step length was halved 5 times" in shown
    assert "--set rate=" in shown
    (state,) = (here / "out" / "checkpoints").iterdir()
    assert state.name == "step_000005.npz"
    assert json.loads((here / "out" / "run.json").read_text())["status"] == "failed"
    monkeypatch.setattr(Misfit, "value_and_grad", sound)
    assert reconstruct("colour", "out") == 0
    assert contents(here / "out") == contents(here / "whole")


def test_a_replacement_that_was_stopped_goes_on_and_keeps_the_old_run_meanwhile(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconstruct("cgls", "out") == 0
    assert reconstruct("cgls", "whole", "--seed", "3") == 0
    old = contents(here / "out")
    go_on = stopped_after(monkeypatch, 7)
    assert reconstruct("cgls", "out", "--seed", "3", "--overwrite") == 130
    go_on()
    assert contents(here / "out") == old
    assert reconstruct("cgls", "out", "--seed", "3") == 6
    assert "unfinished run that is to replace it" in capsys.readouterr().err
    assert reconstruct("cgls", "out", "--seed", "3", "--overwrite") == 0
    assert len(json.loads((here / "out" / "run.json").read_text())["resumed"]) == 1
    assert contents(here / "out") == contents(here / "whole")
    assert not list((here / "out").glob(".*"))


def test_overwriting_an_unfinished_run_of_other_settings_starts_over(stopped: Path) -> None:
    assert reconstruct("cgls", "out", "--seed", "3", "--overwrite") == 0
    assert json.loads((stopped / "run.json").read_text())["resumed"] == []
