"""How cameras stand around what they look at, and how much of their pictures masks cover: facts before a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.evaluate.mesh_facts import dataset_facts
from invrender.nouns import Cameras, Views

Span = tuple[float, float]


@dataclass(frozen=True)
class Ring:
    """Cameras around the point nearest to all their viewing axes; angles in degrees.

    Attributes:
        views: how many.
        distance: least and greatest from that point, in world units.
        elevation: least and greatest above the plane through it.
        azimuth: how much of the circle around the upward axis they stand on: all but the widest gap.
        gap: the widest angle between neighbours on that circle.
        fov_x, fov_y: least and greatest angle of view.
    """

    views: int
    distance: Span
    elevation: Span
    azimuth: float
    gap: float
    fov_x: Span
    fov_y: Span


def ring_of(cameras: Cameras) -> Ring:
    """Measure cameras."""
    import torch

    facts = dataset_facts(Views(cameras, torch.zeros(len(cameras), 1, 1)))
    up = np.zeros(3)
    up["XYZ".index(facts.up[1])] = 1.0 if facts.up[0] == "+" else -1.0
    off = cameras.position.numpy() - np.array(facts.target)
    side = np.roll(np.abs(up), 1)
    angles = np.sort(np.degrees(np.arctan2(off @ np.cross(up, side), off @ side)))
    gap = float(np.diff(angles, append=angles[0] + 360).max())
    return Ring(
        facts.views, facts.distance, facts.elevation, 360 - gap, gap, facts.fov_x, facts.fov_y,
    )  # fmt: skip


def coverage_of(views: Views) -> tuple[float, float, float] | None:
    """Least, mean and greatest share of a picture that is object; None where all of every picture is."""
    share = views.masks.flatten(1).double().mean(1)
    if bool((share == 1).all()):
        return None
    return float(share.min()), float(share.mean()), float(share.max())
