"""Where a run may be written, what is replaced there, and when.

A finished run stays until the one that replaces it is complete. The new one is made in `.new` inside the folder; that
is renamed to `.complete` when it is whole, and from then on it counts: `settle` moves its files into their places,
run.json last. Whoever was killed in the midst of that, the next one that looks at the folder carries it through.

Only what run.json lists is ever removed, and no link is followed on the way.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from invrender.errors import OutputExistsError, UsageError
from invrender.io.files.atomic import cannot_write, remove_temporaries
from invrender.io.files.paths import listing
from invrender.run.record import is_alive, read_record

RECORD = "run.json"
CONFIG = "config.toml"
METRICS = "metrics.json"
LOSSES = "losses.csv"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
REPORT, CARD = "report.html", "report.png"

NEW, COMPLETE = ".new", ".complete"
BESIDE = ("job.json", "events.jsonl", "output.txt")
"""Names of files that whoever runs a job of a batch puts beside its run: they are in nobody's way."""
WRITTEN = (CONFIG, METRICS, LOSSES, LOG, "mesh.glb", "mesh.ply", "volume.npz", "volume.vti", "field.npz",
           "transfer.json", "network.safetensors", "progress.gif", "turntable.gif", "progress.mp4", "turntable.mp4",
           "current.png", REPORT, CARD)  # fmt: skip
"""Names that runs give to files: what bears one and was not written by a run is somebody's own."""


def check_output(folder: Path, overwrite: bool = False) -> None:
    """Refuse a folder in which a run may not be written; nothing is created, and only a replacement carried through.

    Raises:
        UsageError: the path, or one above it, is a file, closed to us, or too long.
        OutputExistsError: it holds a finished or running run, or files that invrender did not write.
    """
    try:
        _check_output(folder, overwrite)
        _check_open(next(path for path in (folder, *folder.absolute().parents) if path.is_dir()))
    except OSError as error:
        raise cannot_write(folder, error) from error


def _check_open(folder: Path) -> None:
    """Refuse a folder that is closed to us before the work, as far as the system tells without a trial."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write to {folder}", "choose an output folder that you can write to with -o")


def _check_output(folder: Path, overwrite: bool) -> None:
    if not folder.is_dir():
        _check_parents(folder)
        return
    settle(folder)
    record = read_record(folder / RECORD)
    _check_foreign(folder, record)
    _check_foreign(folder / NEW, read_record(folder / NEW / RECORD))
    for path in (folder, folder / NEW):
        _check_alive(path, overwrite)
    if record is not None and record["status"] == "finished" and not overwrite:
        begun = "; an unfinished run that is to replace it is in there, too" if (folder / NEW).is_dir() else ""
        raise OutputExistsError(
            f"{folder} holds a finished run{begun}", "pass --overwrite to replace it, or choose another folder with -o"
        )


def workplace(folder: Path) -> Path:
    """Where the next run of a folder writes: beside a finished one, else in the folder itself."""
    record = read_record(folder / RECORD)
    return folder / NEW if record is not None and record["status"] == "finished" else folder


def make(folder: Path) -> None:
    """Create the folder and prove that files can be written in it.

    Raises:
        UsageError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", "choose an output folder that you can write to with -o"
        ) from error


def clear(folder: Path) -> None:
    """Remove what an earlier run wrote, run.json last so that an interruption leaves a run folder behind.

    Raises:
        UsageError: something cannot be removed.
    """
    record = read_record(folder / RECORD)
    try:
        clear_temporaries(folder)
        for name in [] if record is None else [*_owned(folder, record), RECORD]:
            (folder / name).unlink(missing_ok=True)
        _remove_empty(folder / CHECKPOINTS)
    except OSError as error:
        raise cannot_write(folder, error) from error


def clear_temporaries(folder: Path) -> None:
    """Remove half-written files in a run's folder."""
    for path in (folder, folder / CHECKPOINTS):
        if path.is_dir() and not path.is_symlink():
            remove_temporaries(path)


