"""A scanner: where its source and its detector stand for each projection, and how its frames are to be prepared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch

Tensor = torch.Tensor

Beam = Literal["cone", "parallel", "fan"]
Values = Literal["counts", "transmittance", "line-integral"]


@dataclass(frozen=True)
class ScanGeometry:
    """Source and flat detector of N projections, as vectors in world units.

    Seen from the source, columns run to the right and rows downwards: u x v points away from the source. Whoever reads
    a scan whose rows run upwards turns its frames over.

    Attributes:
        beam: cone; parallel; or fan, which is a cone across the rows and parallel along them.
        source: [N,3] float64, focal spots; of a parallel beam the unit vectors along which its rays travel.
        centre: [N,3] float64, the middle of the detector's H x W pixels.
        u, v: [N,3] float64, the steps from a column, a row, to the next.
        size: (H, W).
    """

    beam: Beam
    source: Tensor
    centre: Tensor
    u: Tensor
    v: Tensor
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.centre)


@dataclass(frozen=True)
class ScanSetup:
    """A scanner on a circle or a helix, by the numbers that people know of it.

    The axis of rotation is the world's Z. At angle 0 the source lies on -Y and looks along +Y, columns run along +X and
    rows along -Z; with the angle, source and detector turn counterclockwise, seen from +Z. (ASTRA's circle, with rows
    from the top.)

    Attributes:
        beam: of the source.
        angles: [N] float64 in degrees.
        size: (H, W) of the detector.
        pixel: the pitch of columns and of rows at the detector, in world units.
        source_object: from the source to the axis; of a parallel beam without meaning, as is source_detector.
        source_detector: from the source to the detector.
        detector_offset: by how many world units the detector's middle lies along its columns and rows (right, down)
            from where the ray through the axis and the plane of the source meets it.
        axis_offset: by how many world units the axis of rotation lies to the right of the ray from the source to the
            detector's middle, seen from the source; at the axis, not at the detector.
        tilt: degrees by which the detector is turned in its own plane, clockwise seen from the source.
        yaw, pitch: degrees by which the detector is turned about its vertical and its horizontal middle line.
        rise: world units that source and detector climb along the axis in a turn of 360 degrees.
    """

    beam: Beam
    angles: Tensor
    size: tuple[int, int]
    pixel: tuple[float, float]
    source_object: float = 0.0
    source_detector: float = 0.0
    detector_offset: tuple[float, float] = (0.0, 0.0)
    axis_offset: float = 0.0
    tilt: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    rise: float = 0.0


@dataclass(frozen=True)
class Preparation:
    """What is done to frames before anything is reconstructed; see `invrender.radiography`.

    Attributes:
        zingers: whether pixels that a single frame holds far from their surroundings are masked.
        dead_pixels: whether pixels that do not answer to light, or answer as none around them, are found and masked.
        drift: whether each frame of counts is brought to the same brightness in the air around the object.
        rings: whether what a pixel of the detector has too much or too little of in all frames is taken off, where
            that is beyond what noise explains.
        beam_hardening: coefficients c1, c2, ... of c1 p + c2 p^2 + ..., which corrected line integrals are of the
            measured ones p; (1,): none.
        downscale: by how many pixels frames are averaged each way.
        i0: counts without an object, as they are recorded, with the dark counts in them; None: the flat frames say so;
            auto: from the air around the object.
        saturation: recorded counts from which on a pixel is full; None: the most that the frames' type holds.
    """

    zingers: bool = True
    dead_pixels: bool = True
    drift: bool = True
    rings: bool = True
    beam_hardening: tuple[float, ...] = (1.0,)
    downscale: int = 1
    i0: float | Literal["auto"] | None = None
    saturation: float | None = None


@dataclass(frozen=True)
class Flat:
    """Frames without an object.

    Attributes:
        image: [H,W] float32, their average.
        when: of the scan, 0 at its first frame, 1 at its last.
    """

    image: Tensor
    when: float = 0.0


@dataclass(frozen=True)
class Scan:
    """A scan as it was recorded.

    Attributes:
        geometry: of the frames.
        frames: [N,H,W] numbers as they were recorded, in the order of the geometry; maybe mapped from disk.
        values: what they are.
        flats: averaged frames without an object; none unless `values` is counts.
        dark: [H,W] float32, averaged frames without light, or None.
        setup: the numbers that the geometry was made of, or None where it was read as vectors.
        preparation: what is to be done.
        bounds: [2,3] float64 of the grid's first and last sample, or None: what all frames see.
        grid: samples along z, y, x, or None.
        names: of the frames.
        unit: of length, for people.
    """

    geometry: ScanGeometry
    frames: Tensor
    values: Values
    flats: tuple[Flat, ...] = ()
    dark: Tensor | None = None
    setup: ScanSetup | None = None
    preparation: Preparation = field(default_factory=Preparation)
    bounds: Tensor | None = None
    grid: tuple[int, int, int] | None = None
    names: tuple[str, ...] = ()
    unit: str = "mm"

    def __len__(self) -> int:
        return len(self.geometry)
