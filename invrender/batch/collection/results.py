"""What the runs of a batch left behind, read back: a row for each job, whatever state its folder is in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from invrender.batch.folder import BATCH, JOB, Entry, Standing, State, read_batch, read_job
from invrender.batch.place import waiting
from invrender.batch.table import last_step
from invrender.errors import InputError, InvrenderError
from invrender.io.files.paths import entries, is_file
from invrender.report.measures import Cell, flat, is_number
from invrender.run.place import CONFIG, METRICS, RECORD, settle
from invrender.run.record import read_record, state
from invrender.run.resolve import parse_toml
from invrender.run.values import NONE

STATES = get_args(State)


@dataclass(frozen=True)
class Row:
    """A job, how it stands, and what its run left.

    Attributes:
        name: of the job.
        folder: of its run.
        standing: how it stands; for a run without a job, as far as run.json tells.
        given: the settings of the job; none where there is no job.
        config: all settings, from the run's config.toml.
        metrics: see `measures.flat`.
        record: run.json; empty where it cannot be read.
        troubles: files that should be there and cannot be read, in words.
        step: how far a run is that is at work, such as `refine 82/150`.
    """

    name: str
    folder: Path
    standing: Standing
    given: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Cell] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    step: str = ""

    @property
    def warnings(self) -> list[str]:
        """What the run found that looks wrong."""
        told = self.record.get("warnings")
        return [str(each) for each in told] if isinstance(told, list) else []

    def setting(self, name: str) -> Any:
        """A setting as the job gives it, else as the run resolved it; None: there is no such value."""
        value = self.given.get(name, self.config.get(name))
        return None if value == NONE else value


@dataclass(frozen=True)
class Results:
    """All rows of a folder, in the order of the jobs; `source` is the file of jobs, or nothing."""

    folder: Path
    rows: tuple[Row, ...]
    source: str = ""


def read_results(folder: Path) -> Results:
    """The results of a batch, or of any folder in whose folders runs lie.

    Raises:
        InputError: it holds neither, or batch.json is damaged.
    """
    if (folder / BATCH).exists():
        batch = read_batch(folder)
        return Results(folder, tuple(map(_of_job, batch.entries())), batch.source)
    names = [name for name in entries(folder) if not name.startswith(".")]
    rows = [row for name in names if (row := _of_folder(folder / name)) is not None]
    if rows:
        return Results(folder, tuple(rows))
    if (folder / RECORD).exists():
        raise InputError(
            f"{folder} holds one run, not several",
            f"name the folder above it, {folder.absolute().parent}; `invrender inspect` shows one run",
        )
    read_batch(folder)  # says what is missing
    raise InputError(f"{folder} holds no runs", "name the folder that `invrender batch JOBS -o DIR` wrote")


def _of_folder(folder: Path) -> Row | None:
    """The row of a folder that a job or a run lies in; None: neither does."""
    if (entry := read_job(folder)) is not None:
        return _of_job(entry)
    if not (is_file(folder / RECORD) or is_file(folder / JOB)):
        return None
    row = _read(Row(folder.name, folder, Standing()), expected=True)
    if row.record:
        return replace(row, standing=_standing(row.record))
    return replace(row, standing=Standing("failed", cause=row.troubles[0] if row.troubles else "run.json is damaged"))


def _of_job(entry: Entry) -> Row:
    standing = waiting(replace(entry, standing=_sound(entry.standing)))  # whoever was killed could not say so
    row = _read(Row(entry.job.name, entry.folder, standing, _flat(entry.job.settings)), standing.state == "done")
    if standing.state == "running" and (at := last_step(entry.folder)):
        row = replace(row, step=f"{at.get('phase', '')} {at.get('step', '?')}/{at.get('total', '?')}".strip())
    told = read_job(entry.folder) if is_file(entry.folder / JOB) else entry
    if told is None or told.standing != _sound(told.standing):
        row = replace(row, troubles=(_trouble(entry.folder / JOB), *row.troubles))
    error = row.record.get("error")
    if entry.standing.state == "failed" and not entry.standing.cause and error:
        row = replace(row, standing=replace(entry.standing, cause=str(error)))
    return row


def _sound(standing: Standing) -> Standing:
    """What a job.json says as far as it can be meant: fields of another type are as if they were not there."""
    fine: dict[str, Any] = {}
    for each in fields(Standing):
        value, usual = getattr(standing, each.name), each.default
        number = is_number(value) and (isinstance(value, int) or isinstance(usual, float))
        if (isinstance(value, str) and isinstance(usual, str)) or (number and not isinstance(usual, str)):
            fine[each.name] = value
    if fine.get("state") not in STATES:
        return Standing(cause="job.json is damaged")
    return Standing(**fine)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": inner for key, inner in _flat(value).items()}
        else:
            found[str(name)] = _number(value) if isinstance(value, str) and name != "input" else value
    return found


def _number(text: str) -> int | float | str:
    """What a cell of a .csv with jobs stands for: all of them are texts."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _standing(record: Mapping[str, Any]) -> Standing:
    """How a run stands that belongs to no job: by its run.json alone."""
    words, error = state(record), record.get("error")
    seconds: Any = record.get("seconds")
    if record["resumed"] or not is_number(seconds):
        seconds = round(sum(filter(is_number, record["timings"].values())), 3)
    begun = Standing(
        attempts=1 + len(record["resumed"]), host=str(record.get("host") or ""), seconds=float(seconds),
        started=str(record.get("started") or ""), ended=str(record.get("ended") or ""), cause=str(error or ""),
    )  # fmt: skip
    if words == "finished":
        return replace(begun, state="done", exit_code=0)
    if words == "failed":
        return replace(begun, state="failed", remedy="log.txt in its folder says more")
    if words.startswith("running"):
        return replace(begun, state="running")
    return replace(begun, cause=str(error or words))  # stopped: to go on


def _read(row: Row, expected: bool) -> Row:
    """The row with what its run's files say; `expected`: what is missing is worth a word."""
    with suppress(InvrenderError, OSError):  # a folder that is closed to us is read as it is
        settle(row.folder)
    troubles: list[str] = []
    record = read_record(row.folder / RECORD)
    if record is None and (expected or (row.folder / RECORD).exists()):
        troubles.append(_trouble(row.folder / RECORD))
    config = _table(row.folder / CONFIG, parse_toml, expected, troubles)
    metrics = _table(
        row.folder / METRICS, json.loads, (record or {}).get("status") == "finished" and expected, troubles
    )
    return replace(row, record=record or {}, config=config, metrics=flat(metrics), troubles=tuple(troubles))


def _table(path: Path, parse: Any, expected: bool, troubles: list[str]) -> dict[str, Any]:
    """A file's table; empty where it is missing or damaged, which is noted if it was expected."""
    try:
        table = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        table = None if expected else {}
    except (OSError, ValueError, RecursionError):
        table = None
    if isinstance(table, dict):
        return table
    troubles.append(_trouble(path))
    return {}


def _trouble(path: Path) -> str:
    return f"{path.name} is damaged" if path.exists() else f"{path.name} is missing"
