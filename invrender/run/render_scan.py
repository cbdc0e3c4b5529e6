"""Scans of volumes as a scanner would have recorded them, written as scan files: what `render --scan` does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from invrender.errors import OutputExistsError, UsageError
from invrender.io.scans import read_geometry, write_scan
from invrender.kernels import Backend
from invrender.nouns import Volume
from invrender.nouns.scan import Scan
from invrender.radiography.simulate import Defects, light_through, recorded
from invrender.run.pictures import Written
from invrender.run.staged import is_empty

Tensor = torch.Tensor


@dataclass(frozen=True)
class ScanShot:
    """How a scan is recorded.

    Attributes:
        photons: per pixel without an object, on average; 0: exact transmittances, or what the scan file names.
        defects: of the detector and the source; none where there are no photons.
        across: rays on each side of a pixel.
        extinction: the factor on the density; its unit then is 1 over the scan's unit of length.
        seed: of everything random.
    """

    photons: float
    defects: Defects
    across: int = 2
    extinction: float = 1.0
    seed: int = 0


def check_scan_output(folder: Path | None, overwrite: bool) -> Path:
    """The folder that a scan is written into (UsageError, OutputExistsError)."""
    if folder is None:
        raise UsageError("nothing says where the scan is to be written", "pass -o FOLDER")
    if (folder.suffix and not folder.is_dir()) or folder.is_file():
        raise UsageError(f"{folder} names a file, and a scan is a folder", f"use -o {folder.with_suffix('')}")
    if folder.is_dir() and not overwrite and not is_empty(folder):
        raise OutputExistsError(f"{folder} is not empty", "pass --overwrite to replace its scan, or choose another -o")
    return folder


def write_simulated(folder: Path, volume: Volume, setup: Path, shot: ScanShot, backend: Backend) -> Written:
    """Record a density with the scanner of a scan file, and write scan.toml with the frames beside it."""
    given = read_geometry(setup)
    light, extinction = light_through(volume, given.geometry, backend, shot.across, shot.extinction)
    placed = replace(
        given,
        bounds=volume.bounds.double() if given.bounds is None else given.bounds,
        grid=volume.shape if given.bounds is None and given.grid is None else given.grid,
    )
    scan, told = _exact(placed, light) if not shot.photons else _counted(placed, light, shot)
    least = float(light.min())
    files = write_scan(folder, scan)
    height, width = given.geometry.size
    facts = {"extinction": extinction, "least_transmittance": least, "photons": shot.photons}
    return Written(
        folder,
        files,
        f"{len(given)} projections of {width} x {height}, {told}, at least {least:.3g} of the light",
        facts,
    )


def _exact(given: Scan, light: Tensor) -> tuple[Scan, str]:
    if given.values == "line-integral":
        return replace(given, frames=-light.clamp(min=1e-30).log()), "exact line integrals"
    return replace(given, frames=light, values="transmittance"), "exact transmittances"


def _counted(given: Scan, light: Tensor, shot: ScanShot) -> tuple[Scan, str]:
    made = recorded(light, shot.photons, shot.defects, shot.seed)
    frames = torch.from_numpy(made.frames)
    scan = replace(given, frames=frames, values="counts", flats=made.flats, dark=made.dark)
    return scan, f"{shot.photons:g} photons a pixel"
