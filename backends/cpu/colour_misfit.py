"""Coloured vertices compared with pictures in one pass: projection, drawing, loss and gradients of one view at a time.

The definition is that of `invrender.backends.torch.colour_misfit`. No image is ever written: a pixel's colour, what it
differs by and its gradients stay in registers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.clip import PIECES
from invrender.backends.bodies.raster import EMPTY, ID_MASK
from invrender.backends.bodies.target import device
from invrender.backends.bodies.weights import (
    areas,
    areas_adjoint,
    centre_x,
    centre_y,
    corner_adjoint,
    fractions,
    weights,
)
from invrender.backends.cpu.arrays import Indices, packed_faces, to_numpy
from invrender.backends.cpu.contour import Floats
from invrender.backends.cpu.rasterize import draw_view
from invrender.backends.cpu.runs import Images
from invrender.backends.cpu.threads import parallel_for, thread_count
from invrender.jit import kernel
from invrender.kernels import Compared

Tensor = torch.Tensor
Workspace: TypeAlias = tuple[Floats, NDArray[np.int64], Floats]

GROUP = 8  # views whose gradients are held at once; fixed, so that sums do not depend on threads
ROW = 10  # numbers per vertex and view: gradients of the clip position and of the colour, curvature of the colour

contracted = njit(error_model="numpy", nogil=True, fastmath={"contract"})


@dataclass
class Misfit:
    """A mesh's connectivity and the pictures it is compared with; see `invrender.kernels.ColourMisfit`.

    Attributes:
        faces: [F,3] as the kernel reads them.
        count: of vertices.
        images: [N,H,W,3] float32; weight: [N,H,W] float32.
        softness: where the loss turns from a parabola to a straight line.
        workspaces: scratch arrays of each thread, kept from call to call.
        rows: [GROUP,V,ROW], kept likewise.
    """

    faces: Indices
    count: int
    images: Images
    weight: Images
    softness: float
    workspaces: list[Workspace] = field(default_factory=list)
    rows: Floats | None = None

    def __call__(self, vertices: Tensor, colours: Tensor, clip_from_object: Tensor, views: Sequence[int]) -> Compared:
        """The comparison with some of the views."""
        points, values = to_numpy(vertices.double()), to_numpy(colours.double())
        matrices, chosen = to_numpy(clip_from_object.double()), np.asarray(views, np.int64)
        if self.rows is None:
            self.rows = np.empty((min(GROUP, len(self.images)), self.count, ROW))
        while len(self.workspaces) < min(len(chosen), thread_count()):
            self.workspaces.append(self._workspace())
        misfit, total = np.zeros(len(chosen)), np.zeros((self.count, 9))
        for begin in range(0, len(chosen), len(self.rows)):
            group = chosen[begin : begin + len(self.rows)]
            sums = misfit[begin : begin + len(group)]
            given = (points, values, matrices, self.faces, self.images, self.weight, self.softness, group, sums)
            parallel_for(partial(self._compare, given), len(group))
            _add_views(self.rows, matrices, group, total)
        parts = (torch.from_numpy(np.ascontiguousarray(part)) for part in np.split(total, 3, axis=1))
        return Compared(float(misfit.sum()), *parts)

    def _compare(self, given: tuple[Any, ...], first: int, step: int) -> None:
        arguments: tuple[Any, ...] = (*given, self.rows, *self.workspaces[first], first, step)
        _compare(*arguments)

    def _workspace(self) -> Workspace:
        pixels = self.images.shape[1] * self.images.shape[2]
        return np.empty((self.count, 4)), np.empty(pixels, np.int64), np.empty((2, PIECES, 3, 4))


def colour_misfit(faces: Tensor, count: int, images: Tensor, weight: Tensor, softness: float) -> Misfit:
    """Prepare a comparison; see `invrender.kernels.MakeColourMisfit`."""
    return Misfit(packed_faces(faces, count), count, to_numpy(images.float()), to_numpy(weight.float()), softness)


@kernel
def _compare(
    points: Floats, colours: Floats, matrices: Floats, faces: Indices, images: Images, weight: Images, softness: float,
    views: NDArray[np.int64], misfit: Floats, rows: Floats, clip: Floats, keys: NDArray[np.int64], work: Floats,
    first: int, step: int,
) -> None:  # fmt: skip
    """Views number first, first + step, ...: their misfits, and their gradients as rows [n,V,ROW]."""
    _, height, width = weight.shape
    for number in range(first, len(views), step):
        view = views[number]
        project(points, matrices[view], clip)
        keys[:] = EMPTY
        draw_view(clip, faces, work, keys, height, width, 0, height - 1)
        rows[number] = 0.0
        misfit[number] = 0.0
        for row in range(height):
            line = keys[row * width : (row + 1) * width]
            misfit[number] += _row_misfit(
                line, faces, clip, colours, images[view, row], weight[view, row], softness, centre_y(row, height),
                rows[number],
            )  # fmt: skip


@device
def project(points: Floats, matrix: Floats, clip: Floats) -> None:
    """Clip positions [V,4] of points [V,3]."""
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for r in range(4):
            clip[i, r] = matrix[r, 0] * x + matrix[r, 1] * y + matrix[r, 2] * z + matrix[r, 3]


@contracted
def _row_misfit(
    keys: NDArray[np.int64], faces: Indices, clip: Floats, colours: Floats, image: Images, weight: Images,
    softness: float, y: float, rows: Floats,
) -> float:  # fmt: skip
    """The misfit of a line of pixels; its gradients are added to the rows of the vertices."""
    width = len(keys)
    total = 0.0
    for column in range(width):
        share = np.float64(weight[column])
        if keys[column] == EMPTY or share == 0.0:
            continue
        face = keys[column] & ID_MASK
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        x = centre_x(column, width)
        area_a, area_b, area_c = areas(clip, a, b, c, x, y)
        raw_a, raw_b, raw_c, per_total = fractions(area_a, area_b, area_c)
        u, v, w = weights(raw_a, raw_b, raw_c)
        d_v = d_w = 0.0
        for channel in range(3):
            at_a, at_b, at_c = colours[a, channel], colours[b, channel], colours[c, channel]
            difference = u * at_a + v * at_b + w * at_c - image[column, channel]
            root = math.sqrt(difference * difference + softness * softness)
            total += share * (root - softness)
            curvature = share / root
            d = curvature * difference
            d_v += (at_b - at_a) * d
            d_w += (at_c - at_a) * d
            _to_corners(rows, a, b, c, 4 + channel, u * d, v * d, w * d)
            _to_corners(rows, a, b, c, 7 + channel, u * curvature, v * curvature, w * curvature)
        d_a, d_b, d_c = areas_adjoint(raw_a, raw_b, raw_c, per_total, 0.0, d_v, d_w)
        ax, ay = clip[a, 0] - x * clip[a, 3], clip[a, 1] - y * clip[a, 3]
        bx, by = clip[b, 0] - x * clip[b, 3], clip[b, 1] - y * clip[b, 3]
        cx, cy = clip[c, 0] - x * clip[c, 3], clip[c, 1] - y * clip[c, 3]
        corner_adjoint(rows, a, d_c * by - d_b * cy, d_b * cx - d_c * bx, x, y)
        corner_adjoint(rows, b, d_a * cy - d_c * ay, d_c * ax - d_a * cx, x, y)
        corner_adjoint(rows, c, d_b * ay - d_a * by, d_a * bx - d_b * ax, x, y)
    return total


@device
def _to_corners(rows: Floats, a: int, b: int, c: int, entry: int, at_a: float, at_b: float, at_c: float) -> None:
    rows[a, entry] += at_a
    rows[b, entry] += at_b
    rows[c, entry] += at_c


@kernel
def _add_views(rows: Floats, matrices: Floats, views: NDArray[np.int64], total: Floats) -> None:
    """Add the views' gradients, in their order, to total [V,9]: of vertices in object space, of colours, curvature."""
    for number in range(len(views)):
        matrix = matrices[views[number]]
        for i in range(len(total)):
            x, y, w = rows[number, i, 0], rows[number, i, 1], rows[number, i, 3]
            for axis in range(3):
                total[i, axis] += matrix[0, axis] * x + matrix[1, axis] * y + matrix[3, axis] * w
            for entry in range(3, 9):
                total[i, entry] += rows[number, i, 1 + entry]
