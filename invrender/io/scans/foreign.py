"""Geometry files of other programs: which one a file is of, and a scan file of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import existing_file, shown
from invrender.io.scans.astra import from_astra
from invrender.io.scans.frames import FORMATS
from invrender.io.scans.imported import Imported, key_values, read_json
from invrender.io.scans.leap import from_leap
from invrender.io.scans.nikon import from_nikon
from invrender.io.scans.tigre import from_tigre
from invrender.io.scans.write import HEADING, write_table

READERS: dict[str, Callable[[Path], Imported]] = {
    "tigre": from_tigre,
    "astra": from_astra,
    "leap": from_leap,
    "nikon": from_nikon,
}
PLACEHOLDER = "projections.npy"


def program_of(path: Path) -> str:
    """Whose geometry a file is.

    Raises:
        InputError: it is missing, or of none that is known.
    """
    existing_file(path, "geometry")
    suffix = path.suffix.lower()
    if suffix == ".xtekct":
        return "nikon"
    if suffix == ".mat":
        return "tigre"
    names: set[str] = set()
    if suffix == ".json":
        found = read_json(path)
        names = {*found, *(found.get("geo") if isinstance(found.get("geo"), dict) else ())}
    elif suffix == ".npz":
        import numpy as np

        with np.load(path, allow_pickle=False) as archive:
            names = set(archive.files)
    elif suffix not in FORMATS:
        names = set(key_values(path))
    if {"DSO", "DSD"} & names:
        return "tigre"
    if "type" in names and any(name.startswith("Detector") for name in names):
        return "astra"
    if {"geometry", "proj_geometry"} & names:
        return "leap"
    if "SrcToObject" in names:
        return "nikon"
    raise InputError(
        f"{shown(path)} is no geometry of TIGRE, ASTRA, LEAP or Nikon that is known by itself",
        f"say whose it is: --from {'|'.join(READERS)}",
    )


def import_geometry(path: Path, program: str = "auto") -> Imported:
    """The geometry in a file of another program.

    Raises:
        UsageError: the program is not known.
        InputError: the file is missing or lacks something.
    """
    name = program_of(path) if program == "auto" else program
    if name not in READERS:
        raise UsageError(f"--from is {name!r}", f"use one of auto, {', '.join(READERS)}")
    existing_file(path, "geometry")
    return READERS[name](path)


def write_imported(target: Path, found: Imported, projections: dict[str, Any]) -> list[Path]:
    """Write a scan file, and vectors beside it where it takes them.

    Args:
        target: the scan file.
        found: the geometry.
        projections: keys of [projections] that are known: path, values, key, order.

    Returns:
        The files written, the scan file last.
    """
    table = dict(found.table)
    table["projections"] = {"path": PLACEHOLDER, **table.get("projections", {}), **projections}
    files = []
    if found.vectors is not None:
        beside = target.with_name(f"{target.stem}-vectors.txt")
        lines = "\n".join(" ".join(repr(float(number)) for number in row) for row in found.vectors)
        atomic_write_text(beside, f"# {HEADING}\n{lines}\n")
        files.append(beside)
        table["geometry"] = {"vectors": beside.name}
    return [*files, write_table(target, table, f"From {found.program}.")]