def commit(folder: Path) -> None:
    """Put the run that was made in `.new` in the place of the finished one.

    Raises:
        UsageError: that cannot be done; both are still there.
    """
    try:
        (folder / NEW).rename(folder / COMPLETE)
    except OSError as error:
        raise cannot_write(folder / COMPLETE, error) from error
    settle(folder)


def settle(folder: Path) -> None:
    """Carry a replacement through that is complete, if there is one; it can be repeated at any point.

    Raises:
        UsageError: a file cannot be put in its place.
    """
    complete = folder / COMPLETE
    if complete.is_symlink() or not complete.is_dir():
        return
    after = read_record(complete / RECORD)
    if after is not None and is_alive({**after, "status": "running"}):
        return  # the process that made it is at it
    try:
        if after is not None:
            _move(complete, folder, _owned(complete, after))
        clear_temporaries(complete)
        _remove_empty(complete / CHECKPOINTS)
        _remove_empty(complete)
    except OSError as error:
        raise cannot_write(Path(error.filename2 or error.filename or folder), error) from error


def _move(complete: Path, folder: Path, new: list[str]) -> None:
    """Remove what only the old run had, and put the new one's files in their places, run.json last."""
    before = read_record(folder / RECORD)
    for name in [] if before is None else _owned(folder, before):
        if name not in new:
            (folder / name).unlink(missing_ok=True)
    for name in [*new, RECORD]:
        if (complete / name).is_file():
            (folder / name).parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # somebody else has just done it
                (complete / name).replace(folder / name)
    _remove_empty(folder / CHECKPOINTS)


def _owned(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """The files that a record lists and that lie in its folder: no folders, and nothing that is reached by a link."""
    return [name for name in record["files"] if name != RECORD and _lies_in(folder, name)]


def _lies_in(folder: Path, name: str) -> bool:
    path = PurePath(name)
    if not name or len(name) > 255 or "\0" in name or path.is_absolute() or ".." in path.parts or path.drive:
        return False
    real = Path(os.path.realpath(folder))
    if Path(os.path.realpath(folder / path.parent)) != real / path.parent:
        return False
    return (folder / name).is_symlink() or not (folder / name).is_dir()


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.rmdir()


def _check_foreign(folder: Path, record: Mapping[str, Any] | None) -> None:
    if not (folder.is_dir() or folder.is_symlink()):
        return
    links = [path for path in (folder / CHECKPOINTS, folder / NEW, folder / COMPLETE) if path.is_symlink()]
    if links:
        raise OutputExistsError(
            f"{links[0]} is a link, and a run replaces files in it", "remove the link, or choose another folder with -o"
        )
    if record is None:
        if others := [
            name for item in sorted(folder.iterdir()) if not (name := item.name).startswith(".") and name not in BESIDE
        ]:
            raise OutputExistsError(
                f"{folder} is no run folder and holds {listing(others, 2)}",
                f"choose a new folder, such as -o {folder / 'run'}",
            )
    elif others := [name for name in WRITTEN if name not in record["files"] and os.path.lexists(folder / name)]:
        raise OutputExistsError(
            f"{folder} holds {listing(others, 2)}, which its run did not write",
            "move that elsewhere, or choose another folder with -o",
        )


def _check_alive(folder: Path, overwrite: bool) -> None:
    record = read_record(folder / RECORD)
    if record is None or not is_alive(record) or (overwrite and not record.get("began")):
        return
    hint = "" if record.get("began") else " (--overwrite if that process is something else)"
    raise OutputExistsError(
        f"process {record['pid']} is writing a run into {folder}",
        f"wait for it or choose another folder with -o{hint}",
    )


def _check_parents(folder: Path) -> None:
    for path in (folder, *folder.parents):
        if path.is_dir():
            return
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is a file, not a folder", "choose another output folder with -o")
