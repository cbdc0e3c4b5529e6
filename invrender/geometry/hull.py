"""The visual hull: the largest shape that agrees with every silhouette (Laurentini 1994), as a mesh.

Marching cubes at zero of the field that `carving` gives.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.geometry.carving import carve, possible_object, signed_distances
from invrender.geometry.connectivity import components, drop_unused, is_closed_manifold
from invrender.geometry.hull_grid import fit_grid, nothing_in_common
from invrender.nouns import Cameras, Mesh

Tensor = torch.Tensor


def visual_hull(
    masks: Tensor,
    cameras: Cameras,
    resolution: int = 96,
    keep: float = 0.02,
    confidence: Tensor | None = None,
    bounds: Tensor | None = None,
) -> Mesh:
    """The visual hull as a closed manifold mesh.

    Args:
        masks: [N,H,W] coverage in [0, 1].
        cameras: N cameras.
        resolution: cells along the longest side of the hull's bounding box.
        keep: parts with fewer triangles than this share of the largest part's are dropped: where the view cones of
            separate parts cross, hulls have phantoms.
        confidence: [N,H,W] in [0, 1]; pixels below 1/2 are unknown and take nothing away. None: all are known.
        bounds: [2,3], a box that holds the object: the hull ends at it. None: the masks alone bound the hull. Without
            any mask, the box is the hull.

    Raises:
        InputError: the silhouettes have no point of space in common, the object is thinner than a cell everywhere, or
            pixels are unknown and the others do not bound the object.
    """
    from skimage.measure import marching_cubes

    box = None if bounds is None else bounds.double().cpu().numpy()
    distances = signed_distances(possible_object(masks, confidence))
    grid = fit_grid(distances, masks, cameras, resolution, confidence, box)
    field = np.pad(carve(grid, distances, cameras, box), 1, constant_values=-grid.spacing)
    if not (field > 0).any():
        raise nothing_in_common()
    for attempt in range(8):
        # A value of exactly zero puts a vertex on a grid point and may pinch the surface there, so the level avoids it.
        level = (attempt + 0.5) * 1e-5 * grid.spacing
        vertices, faces, _, _ = marching_cubes(field, level, gradient_direction="ascent")
        faces = _large_parts(faces.astype(np.int64), keep)
        if is_closed_manifold(faces):
            break
    vertices, faces = drop_unused(vertices.astype(np.float64), faces)
    return Mesh.from_numpy((vertices - 1) * grid.spacing + np.array(grid.lower), faces)


def _large_parts(faces: NDArray[np.int64], keep: float) -> NDArray[np.int64]:
    part = components(faces)
    count = np.bincount(part)
    kept: NDArray[np.int64] = faces[count[part] >= keep * count.max()]
    return kept
