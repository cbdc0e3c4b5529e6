"""Writing scan files: the numbers alone, or with the frames beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from invrender.io.files.atomic import atomic_path, atomic_write_text
from invrender.io.scans.angles import spelled
from invrender.io.scans.read import NAME
from invrender.io.scenes.toml_file import toml_text
from invrender.nouns.scan import Preparation, Scan, ScanGeometry, ScanSetup

VECTORS = "vectors.txt"
HEADING = "source (of a parallel beam: direction), detector's middle, step across, step down: x y z each"


def setup_table(setup: ScanSetup, unit: str) -> dict[str, Any]:
    """The numbers of a scanner as keys of a scan file; what is zero is left out."""
    table: dict[str, Any] = {"beam": setup.beam, "unit": unit}
    if setup.beam != "parallel":
        table |= {"source_object": float(setup.source_object), "source_detector": float(setup.source_detector)}
    across, down = (float(each) for each in setup.pixel)
    table["pixel"] = across if across == down else [across, down]
    table |= {"columns": setup.size[1], "rows": setup.size[0]}
    if any(setup.detector_offset):
        table["detector_offset"] = [float(each) for each in setup.detector_offset]
    for key in ("axis_offset", "tilt", "yaw", "pitch", "rise"):
        if getattr(setup, key):
            table[key] = float(getattr(setup, key))
    angles = spelled(setup.angles.numpy())
    table["angles"] = angles
    if len(setup.angles) >= 8:
        table["angle_unit"] = "degrees"
    return table


def scan_table(scan: Scan) -> dict[str, Any]:
    """A scan's keys but for the files it names and vectors: numbers, preparation and grid."""
    if scan.setup is not None:
        table = setup_table(scan.setup, scan.unit)
    else:
        height, width = scan.geometry.size
        table = {"beam": scan.geometry.beam, "unit": scan.unit, "columns": width, "rows": height}
    usual, given = Preparation(), scan.preparation
    steps = {key: value for key, value in vars(given).items() if value != vars(usual)[key]}
    if "beam_hardening" in steps:
        steps["beam_hardening"] = list(given.beam_hardening)
    if steps:
        table["preparation"] = steps
    grid: dict[str, Any] = {}
    if scan.bounds is not None:
        grid["bounds"] = scan.bounds.tolist()
    if scan.grid is not None:
        grid["samples"] = list(scan.grid)
    return table | ({"grid": grid} if grid else {})


def write_scan(folder: str | Path, scan: Scan) -> list[Path]:
    """Write a scan as scan.toml, projections.npy, flat_0.npy ... and dark.npy, and vectors.txt where it has no setup.

    Returns:
        The files written, scan.toml last.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    table, files = scan_table(scan), []

    def save(name: str, values: torch.Tensor) -> str:
        with atomic_path(target / name) as temporary:
            np.save(temporary, values.detach().cpu().numpy())
        files.append(target / name)
        return name

    table["projections"] = {"path": save("projections.npy", scan.frames), "values": scan.values}
    if scan.flats:
        table["flat"] = [
            {"path": save(f"flat_{i}.npy", flat.image), "when": float(flat.when)} for i, flat in enumerate(scan.flats)
        ]
    if scan.dark is not None:
        table["dark"] = {"path": save("dark.npy", scan.dark)}
    if scan.setup is None:
        files.append(write_vectors(target / VECTORS, scan.geometry))
        table["geometry"] = {"vectors": VECTORS}
    return [*files, write_table(target / NAME, table)]


def write_vectors(path: Path, geometry: ScanGeometry) -> Path:
    """Source and detector as a text file of 12 numbers a line."""
    every = torch.cat([geometry.source, geometry.centre, geometry.u, geometry.v], 1).numpy()
    lines = "\n".join(" ".join(repr(float(number)) for number in row) for row in every)
    atomic_write_text(path, f"# {HEADING}\n{lines}\n")
    return path


def write_table(path: Path, table: dict[str, Any], comment: str = "") -> Path:
    """A scan file of its keys; a comment goes before them."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    atomic_write_text(path, head + toml_text(table))
    return path
