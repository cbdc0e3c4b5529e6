"""From a scan's frames to transmittances and how much each is worth."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.scan import by_camera, scan_cameras
from invrender.nouns import Cameras
from invrender.nouns.scan import Scan

Tensor = torch.Tensor


@dataclass(frozen=True)
class Prepared:
    """What a reconstruction takes of a scan.

    Attributes:
        cameras: N of them; see `invrender.cameras.scan.scan_cameras`.
        transmittance: [N,H,W] float32; NaN: masked.
        weight: [N,H,W] float32, inverse variances of -log of these up to a common factor; None: by the kind of noise.
        photons: per pixel without an object, as far as the frames tell; 0: they are exact.
        log: what was done, a line for each step.
        names: of the views.
    """

    cameras: Cameras
    transmittance: Tensor
    weight: Tensor | None = None
    photons: float = 0.0
    log: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def prepared(scan: Scan) -> Prepared:
    """Transmittances of a scan, prepared as it asks for."""
    frames = scan.frames.float()
    if scan.values == "line-integral":
        frames = torch.exp(-frames)
    elif scan.values == "counts":
        dark = torch.zeros(scan.geometry.size) if scan.dark is None else scan.dark
        flat = torch.stack([each.image for each in scan.flats]).mean(0) if scan.flats else frames.amax((0, 1, 2))
        frames = (frames - dark) / (flat - dark)
    return Prepared(scan_cameras(scan.geometry), by_camera(frames, scan.geometry), names=scan.names)
