"""How cameras stand around what they look at, and how much of their pictures masks cover: facts before a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from invrender.cameras.parallel import standpoints
from invrender.evaluate.mesh_facts import dataset_facts
from invrender.nouns import Cameras, Views
from invrender.nouns.coverage import coverage

Span = tuple[float, float]

FLAT, FEW = 0.15, 3  # cameras stand on a ring that leave their plane this little, where there are more than so many


@dataclass(frozen=True)
class Ring:
    """Cameras around the point nearest to all their viewing axes; angles in degrees.

    Attributes:
        views: how many.
        distance: least and greatest from that point, in world units.
        elevation: least and greatest above the plane through it, across the ring's axis.
        azimuth: how much of the circle around that axis they stand on: all but the widest gap.
        gap: the widest angle between neighbours on that circle.
        fov_x, fov_y: least and greatest angle of view.
        span_x, span_y: of cameras with parallel rays, what their pictures show.
    """

    views: int
    distance: Span
    elevation: Span
    azimuth: float
    gap: float
    fov_x: Span
    fov_y: Span
    span_x: Span | None
    span_y: Span | None


def ring_of(cameras: Cameras) -> Ring:
    """Measure cameras: about the axis of their ring where they stand on one, else about what is upwards in them."""
    facts = dataset_facts(Views(cameras, torch.zeros(len(cameras), 1, 1)))
    upwards = np.zeros(3)
    upwards["XYZ".index(facts.up[1])] = 1.0 if facts.up[0] == "+" else -1.0
    places = standpoints(cameras).numpy()
    _, spread, axes = np.linalg.svd(places - places.mean(0), full_matrices=True)
    flat = len(places) > FEW and spread[2] < FLAT * spread[1]
    up = axes[2] * (1.0 if axes[2] @ upwards >= 0 else -1.0) if flat else upwards
    off = places - np.array(facts.target)
    direction = off / np.maximum(np.linalg.norm(off, axis=1), 1e-300)[:, None]
    side = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    angles = np.sort(np.degrees(np.arctan2(direction @ np.cross(up, side), direction @ side)))
    gap = float(np.diff(angles, append=angles[0] + 360).max())
    elevation = np.degrees(np.arcsin(np.clip(direction @ up, -1, 1)))
    ends = float(elevation.min()), float(elevation.max())
    return Ring(facts.views, facts.distance, ends, 360 - gap, gap, facts.fov_x, facts.fov_y, facts.span_x, facts.span_y)


def coverage_of(views: Views) -> tuple[float, float, float] | None:
    """Least, mean and greatest share of a picture that is object; None where all of every picture is."""
    share = torch.stack([coverage(mask).double().mean() for mask in views.masks])
    if bool((share == 1).all()):
        return None
    return float(share.min()), float(share.mean()), float(share.max())
