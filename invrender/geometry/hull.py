"""The visual hull: the largest shape that agrees with every silhouette (Laurentini 1994), as a mesh.

Marching cubes at zero of the field that `carving` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.parallel import pixels_per_unit
from invrender.geometry.carving import Grid, carve, kept_distances, known_object
from invrender.geometry.connectivity import components, drop_unused, is_closed_manifold
from invrender.geometry.contacts import without_contacts
from invrender.geometry.handles import Evidence, without_false_handles
from invrender.geometry.hull_grid import fit_grid, nothing_in_common
from invrender.geometry.lines_of_sight import needed
from invrender.geometry.vectors import Floats, Ints
from invrender.nouns import Cameras, Mesh

Tensor = torch.Tensor
CUT_ROUNDING = 0.25  # pixels: half the width of what leaves a pixel's coverage below 3/4 at the narrowest place
FILL_ROUNDING = 0.4  # pixels: as far outside a contour every pixel is covered by a tenth or more


@dataclass(frozen=True)
class Hull:
    """A visual hull.

    Attributes:
        mesh: closed and manifold.
        handles: that it has.
        false_handles: that it had beside these, and no image supports.
    """

    mesh: Mesh
    handles: int
    false_handles: int


def visual_hull(
    masks: Tensor,
    cameras: Cameras,
    resolution: int = 96,
    keep: float = 0.02,
    confidence: Tensor | None = None,
    bounds: Tensor | None = None,
) -> Mesh:
    """The mesh of `hull_from`."""
    return hull_from(masks, cameras, resolution, keep, confidence, bounds).mesh


def hull_from(
    masks: Tensor,
    cameras: Cameras,
    resolution: int = 96,
    keep: float = 0.02,
    confidence: Tensor | None = None,
    bounds: Tensor | None = None,
) -> Hull:
    """The visual hull as a closed manifold mesh, without handles that no image supports.

    Args:
        masks: [N,H,W] coverage in [0, 1], or in bytes.
        cameras: N cameras.
        resolution: cells along the longest side of the hull's bounding box.
        keep: parts with fewer triangles than this share of the largest part's are dropped: where the view cones of
            separate parts cross, hulls have phantoms.
        confidence: [N,H,W] likewise; pixels below 1/2 are unknown and take nothing away. None: all are known.
        bounds: [2,3], a box that holds the object: the hull ends at it. None: the masks alone bound the hull. Without
            any mask, the box is the hull.

    Raises:
        InputError: the silhouettes have no point of space in common, the object is thinner than a cell everywhere, or
            pixels are unknown and the others do not bound the object.
    """
    box = None if bounds is None else bounds.double().cpu().numpy()
    distances = kept_distances(masks, confidence)
    fitted = fit_grid(distances, masks, cameras, resolution, confidence, box)
    grid = Grid(fitted.point(-1), fitted.spacing, tuple(n + 2 for n in fitted.counts))  # type: ignore[arg-type]
    field = np.pad(carve(fitted, distances, cameras, box), 1, constant_values=-grid.spacing)
    if not (field > 0).any():
        raise nothing_in_common()
    vertices, faces = _surface(field, grid.spacing, keep)
    before = left = handle_count(vertices, faces)
    if before:
        pixel = _pixel(cameras, torch.from_numpy(vertices.mean(0) * grid.spacing + np.array(grid.lower)))
        known = known_object(masks, confidence).cpu()
        evidence = Evidence(
            lambda lower, counts, finer: carve(grid.part(lower, counts, finer), distances, cameras, box),
            lambda voxels, whole: needed(voxels, whole, grid, known, cameras),
            CUT_ROUNDING * pixel,
            FILL_ROUNDING * pixel,
        )
        mended = without_false_handles(field, grid.spacing, evidence)
        if mended is not None:
            changed = _surface(mended, grid.spacing, keep)
            if handle_count(*changed) < left:
                field, left, (vertices, faces) = mended, handle_count(*changed), changed
        if left:
            mended = without_contacts(
                field, grid.spacing, lambda voxel, cut: evidence.allow(field, voxel, cut),
                lambda changed: parts_and_handles(*_surface(changed, grid.spacing, keep)),
            )  # fmt: skip
            if mended is not None:
                vertices, faces = _surface(mended, grid.spacing, keep)
                left = handle_count(vertices, faces)
    return Hull(Mesh.from_numpy(vertices * grid.spacing + np.array(grid.lower), faces), left, before - left)


def _surface(field: NDArray[np.float32], spacing: float, keep: float) -> tuple[Floats, Ints]:
    """Vertices [V,3] in cells and faces [F,3] of the surface around a field's positive values."""
    from skimage.measure import marching_cubes

    for attempt in range(8):
        # A value of exactly zero puts a vertex on a grid point and may pinch the surface there, so the level avoids it.
        level = (attempt + 0.5) * 1e-5 * spacing
        vertices, faces, _, _ = marching_cubes(field, level, gradient_direction="ascent")
        faces = _large_parts(faces.astype(np.int64), keep)
        if is_closed_manifold(faces):
            break
    return drop_unused(vertices.astype(np.float64), faces)


def handle_count(vertices: Floats, faces: Ints) -> int:
    """How many handles a closed manifold has, all parts together: parts less half of V - E + F."""
    return parts_and_handles(vertices, faces)[1]


def parts_and_handles(vertices: Floats, faces: Ints) -> tuple[int, int]:
    """How many parts and handles a closed manifold has."""
    parts = int(components(faces).max()) + 1
    return parts, parts - (len(vertices) - len(faces) // 2) // 2


def _pixel(cameras: Cameras, point: Tensor) -> float:
    """Size of a pixel at a point [3], of half the cameras less."""
    view = cameras.world_to_camera
    depth = -(view[:, 2, :3] @ point + view[:, 2, 3])
    scale = pixels_per_unit(cameras, depth)
    return float((1 / scale[scale > 0]).median())


def _large_parts(faces: NDArray[np.int64], keep: float) -> NDArray[np.int64]:
    part = components(faces)
    count = np.bincount(part)
    kept: NDArray[np.int64] = faces[count[part] >= keep * count.max()]
    return kept
