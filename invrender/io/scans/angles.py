"""Angles of projections: a list, an even range, or a file of numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, is_file, shown
from invrender.io.scans.arrays import array_in
from invrender.io.scenes.table import Table

Array = NDArray[np.float64]
UNITS = {"degrees": 1.0, "deg": 1.0, "radians": 180 / math.pi, "rad": 180 / math.pi}
RANGE = ("start", "span", "step", "count", "endpoint")
FILE = ("file", "key", "column")
MOST = 1_000_000


def read_angles(table: Table) -> Array:
    """[N] degrees, counterclockwise, of the keys `angles`, `angle_unit` and `direction` of a scan file.

    Raises:
        InputError: they are missing, no numbers, or in another unit than they say.
    """
    unit = table.choice("angle_unit", UNITS) if table.has("angle_unit") else "degrees"
    values = _values(table)
    if not len(values) or not np.isfinite(values).all():
        raise table.wrong("has no angles, or some that are no numbers", "give one angle for each projection")
    _check_unit(table, values, unit)
    clockwise = table.has("direction") and table.choice("direction", ("ccw", "cw")) == "cw"
    degrees: Array = values * UNITS[unit] * (-1.0 if clockwise else 1.0)
    return degrees


def _values(table: Table) -> Array:
    given = table.values.get("angles")
    if given is None:
        raise table.wrong(
            "has no 'angles'", 'add `angles = { start = 0, span = 360, count = N }`, a list, or a file: "angles.txt"'
        )
    if isinstance(given, str):
        return _from_file(table, Table(table.path, "angles", {"file": given}))
    if isinstance(given, dict):
        inner = Table(table.path, "angles", given)
        inner.check_keys([*RANGE, *FILE])
        return _from_file(table, inner) if inner.has("file") else _range(inner, _turn(table))
    return np.asarray(table.numbers("angles", len(given) if isinstance(given, list) else 1))


def _turn(table: Table) -> float:
    """A whole turn in the unit of the angles."""
    return 360 / UNITS[table.choice("angle_unit", UNITS) if table.has("angle_unit") else "degrees"]


def _range(inner: Table, turn: float) -> Array:
    count = inner.number("count", least=1, most=MOST)
    if count != int(count):
        raise inner.wrong(f"has count = {count:g}", "use a whole number")
    inner.check_alone("step", ("span", "endpoint"))
    steps, start = np.arange(int(count)), inner.number("start", 0.0)
    if inner.has("step"):
        return np.asarray(start + steps * inner.number("step"), np.float64)
    last = inner.flag("endpoint", default=False)
    return np.asarray(start + steps * inner.number("span", turn) / max(count - last, 1), np.float64)


def _from_file(table: Table, inner: Table) -> Array:
    path = table.path.parent / inner.text("file").replace("\\", "/")
    existing_file(path, "file of angles")
    column = int(inner.number("column", 0, least=0, most=1000))
    key = inner.text("key") if inner.has("key") else None
    if path.suffix.lower() in (".npy", ".npz", ".h5", ".hdf5", ".nxs", ".hdf"):
        found = np.asarray(array_in(path, key, dimensions=(1, 2)), dtype=np.float64)
        return found.reshape(-1) if found.ndim == 1 or 1 in found.shape else found[:, column]
    return numbers_in(path)[:, column]


def numbers_in(path: Path) -> Array:
    """[N,K] numbers of a text file: N lines of K, between blanks, commas or semicolons; # begins a comment.

    First lines without numbers are headings.

    Raises:
        InputError: the file is missing, or a line has something else, or lines differ in how many they have.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its name and permissions") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not text", "write numbers as text, or use .npy") from error
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        row = _numbers(line)
        if row is None and rows:
            raise InputError(f"{shown(path)}: line {number} is no row of numbers: {shown(line, 60)}", "mend that line")
        if row and rows and len(row) != len(rows[0]):
            raise InputError(
                f"{shown(path)}: line {number} has {len(row)} numbers, and those before have {len(rows[0])}",
                "give every line as many",
            )
        if row:
            rows.append(row)
    if not rows:
        raise InputError(f"{shown(path)} holds no numbers", "write one line for each projection")
    return np.asarray(rows, dtype=np.float64)


def _numbers(line: str) -> list[float] | None:
    """The numbers of a line; none where it has something else."""
    words = re.split(r"[,;\s]+", line.partition("#")[0].strip())
    try:
        return [float(word) for word in words if word]
    except ValueError:
        return None


def _check_unit(table: Table, values: Array, unit: str) -> None:
    """Refuse degrees that make half a turn or a turn in radians, and the other way round."""
    span, step = float(np.ptp(values)), float(np.ptp(values)) / max(len(values) - 1, 1)
    if len(values) < 8:
        return

    def makes(turn: float) -> bool:
        return any(abs(span + extra - part * turn) < 0.01 * turn for part in (0.5, 1.0) for extra in (0.0, step))

    if UNITS[unit] == 1.0 and not table.has("angle_unit") and makes(2 * math.pi):
        raise table.wrong(
            f"has angles that span {span:.4g}, which is {span / math.pi:.3g} pi: they look like radians",
            'write `angle_unit = "radians"`; or `angle_unit = "degrees"`, if these are degrees',
        )
    if UNITS[unit] != 1.0 and makes(360):
        raise table.wrong(
            f"has angles that span {span:.4g} radians: they look like degrees", 'write `angle_unit = "degrees"`'
        )


def is_angle_file(path: Path) -> bool:
    """Whether there is such a file of a kind that angles are read from."""
    return is_file(path) and path.suffix.lower() in (".txt", ".csv", ".ang", ".dat", ".npy", ".npz")


def spelled(angles: Any) -> dict[str, Any] | list[float]:
    """Angles [N] in degrees as a scan file has them: a range where they are one."""
    values = np.asarray(angles, dtype=np.float64)
    if len(values) > 2:
        step = (values[-1] - values[0]) / (len(values) - 1)
        if np.abs(values - values[0] - step * np.arange(len(values))).max() < 1e-9 * max(1.0, abs(values).max()):
            turn = step * len(values)
            span = round(turn) if abs(turn - round(turn)) < 1e-9 * max(abs(turn), 1) else float(turn)
            return {"start": float(values[0]), "span": span, "count": len(values)}
    return [float(value) for value in values]
