"""The run folder: what it records, and what it refuses to touch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invrender.errors import CheckpointError, OutputExistsError, RetryError, UsageError
from invrender.run.checkpoints import latest_sound_checkpoint, load_checkpoint
from invrender.run.folder import RunFolder
from invrender.run.losses_csv import read_losses
from invrender.run.place import check_output
from invrender.run.record import read_record


def record(folder: Path) -> dict[str, Any]:
    found = read_record(folder / "run.json")
    assert found is not None
    return found


def finished(folder: Path) -> Path:
    with RunFolder.create(folder, command="test", config="size = 1\n") as run:
        run.file("mesh.ply").write_text("ply")
    return folder


def test_a_run_records_what_ran_and_how_it_ended(tmp_path: Path) -> None:
    with RunFolder.create(
        tmp_path / "a" / "b", command="reconstruct", argv=["x", "-o", "b"], config="size = 1\n"
    ) as run:
        assert record(run.path)["status"] == "running"
        run.note(seed=3, backend="torch", device="cpu")
        with run.timed("hull"):
            run.log("carved")
        run.metrics({"iou": 0.5})
    found = record(run.path)
    assert found["status"] == "finished"
    assert (found["command"], found["argv"], found["seed"]) == ("reconstruct", ["x", "-o", "b"], 3)
    assert found["timings"]["hull"] >= 0
    assert found["ended"] >= found["started"]
    assert found["versions"]["torch"]
    assert set(found["files"]) == {"config.toml", "log.txt", "metrics.json"}
    assert {path.name for path in run.path.iterdir()} == {*found["files"], "run.json"}
    assert json.loads((run.path / "metrics.json").read_text()) == {"iou": 0.5}
    assert "carved" in (run.path / "log.txt").read_text()


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RetryError("gone"), "interrupted"), (ValueError("odd"), "failed")],
)
def test_an_exception_is_recorded_and_its_traceback_logged(tmp_path: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), RunFolder.create(tmp_path, command="test") as run:
        run.file("mesh.ply").write_text("half")
        raise error
    found = record(tmp_path)
    assert found["status"] == status
    assert found["error"].startswith(type(error).__name__)
    assert "Traceback" in (tmp_path / "log.txt").read_text()


def test_a_run_that_ends_early_saves_the_last_state_it_kept(tmp_path: Path) -> None:
    for folder, saved in (("early", [1, 3]), ("late", [3])):
        with suppress(RetryError), RunFolder.create(tmp_path / folder, command="test") as run:
            if folder == "early":
                run.keep(1, lambda: {"a": np.zeros(2)})
                run.checkpoint(1, {"a": np.zeros(2)})
            for step in (2, 3):
                run.keep(step, partial(dict, a=np.full(2, step)))
            raise RetryError("the GPU was lost")
        found = sorted((tmp_path / folder / "checkpoints").iterdir())
        assert [load_checkpoint(path)[0] for path in found] == saved
        assert load_checkpoint(found[-1])[1]["a"].tolist() == [3, 3]
        assert found[-1].name in (tmp_path / folder / "log.txt").read_text()
        assert {f"checkpoints/{path.name}" for path in found} <= set(record(tmp_path / folder)["files"])


def test_states_are_saved_when_it_is_time_and_the_last_two_stay(tmp_path: Path) -> None:
    for seconds, saved in ((0, [9, 10]), (1000, [])):
        with RunFolder.create(tmp_path / str(seconds), command="test", save_every=seconds) as run:
            for step in range(1, 11):
                run.keep(step, partial(dict, a=np.full(2, step)))
        states = [load_checkpoint(path) for path in sorted((run.path).glob("checkpoints/*"))]
        assert [(step, arrays["a"][0]) for step, arrays in states] == [(step, step) for step in saved]
        listed = [name for name in run.record.files if name.startswith("checkpoints")]
        assert listed == [f"checkpoints/step_{step:06d}.npz" for step in saved]


def test_a_run_that_is_gone_on_with_keeps_its_files_and_forgets_later_losses(tmp_path: Path) -> None:
    with pytest.raises(RetryError), RunFolder.create(tmp_path, command="test", config="size = 1\n") as run:
        for step in range(4):
            run.losses(step, {"loss": 1.0 / (step + 1), "iou": 0.5})
        with run.timed("solve"):
            pass
        raise RetryError("stopped")
    with pytest.raises(CheckpointError, match="lacks rows"):
        RunFolder.reopen(tmp_path, command="test", rows=9)
    (tmp_path / ".mesh.0123abcd.tmp.ply").write_text("half")
    with RunFolder.reopen(tmp_path, command="test", rows=2) as again:
        again.losses(2, {"loss": 7.0, "iou": 0.75})
    assert [row["loss"] for row in read_losses(tmp_path / "losses.csv")] == ["1", "0.5", "7"]
    found = record(tmp_path)
    assert (found["status"], len(found["resumed"])) == ("finished", 1)
    assert {"config.toml", "losses.csv"} <= set(found["files"])
    assert "solve" in found["timings"]
    assert not (tmp_path / ".mesh.0123abcd.tmp.ply").exists()
    with pytest.raises(OutputExistsError, match="finished"):  # another process has carried it through
        RunFolder.reopen(tmp_path, command="test", rows=3)


def test_a_state_that_cannot_be_saved_does_not_hide_what_ended_the_run(tmp_path: Path) -> None:
    def lost() -> dict[str, Any]:
        raise RuntimeError("CUDA error: device lost")

    with pytest.raises(RetryError), RunFolder.create(tmp_path, command="test") as run:
        run.keep(7, lost)
        raise RetryError("the GPU was lost")
    assert record(tmp_path)["status"] == "interrupted"
    assert "step 7 could not be saved: CUDA error" in (tmp_path / "log.txt").read_text()


def test_an_unfinished_run_is_cleared_and_reused(tmp_path: Path) -> None:
    with pytest.raises(ValueError), RunFolder.create(tmp_path, command="test") as run:
        run.losses(0, {"loss": 1.0})
        run.checkpoint(1, {"a": np.zeros(1)})
        raise ValueError
    RunFolder.create(tmp_path, command="test")
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", "config.toml"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_things_is_refused(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"thesis\.tex"):
        RunFolder.create(tmp_path, command="test", overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_folder_or_one_with_hidden_files_is_welcome(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    check_output(tmp_path)


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_a_file_in_the_way_is_named(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file, not a folder"):
        RunFolder.create(tmp_path / "file" / inside, command="test")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = Path("/proc/nowhere") if Path("/proc/self").exists() else tmp_path / "locked" / "run"
    if "locked" in place.parts:
        place.parent.mkdir(mode=0o500)
    with pytest.raises(UsageError, match="cannot write"):
        RunFolder.create(place, command="test")


def test_a_name_that_no_disk_takes_is_no_bad_input(tmp_path: Path) -> None:
    for folder in (tmp_path / ("x" * 300), tmp_path / "/".join(["y" * 200] * 30)):
        with pytest.raises(UsageError, match="File name too long"):
            check_output(folder)


def test_a_place_that_is_closed_is_named_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(os, "access", lambda path, _: bool(asked.append(path)))  # root may write everywhere
    for folder in (tmp_path, tmp_path / "new" / "run"):
        with pytest.raises(UsageError, match="cannot write to"):
            check_output(folder)
    assert asked == [tmp_path, tmp_path]


def test_a_run_that_another_process_writes_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from invrender.run.folder import RunFolder; RunFolder.create(sys.argv[1], command='other');"
        "print('ready', flush=True); sys.stdin.read()"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(OutputExistsError, match=str(other.pid)):
            check_output(tmp_path / "run")
        other.communicate()
    check_output(tmp_path / "run")  # it ended without a word: the folder is free again


def test_losses_grow_by_rows_and_by_columns(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, command="test")
    run.losses(0, {"phase": "hull", "loss": 0.25})
    run.losses(1, {"phase": "refine", "loss": 0.125, "iou": 0.9})
    run.losses(2, {"iou": 1.0})
    assert (tmp_path / "losses.csv").read_text() == ("step,phase,loss,iou\n0,hull,0.25,\n1,refine,0.125,0.9\n2,,,1\n")
    assert read_losses(tmp_path / "losses.csv")[1]["iou"] == "0.9"


def test_checkpoints_round_trip_and_damaged_ones_are_left_out(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, command="test")
    for step in (9, 10):
        path = run.checkpoint(step, {"vertices": np.full((2, 3), step, np.float32)})
    notices: list[str] = []
    found = latest_sound_checkpoint(tmp_path / "checkpoints", notices.append)
    assert found is not None
    step, arrays = found
    assert (step, notices) == (10, [])
    assert arrays["vertices"].dtype == np.float32
    assert (arrays["vertices"] == 10).all()
    sound = path.read_bytes()
    place = sound.index(np.float32(10).tobytes() * 3)
    for damaged in (sound[:50], sound[:place] + b"\1" + sound[place + 1 :], b""):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(path)
        found = latest_sound_checkpoint(tmp_path / "checkpoints", notices.append)
        assert found is not None
        assert found[0] == 9
        assert "step_000010.npz is damaged" in notices.pop()
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_checkpoint(tmp_path / "step_000001.npz")
    np.savez(tmp_path / "other.npz", a=1)
    with pytest.raises(CheckpointError, match="no checkpoint of invrender"):
        load_checkpoint(tmp_path / "other.npz")
