"""The run folder: everything that one run leaves behind, and the rules that keep it from destroying anything.

A finished run is never overwritten unless asked to; an unfinished one may be resumed or replaced; a folder that
holds other things is refused; and what gets removed is only what run.json lists as written by invrender, and files
that a killed process was in the midst of writing.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from invrender.errors import OutputExistsError, RetryError, UsageError
from invrender.io.files.atomic import atomic_write_text, remove_temporaries
from invrender.io.files.paths import listing
from invrender.run.checkpoints import KEPT, checkpoint_name, checkpoints, save_checkpoint
from invrender.run.losses_csv import LossLog
from invrender.run.record import Record, Status, is_alive, new_record, now, read_record, write_record

RECORD = "run.json"
CONFIG = "config.toml"
METRICS = "metrics.json"
LOSSES = "losses.csv"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"


class RunFolder:
    """One run's folder, open for writing. As a context manager it records how the run ended.

        with RunFolder.create(path, command="reconstruct", argv=sys.argv[1:], config=to_toml(settings)) as run:
            with run.timed("hull"):
                ...
            write_ply(run.file("mesh.ply"), mesh)

    Leaving the block normally marks the run finished; Ctrl-C and a stop by the system mark it interrupted, any other
    exception failed, and its traceback goes to log.txt. Either way the last state that was `kept` becomes a checkpoint.
    A process that is killed leaves the status running.

    Args:
        path, record: the folder, and what run.json says.
        save_every: seconds between checkpoints.
    """

    def __init__(self, path: Path, record: Record, save_every: float = 60.0) -> None:
        self.path = path
        self.record = record
        self._losses = LossLog(path / LOSSES)
        self._clock = self._written = self._saved = time.monotonic()
        self._save_every = save_every
        self._kept: tuple[int, Callable[[], Mapping[str, Any]]] | None = None

    @staticmethod
    def create(
        path: Path | str,
        *,
        command: str,
        argv: Sequence[str] = (),
        config: str = "",
        overwrite: bool = False,
        save_every: float = 60.0,
    ) -> RunFolder:
        """Check the place, clear what an earlier run left there, and write config.toml and run.json.

        Args:
            path: the folder; made if it is not there, parents included.
            command, argv: what was called.
            config: the text of config.toml.
            overwrite: replace a finished run (only the files that invrender wrote).
            save_every: seconds between checkpoints.

        Raises:
            UsageError: nothing can be written there.
            OutputExistsError: the place holds a finished run, a running one, or files of somebody else.
        """
        folder = Path(path)
        check_output(folder, overwrite)
        _make(folder)
        _clear(folder)
        run = RunFolder(folder, new_record(command, tuple(argv)), save_every)
        run.note()
        atomic_write_text(run.file(CONFIG), config)
        return run

    @staticmethod
    def reopen(path: Path, *, command: str, argv: Sequence[str] = (), rows: int, save_every: float = 60.0) -> RunFolder:
        """Open the folder of an unfinished run to go on with it.

        Args:
            path: the folder.
            command, argv: what was called.
            rows: of losses.csv that the state to go on from has seen.
            save_every: seconds between checkpoints.

        Raises:
            CheckpointError: losses.csv has fewer rows.
        """
        _remove_temporaries(path)
        before = read_record(path / RECORD) or {}
        record = dataclasses.replace(
            new_record(command, tuple(argv)),
            started=before.get("started", now()),
            timings=dict(before.get("timings", {})),
            files=tuple(before.get("files", ())),
            resumed=(*before.get("resumed", ()), now()),
        )
        run = RunFolder(path, record, save_every)
        run._losses.resume(rows)
        run.note()
        return run

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.log("".join(traceback.format_exception(kind, error, trace)).rstrip())
            self._save_kept()
        self.note(
            status=_status(error),
            ended=now(),
            seconds=round(time.monotonic() - self._clock, 3),
            error=None if error is None else f"{type(error).__name__}: {error}".splitlines()[0],
        )

    def file(self, name: str) -> Path:
        """The path of a file in this folder; run.json lists it from now on, so that a later run may replace it."""
        if name not in self.record.files:
            self.note(files=(*self.record.files, name))
        return self.path / name

    def note(self, **changes: Any) -> None:
        """Change fields of run.json (`seed=`, `backend=`, `device=`, `status=`, ...) and write it."""
        self.record = dataclasses.replace(self.record, **changes)
        self._written = time.monotonic()
        write_record(self.path / RECORD, self.record)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the seconds that the block takes to `timings[phase]`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add_time(phase, time.perf_counter() - start)

    def add_time(self, phase: str, seconds: float) -> None:
        """Add seconds to `timings[phase]`; run.json follows at most once a second."""
        spent = self.record.timings.get(phase, 0.0) + seconds
        self.record = dataclasses.replace(self.record, timings={**self.record.timings, phase: round(spent, 6)})
        if time.monotonic() - self._written > 1:
            self.note()

    def log(self, text: str) -> None:
        """Append a line with the time to log.txt."""
        with self.file(LOG).open("a", encoding="utf-8") as file:
            file.write(f"{now()}  {text}\n")

    def losses(self, step: int, terms: Mapping[str, float | str]) -> None:
        """Append the row of a step to losses.csv."""
        self.file(LOSSES)
        self._losses.append(step, terms)

    def metrics(self, values: Mapping[str, Any]) -> None:
        """Write metrics.json (values that JSON knows; NaN is refused: it would be no measurement)."""
        atomic_write_text(self.file(METRICS), json.dumps(values, indent=2, allow_nan=False) + "\n")

    @property
    def loss_rows(self) -> int:
        """Rows of losses.csv."""
        return self._losses.rows

    def checkpoint(self, step: int, arrays: Mapping[str, Any]) -> Path:
        """Save named arrays in checkpoints/, remove all but the last two, and return the file's path."""
        folder = self.path / CHECKPOINTS
        self.file(f"{CHECKPOINTS}/{checkpoint_name(step)}")
        path = save_checkpoint(folder, step, arrays)
        self._kept, self._saved = None, time.monotonic()
        spent = checkpoints(folder)[KEPT:]
        for old in spent:
            old.unlink(missing_ok=True)
        gone = {f"{CHECKPOINTS}/{old.name}" for old in spent}
        self.note(files=tuple(name for name in self.record.files if name not in gone))
        return path

    def keep(self, step: int, state: Callable[[], Mapping[str, Any]]) -> None:
        """Hold on to the state after a step: if the run ends early, it is saved as a checkpoint.

        It is saved at once when the last checkpoint is `save_every` seconds old.

        Args:
            state: gives the arrays when asked.
        """
        self._kept = (step, state)
        if time.monotonic() - self._saved >= self._save_every:
            with self.timed("checkpoints"):
                self.checkpoint(step, state())

    def _save_kept(self) -> None:
        if self._kept is None:
            return
        step, state = self._kept
        try:
            self.log(f"the last good state is in {self.checkpoint(step, state()).name}")
        except (RuntimeError, OSError, MemoryError) as error:  # a lost GPU, a full disk: what ended the run counts
            self.log(f"the state after step {step} could not be saved: {error}")


