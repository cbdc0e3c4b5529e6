"""Files of jobs: one JSON object a line (.jsonl), a table (.csv), or TOML with lists of jobs and a matrix.

A job is a table of settings by name, `input` among them, and besides

    name      unless given, the input's, and where that does not tell jobs apart the settings that do
    command   reconstruct (the default) or train
    fail_if   gates on its metrics, such as "iou<.95": a text or a list

A .csv has the names in its first line; an empty cell leaves a setting to its default. A .toml has any of

    [defaults]          # settings of all jobs
    preset = "draft"
    [matrix]            # every combination of values is a job; inputs may be patterns such as "meshes/*.glb"
    input = ["mug.glb", "torus.glb"]
    views = [6, 12]
    [[jobs]]            # single ones
    input = "knot.glb"

Paths are relative to the file of jobs.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from invrender.batch.jobs import Command, Job, differing
from invrender.errors import InputError, UsageError
from invrender.io.files.paths import existing_file, listing, nearest
from invrender.run.resolve import read_toml

Row = tuple[str, Mapping[str, Any]]  # where it stands, and its values
PARTS = ("defaults", "matrix", "jobs")
MOST = 100_000  # jobs of one batch


def read_jobs(path: Path, defaults: Mapping[str, Any] | None = None) -> tuple[Job, ...]:
    """The jobs of a file, named, none of them twice.

    Args:
        path: the file.
        defaults: settings of all jobs that say nothing else.

    Raises:
        InputError: it cannot be read, holds no jobs, or a line of it is no job.
        UsageError: two jobs have one name, or are the same.
    """
    existing_file(path, "job")
    readers = {".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv, ".toml": _toml}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path} is no file of jobs", f"name one that ends in {', '.join(readers)}")
    rows = list(itertools.islice(readers[path.suffix.lower()](path), MOST + 1))
    if not rows:
        raise InputError(f"{path} holds no jobs", 'write one a line, such as {"input": "mug.glb", "views": 12}')
    if len(rows) > MOST:
        raise InputError(f"{path} holds more than {MOST} jobs", "make several batches of it")
    base = str(path.absolute().parent)
    jobs = [_job(where, {**(defaults or {}), **table}, base, path) for where, table in rows]
    return _named(jobs, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "save it as UTF-8 in a text editor") from error


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            table = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path}, line {number}: {error}", 'write one JSON object a line, such as {"input": "mug.glb"}'
            ) from error
        if not isinstance(table, dict):
            raise InputError(f"{path}, line {number} is no table", 'write one object a line: {"input": "mug.glb"}')
        yield f"line {number}", {key: value for key, value in table.items() if value is not None}


def _csv(path: Path) -> Iterator[Row]:
    try:
        reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True, skipinitialspace=True)
        names = reader.fieldnames or []
        if len({name.strip() for name in names}) < len(names):
            raise InputError(f"{path}: two columns have one name", "give every column a name of its own")
        for row in reader:
            if None in row or None in row.values():
                raise InputError(
                    f"{path}, line {reader.line_num} has not as many cells as the first line",
                    "put texts that hold commas in quotes",
                )
            values = {key.strip(): value.strip() for key, value in row.items() if value.strip()}
            if values:
                yield f"line {reader.line_num}", values
    except csv.Error as error:
        raise InputError(f"{path} is no CSV: {error}", "write the names of settings, then one job a line") from error


def _toml(path: Path) -> Iterator[Row]:
    table = read_toml(path)
    for key in table:
        if key not in PARTS:
            near = nearest(key, PARTS)
            hint = f"did you mean [{near}]? " if near else "put settings of all jobs under [defaults]; "
            raise InputError(f"{path} has {key!r}", f"{hint}known are [defaults], [matrix] and [[jobs]]")
    defaults, matrix, jobs = table.get("defaults", {}), table.get("matrix", {}), table.get("jobs", [])
    if not (isinstance(defaults, dict) and isinstance(matrix, dict) and isinstance(jobs, list)):
        raise InputError(f"{path}: a part has the wrong form", "write [defaults], [matrix] and [[jobs]]")
    if matrix:
        choices = {key: _choices(key, value, path) for key, value in matrix.items()}
        for number, values in enumerate(itertools.product(*choices.values()), 1):
            yield f"combination {number}", {**defaults, **dict(zip(choices, values, strict=True))}
    for number, job in enumerate(jobs, 1):
        if not isinstance(job, dict):
            raise InputError(f"{path}: job {number} is no table", "write [[jobs]] and then `input = ...`")
        yield f"job {number}", {**defaults, **job}


def _choices(key: str, value: Any, path: Path) -> list[Any]:
    """The values of one setting of a matrix; patterns of inputs become the files that they match."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise InputError(f"{path}: the matrix has no value for {key}", f"list some: {key} = [...]")
    if key != "input":
        return values
    found: list[Any] = []
    for each in values:
        if not (isinstance(each, str) and any(sign in each for sign in "*?[")) or (path.parent / each).exists():
            found.append(each)
            continue
        matches = sorted(_matches(path.parent, each))
        if not matches:
            raise InputError(f"{path}: nothing matches the input {each!r}", "paths are relative to the file of jobs")
        found += matches
    return found


