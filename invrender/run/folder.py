"""The run folder: everything that one run leaves behind, and the rules that keep it from destroying anything.

A finished run is never overwritten unless asked to; an unfinished one may be resumed or replaced; a folder that
holds other things is refused; and what gets removed is only what run.json lists as written by invrender, and files
that a killed process was in the midst of writing.
"""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from invrender.errors import InvrenderError, RetryError, UsageError
from invrender.io.files.alone import alone
from invrender.io.files.atomic import append_text, atomic_write_text
from invrender.run import stop
from invrender.run.checkpoints import KEPT, checkpoint_name, checkpoints, save_checkpoint
from invrender.run.losses_csv import LossLog
from invrender.run.place import (
    CHECKPOINTS,
    CONFIG,
    LOG,
    LOSSES,
    METRICS,
    RECORD,
    check_output,
    clear,
    clear_temporaries,
    commit,
    make,
    workplace,
)
from invrender.run.record import Record, Status, amend_record, new_record, now, read_record, write_record

PASSING = (KeyboardInterrupt, SystemExit, RetryError)  # ask the run to end, and say nothing against it
SECURE = 5.0  # seconds of work that are worth a checkpoint before something that may not end well


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
        path, record, save_every: the folder, what run.json says, and seconds between checkpoints.
        replaces: the folder of a finished run in whose place this one is put when it is complete.
    """

    def __init__(self, path: Path, record: Record, save_every: float = 60.0, replaces: Path | None = None) -> None:
        self.path = path
        self._replaces = replaces
        self.record = record
        self._losses = LossLog(path / LOSSES)
        self._clock = self._written = self._saved = time.monotonic()
        self._save_every = save_every
        self._kept: tuple[int, Callable[[], Mapping[str, Any]]] | None = None
        self.saved: Callable[[int, Path], None] = lambda step, path: None  # hears of every checkpoint

    @property
    def home(self) -> Path:
        """Where the folder is in the end; another place than `path` while it waits to replace a finished run."""
        return self._replaces or self.path

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
            command, argv, config: what was called; the text of config.toml.
            overwrite, save_every: replace a finished run (only invrender's own files); seconds between checkpoints.

        Raises:
            UsageError: nothing can be written there.
            OutputExistsError: the place holds a finished run, a running one, or files of somebody else.
        """
        folder = Path(path)
        check_output(folder, overwrite)
        make(folder)
        with alone(folder):
            check_output(folder, overwrite)  # another process may have begun a run since
            place = workplace(folder)
            make(place)
            clear(place)
            run = RunFolder(place, new_record(command, tuple(argv)), save_every, folder if place != folder else None)
            run.note()
        atomic_write_text(run.file(CONFIG), config)
        return run

    @staticmethod
    def reopen(
        path: Path,
        *,
        command: str,
        argv: Sequence[str] = (),
        rows: int,
        overwrite: bool = False,
        save_every: float = 60.0,
    ) -> RunFolder:
        """Open the folder of an unfinished run to go on with it.

        Args:
            path, command, argv, overwrite, save_every: as for `create`.
            rows: of losses.csv that the state to go on from has seen.

        Raises:
            CheckpointError: losses.csv has fewer rows.
            OutputExistsError: another process has gone on with it.
        """
        with alone(path):
            check_output(path, overwrite)
            run = RunFolder._going_on(path, workplace(path), new_record(command, tuple(argv)), save_every)
            run._losses.resume(rows)
            run.note()
        return run

    @staticmethod
    def _going_on(path: Path, place: Path, new: Record, save_every: float) -> RunFolder:
        """What an unfinished run's folder holds, with a record that goes on from the one that lies there."""
        clear_temporaries(place)
        if (place / LOG).is_symlink():
            (place / LOG).unlink()
        before = read_record(place / RECORD) or {}
        record = dataclasses.replace(
            new,
            started=str(before.get("started", now())),
            timings=dict(before.get("timings", {})),
            files=tuple(before.get("files", ())),
            resumed=(*before.get("resumed", ()), now()),
        )
        return RunFolder(place, record, save_every, path if place != path else None)

    def __enter__(self) -> RunFolder:
        stop.begin()
        self._stay = stop.on_exit(lambda cause: self.note(status="interrupted", ended=now(), error=cause))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with stop.patient():
            try:
                if error is None:
                    self._finish()
                else:
                    self._fail(error)
            finally:
                self._stay()

    def _finish(self) -> None:
        """Mark the run finished, and put it in its place where it replaces another."""
        stop.settle()
        try:
            self._end("finished", None)
        except UsageError as error:
            self._fail(error)
            raise
        if self._replaces is not None:
            commit(self._replaces)

    def _fail(self, error: BaseException) -> None:
        """Log what ended the run, and save what can be saved; what goes wrong here must not hide it."""
        with suppress(OSError, InvrenderError):
            self.log("".join(traceback.format_exception(error)).rstrip())
        self._save_kept()
        status: Status = "interrupted" if isinstance(error, PASSING) else "failed"
        try:
            self._end(status, f"{type(error).__name__}: {error}".splitlines()[0])
        except (OSError, InvrenderError):
            with suppress(OSError):
                amend_record(self.path / RECORD, self.record)

    def _end(self, status: Status, error: str | None) -> None:
        seconds = round(time.monotonic() - self._clock, 3)
        self.note(lasting=True, status=status, ended=now(), seconds=seconds, error=error)

    def file(self, name: str) -> Path:
        """The path of a file in this folder; run.json lists it from now on, so that a later run may replace it.

        Raises:
            UsageError: the folder is no longer there.
        """
        self._check_there()
        if name not in self.record.files:
            self.note(files=(*self.record.files, name))
        return self.path / name

    def remove(self, *names: str) -> None:
        """Remove files of this folder, and from what run.json lists."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)
        self.note(files=tuple(kept for kept in self.record.files if kept not in names))

    def note(self, lasting: bool = False, **changes: Any) -> None:
        """Change fields of run.json (`seed=`, `backend=`, `device=`, `status=`, ...) and write it."""
        self.record = dataclasses.replace(self.record, **changes)
        self._check_there()
        self._written = time.monotonic()
        write_record(self.path / RECORD, self.record, lasting)

    def _check_there(self) -> None:
        if not self.path.is_dir():
            raise UsageError(f"the run folder {self.path} is gone", "run the same command again")

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the seconds that the block takes to `timings[phase]`; a stop request ends the run before it."""
        stop.check()
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
        append_text(self.file(LOG), f"{now()}  {text}\n")

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
        self.file(f"{CHECKPOINTS}/{checkpoint_name(step)}")
        path = save_checkpoint(self.path / CHECKPOINTS, step, arrays)
        self._kept, self._saved = None, time.monotonic()
        self.remove(*(f"{CHECKPOINTS}/{old.name}" for old in checkpoints(path.parent)[KEPT:]))
        self.saved(step, path)
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

    def secure(self) -> None:
        """Save the last state that was kept if much work depends on it: what follows may be cut short."""
        if self._kept is not None and time.monotonic() - self._saved >= SECURE:
            step, state = self._kept
            self.checkpoint(step, state())

    def _save_kept(self) -> None:
        if self._kept is None:
            return
        step, state = self._kept
        # A lost GPU, a full disk: what ended the run counts.
        try:
            said = f"the last good state is in {self.checkpoint(step, state()).name}"
        except (RuntimeError, OSError, MemoryError, InvrenderError) as error:
            said = f"the state after step {step} could not be saved: {error}"
        with suppress(OSError, InvrenderError):
            self.log(said)
