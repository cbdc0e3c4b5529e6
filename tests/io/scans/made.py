"""A scan of ellipsoids, whose line integrals are exact, as files of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from invrender.cameras.scan import by_camera, scan_cameras, scan_geometry
from invrender.nouns.scan import Beam, ScanGeometry, ScanSetup
from invrender.samples.ellipsoids import FOUR, transmittances

WHITE, DARK = 50000.0, 300.0


def setup(beam: Beam = "cone", count: int = 12, size: tuple[int, int] = (16, 20), **more: object) -> ScanSetup:
    """A scanner around [-1, 1]^3, its detector a third wider than they appear."""
    across = 2.7 / size[1] * (1 if beam == "parallel" else 2)
    numbers = {"source_object": 5.0, "source_detector": 10.0} if beam != "parallel" else {}
    angles = torch.arange(count, dtype=torch.float64) * 360 / count
    return ScanSetup(beam, angles, size, (across, across), **{**numbers, **more})  # type: ignore[arg-type]


def light(geometry: ScanGeometry) -> torch.Tensor:
    """[N,H,W] exact transmittances of `FOUR`."""
    found = transmittances(FOUR, scan_cameras(geometry))
    if found.shape[0] == len(geometry):
        return found
    return found.reshape(geometry.size[0], len(geometry), geometry.size[1]).transpose(0, 1).contiguous()


def counts(given: ScanSetup) -> np.ndarray:
    """[N,H,W] uint16 of a detector that reads DARK without light and WHITE + DARK without an object."""
    seen = light(scan_geometry(given)).numpy()
    return (seen * WHITE + DARK).round().astype(np.uint16)


def text(given: ScanSetup, rest: str = "") -> str:
    """The numbers of a scan as a file has them, angles as a range."""
    lines = [f'beam = "{given.beam}"', f"pixel = {given.pixel[0]}"]
    if given.beam != "parallel":
        lines += [f"source_object = {given.source_object}", f"source_detector = {given.source_detector}"]
    lines.append(f"angles = {{ start = 0, span = 360, count = {len(given.angles)} }}")
    return "\n".join(lines) + "\n" + rest


def write(folder: Path, given: ScanSetup, rest: str = "", values: str = "counts") -> Path:
    """A scan as .npy files with a scan.toml, flat and dark frames; `rest` goes before the tables."""
    np.save(folder / "projections.npy", counts(given))
    np.save(folder / "flat.npy", np.full((3, *given.size), WHITE + DARK, np.float32))
    np.save(folder / "dark.npy", np.full(given.size, DARK, np.float32))
    tables = f'[projections]\npath = "projections.npy"\nvalues = "{values}"\n[[flat]]\npath = "flat.npy"\n'
    (folder / "scan.toml").write_text(text(given, rest + tables + '[dark]\npath = "dark.npy"\n'))
    return folder / "scan.toml"


__all__ = ["DARK", "WHITE", "by_camera", "counts", "light", "setup", "text", "write"]