def _matches(base: Path, pattern: str) -> list[str]:
    place = Path(pattern)
    root = Path(place.anchor) if place.is_absolute() else base
    parts = str(place.relative_to(place.anchor) if place.is_absolute() else place)
    return [str(path if place.is_absolute() else path.relative_to(base)) for path in root.glob(parts)]


def _job(where: str, table: Mapping[str, Any], base: str, path: Path) -> Job:
    """A job; its name is empty where none was given."""
    settings = {key.strip().replace("-", "_"): value for key, value in table.items()}
    name, command = str(settings.pop("name", "")), settings.pop("command", "reconstruct")
    gates = settings.pop("fail_if", ())
    if command not in ("reconstruct", "train"):
        raise InputError(f"{path}, {where}: command is {command!r}", "use reconstruct or train")
    kind: Command = "train" if command == "train" else "reconstruct"
    texts = (gates,) if isinstance(gates, str) else gates
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}, {where}: fail_if is {gates!r}", 'write a text such as "iou<.95", or a list of them')
    return Job(name, settings, kind, tuple(texts), base, where)


def _named(jobs: Sequence[Job], path: Path) -> tuple[Job, ...]:
    """The jobs with a name each."""
    names = [job.name or _stem(job) for job in jobs]
    inputs: dict[str, set[str]] = {}
    for job, name in zip(jobs, names, strict=True):
        inputs.setdefault(name, set()).add(_input(job))
    names = [  # files of one name from several folders
        _input(job) if not job.name and len(inputs[name]) > 1 else name for job, name in zip(jobs, names, strict=True)
    ]
    groups: dict[str, list[Job]] = {}
    for job, name in zip(jobs, names, strict=True):
        groups.setdefault(name, []).append(job)
    telling = {name: differing(group) for name, group in groups.items() if len(group) > 1}
    names = [
        _telling_name(name, job, telling[name]) if not job.name and name in telling else name
        for job, name in zip(jobs, names, strict=True)
    ]
    named = [replace(job, name=name) for job, name in zip(jobs, names, strict=True)]
    places: dict[str, Job] = {}
    for job in named:
        if (other := places.setdefault(job.name, job)) is not job:
            same = "are the same job" if other.settings == job.settings else f"are both called {job.name!r}"
            raise UsageError(f"{path}: {other.where} and {job.where} {same}", "give each a `name` of its own")
    return tuple(named)


def _input(job: Job) -> str:
    return str(job.settings.get("input", ""))


def _stem(job: Job) -> str:
    return Path(_input(job)).stem or "job"


def _telling_name(name: str, job: Job, telling: Sequence[str]) -> str:
    """The name with the settings that tell the jobs apart."""
    told = [f"{key}={_brief(job.settings[key])}" for key in telling if key != "input" and key in job.settings]
    return ",".join([name, *told])


def _brief(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else listing([str(value)])
