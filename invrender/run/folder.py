"""The run folder: everything that one run leaves behind, and the rules that keep it from destroying anything.

A finished run is never overwritten unless asked to; an unfinished one may be reused; a folder that holds other things
is refused; and what gets removed is only what run.json lists as written by invrender.
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
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import listing
from invrender.run.checkpoints import save_checkpoint
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
    """

    def __init__(self, path: Path, record: Record) -> None:
        self.path = path
        self.record = record
        self._losses = LossLog(path / LOSSES)
        self._clock = self._written = time.monotonic()
        self._kept: tuple[int, Callable[[], Mapping[str, Any]]] | None = None

    @staticmethod
    def create(
        path: Path | str, *, command: str, argv: Sequence[str] = (), config: str = "", overwrite: bool = False
    ) -> RunFolder:
        """Check the place, clear what an earlier run left there, and write config.toml and run.json.

        Args:
            path: the folder; made if it is not there, parents included.
            command, argv: what was called.
            config: the text of config.toml.
            overwrite: replace a finished run (only the files that invrender wrote).

        Raises:
            UsageError: nothing can be written there.
            OutputExistsError: the place holds a finished run, a running one, or files of somebody else.
        """
        folder = Path(path)
        check_output(folder, overwrite)
        _make(folder)
        _clear(folder)
        run = RunFolder(folder, new_record(command, tuple(argv)))
        run.note()
        atomic_write_text(run.file(CONFIG), config)
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
        """Add the seconds that the block takes to `timings[phase]`; run.json follows at most once a second."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = self.record.timings.get(phase, 0.0) + time.perf_counter() - start
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

    def checkpoint(self, step: int, arrays: Mapping[str, Any]) -> Path:
        """Save named arrays in checkpoints/ and return the file's path."""
        path = save_checkpoint(self.path / CHECKPOINTS, step, arrays)
        self._kept = None
        return self.file(str(path.relative_to(self.path)))

    def keep(self, step: int, total: int, state: Callable[[], Mapping[str, Any]]) -> None:
        """Hold on to the state after a step out of `total`: if the run ends early, it is saved as a checkpoint.

        So is the state after each quarter of the way.

        Args:
            state: gives the arrays when asked. They had better lie in main memory: a GPU may be what is lost.
        """
        self._kept = (step, state)
        if 4 * step // total > 4 * (step - 1) // total and step < total:
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
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if place.exists() or place.is_symlink():
            raise UsageError(f"{place} is a file, not a folder", "choose another output folder with -o")


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


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote, run.json last so that an interruption leaves a run folder behind."""
    record = read_record(folder / RECORD)
    if record is None:
        return
    names = [name for name in record.get("files", []) if isinstance(name, str)]
    for name in [*names, RECORD]:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
    checkpoints = folder / CHECKPOINTS
    if checkpoints.is_dir() and not any(checkpoints.iterdir()):
        checkpoints.rmdir()


def _status(error: BaseException | None) -> Status:
    if error is None:
        return "finished"
    return "interrupted" if isinstance(error, KeyboardInterrupt | RetryError) else "failed"
