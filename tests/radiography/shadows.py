"""Scans of ellipsoids whose line integrals are known exactly, for the tests of what is done to frames."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.nouns.scan import Preparation, Scan, ScanSetup
from invrender.radiography.simulate import Defects, Recorded, recorded
from invrender.samples.ellipsoids import FOUR, transmittances

Tensor = torch.Tensor
NO_DEFECTS = Defects(False, False, False, False, False, False)
NOTHING = Preparation(zingers=False, dead_pixels=False, drift=False, rings=False)


def setup(beam: str = "cone", views: int = 24, size: int = 48) -> ScanSetup:
    pitch = 3.0 / size * (1.5 if beam == "cone" else 1)
    turn = 360 if beam == "cone" else 180
    angles = torch.arange(views, dtype=torch.float64) * turn / views
    return ScanSetup(beam, angles, (size, size), (pitch, pitch), 6.0, 9.0)  # type: ignore[arg-type]


@cache
def light(beam: str = "cone", views: int = 24, size: int = 48) -> Tensor:
    """[N,H,W] exact transmittances."""
    return transmittances(FOUR, scan_cameras(scan_geometry(setup(beam, views, size))))


def scan_of(made: Recorded, given: ScanSetup, preparation: Preparation | None = None) -> Scan:
    frames = torch.from_numpy(made.frames)
    scan = Scan(scan_geometry(given), frames, "counts", made.flats, made.dark, given)
    return scan if preparation is None else replace(scan, preparation=preparation)


def exact(given: ScanSetup, values: Tensor, preparation: Preparation | None = None) -> Scan:
    """A scan of transmittances."""
    scan = Scan(scan_geometry(given), values, "transmittance", setup=given)
    return scan if preparation is None else replace(scan, preparation=preparation)


def counted(photons: float, defects: Defects, seed: int = 0, preparation: Preparation | None = None) -> Scan:
    return scan_of(recorded(light(), photons, defects, seed), setup(), preparation)
