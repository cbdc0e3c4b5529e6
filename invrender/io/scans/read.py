"""Reading a scan file: numbers of the scanner, and the frames, flat and dark fields that it names."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import is_file, is_folder
from invrender.io.scans.frames import KEYS as FRAMES
from invrender.io.scans.frames import averaged, read_frames
from invrender.io.scans.setup import ALIASES, NUMBERS, geometry_of, read_setup, read_vectors, refuse_missing, unit_of
from invrender.io.scenes.table import Table
from invrender.io.scenes.toml_file import read_toml
from invrender.nouns.scan import Flat, Preparation, Scan, ScanGeometry, ScanSetup, Values

NAME = "scan.toml"
SINGLE = ("beam", "unit", "columns", "rows", "row_order", "column_order")
TABLES = ("projections", "flat", "dark", "preparation", "grid", "geometry")
VALUES: tuple[Values, ...] = ("counts", "transmittance", "line-integral")
MARKS = ("projections", "geometry", "angles")
WHEN = {"before": 0.0, "after": 1.0}


def is_scan(path: str | Path) -> bool:
    """Whether a path names a scan file, or a folder with a scan.toml."""
    file = scan_file(Path(path))
    if file is None:
        return False
    if file.name == NAME:
        return True
    try:
        table = read_toml(file, "scan")
    except InputError:
        return False
    return "beam" in table and any(key in table for key in MARKS)


def scan_file(path: Path) -> Path | None:
    """The scan file that a path means, as far as its name tells; None: it means something else."""
    if is_folder(path):
        return path / NAME if is_file(path / NAME) else None
    return path if path.suffix.lower() == ".toml" and is_file(path) else None


def read_scan(path: str | Path) -> Scan:
    """A scan as it was recorded.

    Args:
        path: of a scan file, or of a folder with a scan.toml.

    Raises:
        InputError: a key is unknown, missing or impossible, or what it names is missing, damaged or does not match.
    """
    table = open_table(path)
    projections = table.table("projections")
    if projections is None:
        raise table.wrong("has no projections", 'add [projections] with path = "..." to it')
    projections.check_keys([*FRAMES, "values"])
    frames = read_frames(projections)
    values, turned = _oriented(table, frames.values)
    geometry, setup, upwards = geometry_in(table, _checked_size(table, values.shape[1:]))
    if upwards:
        values = values[:, ::-1]
    _check_count(table, len(geometry), len(values))
    flats, dark = _fields(table, geometry.size, turned, upwards)
    preparation = _preparation(table)
    scan = Scan(
        geometry, _tensor(values), _values(projections, values, bool(flats), preparation), flats, dark, setup,
        preparation, *_grid(table), frames.names, unit_of(table),
    )  # fmt: skip
    _check_fields(table, scan)
    return scan


def read_geometry(path: str | Path) -> Scan:
    """A scan file without its frames, whose `frames` are [0,H,W]: what a simulation takes.

    Raises:
        InputError: see `read_scan`; and `columns` and `rows` are missing.
    """
    table = open_table(path)
    size = int(table.number("rows", least=1)), int(table.number("columns", least=1))
    geometry, setup, _ = geometry_in(table, size)
    projections = table.table("projections")
    named = projections is not None and projections.has("values")
    values = cast("Values", cast("Table", projections).choice("values", VALUES)) if named else "counts"
    return Scan(
        geometry, torch.zeros(0, *size), values, setup=setup, preparation=_preparation(table),
        bounds=_grid(table)[0], grid=_grid(table)[1], unit=unit_of(table),
    )  # fmt: skip


def open_table(path: str | Path) -> Table:
    """The top level of a scan file, its keys known."""
    file = scan_file(Path(path))
    if file is None:
        file = Path(path) / NAME if is_folder(Path(path)) else Path(path)
    table = Table(file, "", read_toml(file, "scan"))
    for key in ALIASES:
        refuse_missing(table, key)
    table.check_keys([*SINGLE, *NUMBERS, *TABLES])
    return table


def geometry_in(table: Table, size: tuple[int, int]) -> tuple[ScanGeometry, ScanSetup | None, bool]:
    """Where source and detector stand, the numbers that say so, and whether frames are to be turned over for that."""
    vectors = table.table("geometry")
    if vectors is None:
        setup = read_setup(table, size)
        return geometry_of(setup), setup, False
    vectors.check_keys(("vectors", "key"))
    twice = [key for key in NUMBERS if table.has(key)]
    if twice:
        raise table.wrong(f"has both [geometry] and {twice[0]}", "vectors say it all: leave the numbers out")
    geometry, upwards = read_vectors(table, vectors, size)
    return geometry, None, upwards


def _oriented(table: Table, values: NDArray[Any]) -> tuple[NDArray[Any], tuple[slice, slice]]:
    """Frames with rows from the top and columns from the left, seen from the source, and how they were turned."""
    up = table.has("row_order") and table.choice("row_order", ("down", "up")) == "up"
    left = table.has("column_order") and table.choice("column_order", ("right", "left")) == "left"
    turned = slice(None, None, -1 if up else 1), slice(None, None, -1 if left else 1)
    return values[:, turned[0], turned[1]], turned


def _checked_size(table: Table, size: tuple[int, ...]) -> tuple[int, int]:
    for key, found in zip(("rows", "columns"), size, strict=True):
        said = table.number(key, found, least=1)
        if said != found:
            raise table.wrong(
                f"has {key} = {said:g}, and the projections have {found}",
                "mend it or leave it out; an array with other axes than [projections, rows, columns] takes `order`",
            )
    return size[0], size[1]


def _check_count(table: Table, angles: int, frames: int) -> None:
    if angles == frames:
        return
    near = abs(angles - frames) == 1
    raise table.wrong(
        f"has {angles} angles, and there are {frames} projections",
        "one of them may be the first again, at the full turn: leave it out of both"
        if near
        else "give an angle for each projection; flat and dark frames go into files of their own, [[flat]] and [dark]",
    )


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    """The numbers as a tensor: shared with the array where that is possible, so that what is mapped stays mapped."""
    kinds = {"b": np.uint8, "f8": np.float32, "i8": np.float32, "u4": np.float32, "u8": np.float32}
    name = values.dtype.kind if values.dtype.kind == "b" else f"{values.dtype.kind}{values.dtype.itemsize}"
    native = values.dtype.newbyteorder("=")
    wanted = np.dtype(kinds.get(name, native))
    if wanted != values.dtype or min(values.strides, default=0) < 0 or not values.flags.writeable:
        values = np.ascontiguousarray(values, wanted)
        values = values if values.flags.writeable else values.copy()
    return torch.from_numpy(values)


def _fields(
    table: Table, size: tuple[int, int], turned: tuple[slice, slice], upwards: bool
) -> tuple[tuple[Flat, ...], torch.Tensor | None]:
    """Averaged flat frames, each with when it was taken, and the dark one."""

    def mean(each: Table) -> torch.Tensor:
        image = averaged([each], size)[turned]
        return torch.from_numpy(np.ascontiguousarray(image[::-1] if upwards else image))

    flats = []
    for each in table.tables("flat"):
        each.check_keys([*FRAMES, "when"])
        flats.append(Flat(mean(each), _when(each)))
    dark = table.table("dark")
    if dark is None:
        return tuple(flats), None
    dark.check_keys(FRAMES)
    return tuple(flats), mean(dark)


def _when(table: Table) -> float:
    """Of the scan, 0 at its first frame, 1 at its last."""
    given = table.values.get("when", 0.0)
    if isinstance(given, str):
        return WHEN[table.choice("when", WHEN)]
    return table.number("when", 0.0, least=0, most=1)


def _values(projections: Table, frames: NDArray[Any], flats: bool, preparation: Preparation) -> Values:
    """What the frames are: counts where something says what they are divided by, unless it is said."""
    if projections.has("values"):
        named = projections.choice("values", VALUES)
        return next(value for value in VALUES if value == named)
    if flats or preparation.i0 is not None:
        return "counts"
    raise projections.wrong(
        f"does not say what its {frames.dtype} numbers are",
        'add values = "counts" (with [[flat]] or i0 = "auto" in [preparation]), "transmittance" or "line-integral"',
    )


def _preparation(table: Table) -> Preparation:
    """What is to be done to the frames; see `Preparation`."""
    inner = table.table("preparation")
    if inner is None:
        return Preparation()
    inner.check_keys([field.name for field in fields(Preparation)])
    usual = Preparation()
    given = inner.values.get("beam_hardening", [1.0])
    hardening = inner.numbers("beam_hardening", max(len(given), 1) if isinstance(given, list) else 1, [1.0])
    downscale = inner.number("downscale", 1, least=1, most=64)
    if downscale != int(downscale):
        raise inner.wrong(f"has downscale = {downscale:g}", "use a whole number of pixels")
    return Preparation(
        inner.flag("zingers", usual.zingers), inner.flag("dead_pixels", usual.dead_pixels),
        inner.flag("drift", usual.drift), inner.flag("rings", usual.rings), tuple(hardening), int(downscale),
        _i0(inner), inner.number("saturation", above=0) if inner.has("saturation") else None,
    )  # fmt: skip


def _i0(table: Table) -> float | Literal["auto"] | None:
    if not table.has("i0"):
        return None
    if isinstance(table.values["i0"], str):
        table.choice("i0", ("auto",), " or a number of counts")
        return "auto"
    return table.number("i0", above=0)


def _grid(table: Table) -> tuple[torch.Tensor | None, tuple[int, int, int] | None]:
    """Bounds of the grid's first and last sample, and how many there are along z, y, x, as far as it says."""
    inner = table.table("grid")
    if inner is None:
        return None, None
    inner.check_keys(("bounds", "samples"))
    bounds = None
    if inner.has("bounds"):
        rows = inner.values["bounds"]
        flat = [n for row in rows for n in row] if isinstance(rows, list) and all(
            isinstance(row, list) for row in rows) else rows  # fmt: skip
        corners = replace(inner, values={"bounds": flat}).numbers("bounds", 6)
        bounds = torch.tensor(corners, dtype=torch.float64).reshape(2, 3)
        if not bool((bounds[0] < bounds[1]).all()):
            raise inner.wrong("has bounds without room", "write [[x0, y0, z0], [x1, y1, z1]], the lower corner first")
    if not inner.has("samples"):
        return bounds, None
    given = inner.values["samples"]
    counts = inner.numbers("samples", 3) if isinstance(given, list) else [inner.number("samples")] * 3
    if min(counts) < 2 or max(counts) > 8192 or any(n != int(n) for n in counts):
        raise inner.wrong(f"has samples = {given}", "write whole numbers from 2, along z, y, x")
    return bounds, (int(counts[0]), int(counts[1]), int(counts[2]))


def _check_fields(table: Table, scan: Scan) -> None:
    """Refuse what no frame can be divided by."""
    if scan.values == "counts" and not scan.flats and scan.preparation.i0 is None:
        raise table.wrong(
            "has counts, and nothing says how many there are without an object",
            'add [[flat]] with path = "...", or i0 = "auto" (or a number) to [preparation]',
        )
    if scan.values != "counts" and (scan.flats or scan.dark is not None):
        raise table.wrong(
            f"has flat or dark frames, and its projections are '{scan.values}'",
            'write values = "counts", or leave the flat and dark frames out',
        )
    dark = 0.0 if scan.dark is None else scan.dark
    for number, flat in enumerate(scan.flats, 1):
        light = flat.image - dark
        share = float((light <= 0).double().mean())
        if share > 0.5:
            raise table.wrong(
                f"has flat frames (number {number}) without light: {share:.0%} of their pixels are at or below "
                f"{'0' if scan.dark is None else 'the dark ones'} (mean {float(flat.image.mean()):.4g})",
                "check that flat and dark are not exchanged, and that the shutter was open",
            )
