"""What a geometry file of another program becomes: the keys of a scan file, and vectors where numbers do not do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, nearest, shown

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Imported:
    """A geometry of another program.

    Attributes:
        program: whose.
        table: keys of a scan file.
        vectors: [N,12] source (or direction), detector's middle, step across, step down; None: the table says it all.
        notes: what was taken over in another way than people may think, or not at all.
    """

    program: str
    table: dict[str, Any]
    vectors: Array | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fields:
    """The named numbers of a file, whatever the case of their names.

    Attributes:
        path: of the file.
        values: by their names.
    """

    path: Path
    values: dict[str, Any]

    def get(self, *names: str) -> Any:
        """The first that is there, or None."""
        small = {key.lower(): value for key, value in self.values.items()}
        return next((small[name.lower()] for name in names if small.get(name.lower()) is not None), None)

    def array(self, *names: str, default: Any = None) -> Array:
        """The first that is there as numbers.

        Raises:
            InputError: it is missing and there is no default, or it is no numbers.
        """
        found = self.get(*names)
        if found is None:
            if default is None:
                close = nearest(names[0], self.values)
                hint = f"did you mean '{close}'?" if close else f"its names: {', '.join(map(str, self.values))[:200]}"
                raise InputError(f"{shown(self.path)} has no {names[0]}", hint)
            found = default
        try:
            return np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{shown(self.path)}: {names[0]} is no numbers", "check the file") from error

    def number(self, *names: str, default: float | None = None) -> float:
        """The first that is there as one number."""
        found = self.array(*names, default=default)
        if found.size != 1:
            raise InputError(f"{shown(self.path)}: {names[0]} has {found.size} numbers", "it takes one")
        return float(found.reshape(-1)[0])


def read_json(path: Path) -> dict[str, Any]:
    """The object that a .json file holds.

    Raises:
        InputError: it is missing or no JSON object.
    """
    existing_file(path, "geometry")
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)} is no JSON: {shown(str(error), 100)}", "export it again") from error
    if not isinstance(found, dict):
        raise InputError(f"{shown(path)} holds no JSON object", "write a geometry's names and numbers: {...}")
    return found


def key_values(path: Path) -> dict[str, str]:
    """The lines `key = value` of a text file; # and ; begin comments, [headings] are left out.

    Raises:
        InputError: it cannot be read.
    """
    existing_file(path, "geometry")
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and line.strip()[:1] not in "#;[")
    return {key.strip(): value.strip() for key, _, value in pairs}


def plain(value: float) -> float | int:
    """A number as people write it."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)


def lengths(across: float, down: float) -> float | list[float]:
    """Two lengths, or one where they are equal."""
    return float(across) if across == down else [float(across), float(down)]


def box(centre: Array, spacing: Array, counts: Array) -> dict[str, Any]:
    """The grid of a scan file from the middle, spacing and samples of a volume, x, y, z each."""
    half = (counts - 1) / 2 * spacing
    return {"bounds": [(centre - half).tolist(), (centre + half).tolist()], "samples": [int(n) for n in counts[::-1]]}
