"""The surface of a radiance field: a closed manifold mesh whose holes are those that light goes through.

Where no ray gets to with enough of its light is inside, whatever the field holds there: no view can tell. Elsewhere the
surface lies where a cell takes half of the light. Small parts that float, and cavities that nothing leads to, go.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.geometry.connectivity import drop_unused, is_closed_manifold, orient_outward, split_fans
from invrender.kernels.field import EMPTY, MOST
from invrender.methods.photometric.field.schedule import Fitted
from invrender.methods.photometric.field.sites import dense
from invrender.nouns import Mesh, Volume
from invrender.parameters.frame import Frame

Tensor = torch.Tensor

HALF = math.log(2) / MOST
LEVEL = math.log(HALF / (1 - HALF))  # u at which a cell takes half of the light
HIDDEN = 0.8  # light that must reach a vertex for it to be outside
SHARPEST = 4.0  # |u - LEVEL| beyond which values do not shift the surface
SMALLEST = 50  # vertices of the grid: smaller parts float


def surface_of(fitted: Fitted, level: float = LEVEL, hidden: float = HIDDEN, smallest: int = SMALLEST) -> Mesh:
    """The field's surface, closed, manifold, wound outward, in world units.

    Args:
        fitted: the field, and the light in it.
        level: u at the surface.
        hidden: vertices that less light reaches are inside.
        smallest: parts of fewer grid vertices are dropped, but for the largest.

    Raises:
        InputError: the field is empty.
    """
    from skimage.measure import marching_cubes

    values = _signed(fitted, level, hidden)
    inside = _solid(values > 0, smallest)
    if not inside.any():
        raise InputError("the photographs agree on no surface", "check the camera poses, and the masks or bounds")
    values = np.where(inside, np.maximum(values, 1e-3), np.minimum(values, -1e-3)).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent")
    vertices, faces = vertices.astype(np.float64), np.ascontiguousarray(faces, np.int64)
    if not is_closed_manifold(faces):
        vertices, faces = split_fans(vertices, faces)
    vertices, faces = drop_unused(vertices, faces)
    lower = fitted.bounds[0].numpy()
    spacing = float(fitted.bounds[1, 0] - fitted.bounds[0, 0]) / (values.shape[2] - 1)
    world = vertices[:, ::-1] * spacing + lower
    return Mesh.from_numpy(world, orient_outward(world, faces))


def _signed(fitted: Fitted, level: float, hidden: float) -> NDArray[np.float64]:
    """[D,H,W], positive inside."""
    u = dense(fitted.field, fitted.field.density[:, None], EMPTY)[0].double() - level
    dark = (fitted.light < hidden) & fitted.hull
    values: NDArray[np.float64] = torch.where(dark, SHARPEST, u).clamp(-SHARPEST, SHARPEST).numpy()
    for axis in range(3):  # the border is outside, so that the surface is closed
        view = np.moveaxis(values, axis, 0)
        view[0] = view[-1] = -SHARPEST
    return values


def _solid(inside: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    """Without small parts, and with closed cavities filled."""
    from scipy import ndimage

    label, count = ndimage.label(inside)
    if not count:
        return inside
    size = np.bincount(label.reshape(-1))[1:]
    kept = np.concatenate([[False], (size >= smallest) | (size == size.max())])
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(kept[label])
    return filled


def glimpsed(volume: Volume, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices [V,3] in a normalised frame and faces [F,3] of a field that forms, as it is, for pictures.

    Args:
        volume: extinction per world unit in its first channel.
        frame: of the vertices.
    """
    from skimage.measure import marching_cubes

    spacing = ((volume.bounds[1] - volume.bounds[0]) / (torch.tensor(volume.values.shape[3:0:-1]) - 1)).tolist()
    taken = volume.values[0].numpy() * spacing[0]  # optical depth of a cell
    if not taken.min() < HALF * MOST < taken.max():
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    vertices, faces, _, _ = marching_cubes(taken, HALF * MOST, gradient_direction="ascent")
    world = vertices[:, ::-1].astype(np.float64) * spacing + volume.bounds[0].numpy()
    return frame.normalise(world), np.ascontiguousarray(faces, np.int64)