def check_output(folder: Path, overwrite: bool = False) -> None:
    """Refuse a folder in which a run may not be written; nothing is created or removed.

    Raises:
        UsageError: the path, or one above it, is a file.
        OutputExistsError: it holds a finished or running run, or files that invrender did not write.
    """
    if not folder.is_dir():
        _check_parents(folder)
        return
    record = read_record(folder / RECORD)
    if record is None:
        if others := [item.name for item in sorted(folder.iterdir()) if not item.name.startswith(".")]:
            raise OutputExistsError(
                f"{folder} is no run folder and holds {listing(others, 2)}",
                f"choose a new folder, such as -o {folder / 'run'}",
            )
    elif overwrite:
        return
    elif is_alive(record):
        raise OutputExistsError(
            f"process {record['pid']} is writing a run into {folder}",
            "wait for it or choose another folder with -o (--overwrite if that process is something else)",
        )
    elif record["status"] == "finished":
        raise OutputExistsError(
            f"{folder} holds a finished run", "pass --overwrite to replace it, or choose another folder with -o"
        )


def _check_parents(folder: Path) -> None:
    for path in (folder, *folder.parents):
        if path.is_dir():
            return
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is a file, not a folder", "choose another output folder with -o")


def _make(folder: Path) -> None:
    """Create the folder and prove that files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", "choose an output folder that you can write to with -o"
        ) from error


def _remove_temporaries(folder: Path) -> None:
    for path in (folder, folder / CHECKPOINTS):
        if path.is_dir():
            remove_temporaries(path)


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote, run.json last so that an interruption leaves a run folder behind."""
    _remove_temporaries(folder)
    record = read_record(folder / RECORD)
    if record is None:
        return
    names = [name for name in record.get("files", []) if isinstance(name, str)]
    for name in [*names, RECORD]:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
    saved = folder / CHECKPOINTS
    if saved.is_dir() and not any(saved.iterdir()):
        saved.rmdir()


def _status(error: BaseException | None) -> Status:
    if error is None:
        return "finished"
    return "interrupted" if isinstance(error, KeyboardInterrupt | RetryError) else "failed"
