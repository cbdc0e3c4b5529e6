"""Exposures that differ by stops: noticed before work starts, by what photographs show on a coarse visual hull."""

from __future__ import annotations

import math

import torch

from invrender.findings import Finding
from invrender.geometry.hull import visual_hull
from invrender.geometry.vectors import vertex_normals
from invrender.io.files.paths import listing
from invrender.kernels import Backend
from invrender.nouns import Views
from invrender.parameters.frame import frame_of
from invrender.photometry.exposure import exposure_gains
from invrender.photometry.photos import photos_in, smaller
from invrender.photometry.sampling import depth_buffer, look_at_points

RESOLUTION = 40  # cells of the hull
PIXELS = 100  # of photographs' longer side, about
APART = 0.8  # stops by which an exposure lies off the usual one: a light beside the camera makes half of it


def exposure_findings(views: Views, backend: Backend) -> list[Finding]:
    """The views whose exposure differs from the usual one by about a stop or more, the worst first.

    Raises:
        InputError: the views have no coarse visual hull.
    """
    stops = exposure_stops(views, backend)
    off = (stops - stops.median()).abs()
    worst = [int(i) for i in off.argsort(descending=True) if off[i] >= APART]
    if not worst:
        return []
    names = tuple(views.names[i] if views.names else f"view {i}" for i in worst)
    return [
        Finding(
            f"exposures differ by up to {float(off.max()):.1f} stops from the usual one: {listing(names)}",
            "let them be found with --optimize shape,albedo,light,exposure",
            names,
        )
    ]


def exposure_stops(views: Views, backend: Backend) -> torch.Tensor:
    """By how many stops each photograph is brighter than the others show the same points, [N]; 0 where nothing says.

    Raises:
        InputError: the views have no coarse visual hull.
    """
    hull = visual_hull(views.masks, views.cameras, RESOLUTION, confidence=views.confidence, bounds=views.bounds)
    vertices, faces = hull.numpy()
    frame = frame_of(vertices)
    photos = smaller(photos_in(frame, views), max(1, max(views.cameras.size) // PIXELS))
    points, triangles = torch.from_numpy(frame.normalise(vertices)), torch.from_numpy(faces)
    normals = torch.from_numpy(vertex_normals(points.numpy(), faces))
    depth = depth_buffer(points, triangles, photos.clip_from_object, photos.size, backend)
    gains = exposure_gains(look_at_points(points, normals, photos, depth))
    return -gains.log().mean(1) / math.log(2)
