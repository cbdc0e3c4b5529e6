"""What refinement starts from: the visual hull, a sphere, or a mesh that was given."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.geometry.carving import known_mask
from invrender.geometry.connectivity import is_closed_manifold, merge_vertices, orient_outward
from invrender.geometry.hull import Hull, hull_from
from invrender.geometry.hull_grid import frame_from_masks
from invrender.kernels import Backend
from invrender.methods.silhouette.phantoms import without_phantoms
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.target import Shape, Target, target_in
from invrender.nouns import Mesh, Scene, Views
from invrender.nouns.coverage import covers
from invrender.parameters.frame import Frame, frame_of
from invrender.render.raster import render

Tensor = torch.Tensor

log = logging.getLogger(__name__)
NEAR_SIDE = 0.01  # of the box's longest side
CELL_PIXELS = 1.9  # size of a hull cell, in pixels of the views
FEWEST_CELLS, MOST_CELLS = 32, 288  # along a hull's longest side; its field takes their third power


@dataclass(frozen=True)
class FirstShape:
    """The first shape, the frame it lives in, and the target in that frame."""

    shape: Shape
    frame: Frame
    target: Target


def first_shape(
    views: Views, settings: SilhouetteSettings, backend: Backend, initial: Mesh | None = None
) -> FirstShape:
    """The first shape and everything measured in its frame.

    Raises:
        InputError: the views have no common region, or `initial` is not a closed manifold or lies elsewhere.
    """
    if initial is not None:
        vertices, faces = merge_vertices(*initial.numpy())
        if not is_closed_manifold(faces):
            raise InputError(
                "the mesh to start from is not a closed manifold",
                "start from --init hull, or close the mesh (see `invrender inspect`)",
            )
        _check_seen(initial, views, backend)
        faces = orient_outward(vertices, faces)
        frame = frame_of(vertices)
    elif settings.init == "sphere":
        centre, half = frame_from_masks(views.masks, views.cameras, views.confidence)
        frame = Frame(centre, half / 0.9)
        vertices, faces = _sphere()
        vertices = frame.restore(0.6 * vertices)
    else:
        resolution = settings.hull_resolution or _hull_resolution(views)
        hull = hull_of(views, resolution)
        vertices, faces = hull.mesh.numpy()
        if hull.false_handles:
            log.warning(
                "the hull had %d handles that no image supports, which are closed; it has %d",
                hull.false_handles, hull.handles,
            )  # fmt: skip
        _tell_sides(vertices, views)
        faces = orient_outward(vertices, faces)
        frame = frame_of(vertices)
    target = target_in(frame, views, backend)
    shape = Shape(frame.normalise(vertices), faces)
    if initial is None and settings.init == "hull":
        shape = without_phantoms(shape, target, backend)
    return FirstShape(shape, frame, target)


def hull_of(views: Views, resolution: int) -> Hull:
    """The visual hull of views, with what they say of unknown pixels and of the object's box."""
    return hull_from(views.masks, views.cameras, resolution, confidence=views.confidence, bounds=views.bounds)


def _tell_sides(vertices: NDArray[np.float64], views: Views) -> None:
    """Say at which sides of its box a hull ends: the box may cut the object off there."""
    if views.bounds is None:
        return
    low, high = views.bounds.double().numpy()
    near = NEAR_SIDE * float((high - low).max())
    sides = [f"-{axis}" for axis, away in zip("xyz", vertices.min(0) - low, strict=True) if away < near]
    sides += [f"+{axis}" for axis, away in zip("xyz", high - vertices.max(0), strict=True) if away < near]
    if sides:
        log.warning(
            "the hull ends at the box of the object (%s): where that cuts it off, give a larger one by --bounds",
            ", ".join(sides),
        )


def _check_seen(initial: Mesh, views: Views, backend: Backend) -> None:
    """Refuse a mesh that no view shows where its mask is: nothing would pull it there."""
    seen = False
    for view in range(len(views)):
        drawn = render(Scene(initial), views.cameras[[view]], "silhouette", backend)[0, ..., 0].cpu()
        if bool((covers(drawn) & covers(known_mask(views, view)).cpu()).any()):
            return
        seen |= bool(drawn.any())
    raise InputError(
        "the mesh to start from lies elsewhere: "
        + ("it covers no pixel of a mask in any view" if seen else "no view sees it at all"),
        "bring it into the cameras' frame and units (see `invrender inspect`), or start from --init hull",
    )


def _hull_resolution(views: Views) -> int:
    """Cells of about CELL_PIXELS pixels, from the largest mask."""
    return hull_cells(max(extent(known_mask(views, view)) for view in range(len(views))))


def hull_cells(longest: int) -> int:
    """Cells along a hull's longest side, from the largest mask's longest side in pixels."""
    return min(max(int(longest / CELL_PIXELS), FEWEST_CELLS), MOST_CELLS)


def extent(mask: Tensor) -> int:
    """The longest side in pixels of what a mask [H,W] covers, at least 1."""
    inside = covers(mask)
    sides = [inside.any(axis).nonzero()[:, 0] for axis in (0, 1)]
    return max((int(side[-1] - side[0]) + 1 for side in sides if len(side)), default=1)


def _sphere(subdivisions: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from trimesh.creation import icosphere

    mesh = icosphere(subdivisions=subdivisions)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
