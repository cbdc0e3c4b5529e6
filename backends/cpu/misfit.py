"""Silhouettes compared with masks in one pass: projection, drawing, loss and gradient of one view after another.

The data of a view stay in the cache, and nothing of the size of all images is ever written. Only vertices on the
contour get a gradient, so a view returns a short list of them, and the sum over the views does not depend on threads.
Of some of the views, only those are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.contour import ndc_adjoint
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import Mesh, packed_mesh, to_numpy
from invrender.backends.cpu.contour import Floats, Ints, Signs, workspace
from invrender.backends.cpu.silhouette import ROOM_PER_LINE, draw_view, end_gradient
from invrender.backends.cpu.threads import parallel_for, thread_count
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Images: TypeAlias = NDArray[np.float32]
Workspace: TypeAlias = tuple[NDArray[Any], Floats, Floats, Floats, Ints, Ints, Floats, Floats, Signs, Ints]

CORNERS = 4  # vertices that an interval's end can depend on: two ends of a segment, each cut between two


@dataclass
class Misfit:
    """A mesh's connectivity and the masks its silhouettes are compared with; see `invrender.kernels.SilhouetteMisfit`.

    Attributes:
        mesh: faces, edges, edge_faces and signs as the kernels read them.
        count: of vertices.
        masks: [N,H,W] float32.
        confidence: [N,H,W] float32, or [0,H,W] where all pixels count alike.
        weight: [N] float64.
        room: for ends of intervals per view; grows when it did not suffice.
        workspaces: scratch arrays of each thread, kept from call to call: new threads would get new memory.
        lists: [M,K] and [M,K,3], the vertices and their gradients of as many views as were compared, kept likewise.
    """

    mesh: Mesh
    count: int
    masks: Images
    confidence: Images
    weight: Floats
    room: int
    workspaces: list[Workspace] = field(default_factory=list)
    lists: tuple[Ints, Floats] | None = None

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        """Misfit, its gradient with the vertices [V,3] float64, and IoU [M] float64, of all views or of M of them."""
        points, matrices = to_numpy(vertices.double()), to_numpy(clip_from_object.double())
        chosen = np.arange(len(matrices)) if views is None else np.arange(len(matrices))[np.asarray(views, np.int64)]
        needed, counts = np.zeros((2, len(chosen)), np.int32)
        sums = np.zeros((len(chosen), 3), np.float64)
        while True:
            lists = self._lists(len(chosen))
            while len(self.workspaces) < min(len(chosen), thread_count()):
                self.workspaces.append(self._workspace())
            compared = (self.masks, self.confidence, self.weight)
            given = (points, matrices, chosen, *self.mesh, *compared, needed, sums, counts, *lists)
            parallel_for(partial(self._compare, given), len(chosen))
            if needed.max(initial=0) <= self.room:
                break
            self.room, self.workspaces, self.lists = int(needed.max()), [], None
        gradient = np.zeros_like(points)
        _sum_views(counts, *lists, gradient)
        common, joint = (sums[:, 1] - sums[:, 2]) / 2, (sums[:, 1] + sums[:, 2]) / 2
        iou = np.divide(common, joint, out=np.ones(len(chosen)), where=joint > 0)
        return float(self.weight[chosen] @ sums[:, 0]), torch.from_numpy(gradient), torch.from_numpy(iou)

    def _lists(self, views: int) -> tuple[Ints, Floats]:
        if self.lists is None or len(self.lists[0]) < views:
            most = CORNERS * self.room
            self.lists = np.empty((views, most), np.int32), np.empty((views, most, 3), np.float64)
        return self.lists

    def _compare(self, given: tuple[Any, ...], first: int, step: int) -> None:
        arguments: tuple[Any, ...] = (*given, *self.workspaces[first], first, step)
        _compare(*arguments)

    def _workspace(self) -> Workspace:
        faces, edges = len(self.mesh[0]), len(self.mesh[1])
        return (
            np.empty(self.masks.shape[1:], np.float32),
            np.empty((self.count, 4)),
            np.zeros((self.count, 4)),
            np.zeros((self.count, 2)),
            np.empty(self.room, np.int32),
            np.empty((self.room, CORNERS), np.int32),
            np.empty((self.room, 3)),
            *workspace(self.count, faces, edges),
        )


def silhouette_misfit(
    faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor, confidence: Tensor | None = None
) -> Misfit:
    """Prepare a comparison; see `invrender.kernels.MakeMisfit`."""
    mesh = packed_mesh(faces, topology, count)
    ends = ROOM_PER_LINE * (masks.shape[1] + masks.shape[2])
    believed = masks[:0] if confidence is None else confidence
    return Misfit(mesh, count, to_numpy(masks.float()), to_numpy(believed.float()), to_numpy(weight.double()), ends)


@kernel
def _compare(
    points: Floats, matrices: Floats, views: NDArray[np.int64], faces: Ints, edges: Ints, edge_faces: Ints,
    signs: Signs, masks: Images, confidence: Images, weight: Floats, needed: Ints, sums: Floats, counts: Ints,
    vertex_ids: Ints, gradients: Floats, image: NDArray[Any], clip: Floats, d_clip: Floats, d_screen: Floats,
    pixel: Ints, ends: Ints, share: Floats, screen: Floats, facing: Signs, chosen: Ints, first: int, step: int,
) -> None:  # fmt: skip
    """Views views[first], views[first + step], ...: sums as in `_sum_up`, and gradients of vertices."""
    height, width = image.shape
    for k in range(first, len(views), step):
        view = views[k]
        project(points, matrices[view], clip)
        found, of_rows, parents = draw_view(
            clip, faces, edges, edge_faces, signs, image, pixel, ends, share, screen, facing, chosen
        )
        needed[k] = found
        if found > len(pixel):
            continue
        mask, believed = masks[view], confidence[min(view, len(confidence)) : view + 1]
        sums[k] = 0.0
        _sum_up(image, mask, believed, sums[k])
        d_points = d_screen if len(parents) == 0 else np.zeros((len(clip) + len(parents), 2), np.float64)
        given = (2.0 * weight[view], of_rows, found, pixel, ends, share)
        _misfit_adjoint(image.reshape(-1), mask.reshape(-1), believed.reshape(-1), *given, d_points)
        for end in range(found):
            for point in (ends[end, 0], ends[end, 2]):
                # Calls with arrays are slow, so test first: most points are done already.
                if d_points[point, 0] != 0.0 or d_points[point, 1] != 0.0:
                    _screen_adjoint(point, clip, parents, 0.5 * width, 0.5 * height, d_points, d_clip)
        counts[k] = _vertex_gradients(ends, found, parents, matrices[view], d_clip, vertex_ids[k], gradients[k])


@device
def project(points: Floats, matrix: Floats, clip: Floats) -> None:
    """Clip positions [V,4] of points [V,3]."""
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for r in range(4):
            clip[i, r] = matrix[r, 0] * x + matrix[r, 1] * y + matrix[r, 2] * z + matrix[r, 3]


@device
def _sum_up(drawn: Images, mask: Images, believed: Images, sums: Floats) -> None:
    """Add a view's squares, both images, and |differences|, each times the confidence [1,H,W], if any ([0,H,W])."""
    for row in range(len(drawn)):
        if len(believed):
            square, both, apart = _sum_believed_row(drawn[row], mask[row], believed[0, row])
        else:
            square, both, apart = _sum_row(drawn[row], mask[row])
        sums[0] += square
        sums[1] += both
        sums[2] += apart


@njit(nogil=True, fastmath={"reassoc", "contract"})
def _sum_row(drawn: Images, mask: Images) -> tuple[float, float, float]:
    """Sums in any order, so that several pixels are added at a time."""
    square, both, apart = np.float32(0), np.float32(0), np.float32(0)
    for i in range(len(drawn)):
        difference = drawn[i] - mask[i]
        square += difference * difference
        both += drawn[i] + mask[i]
        apart += abs(difference)
    return square, both, apart  # type: ignore[return-value]


@njit(nogil=True, fastmath={"reassoc", "contract"})
def _sum_believed_row(drawn: Images, mask: Images, believed: Images) -> tuple[float, float, float]:
    """The same of pixels that count for more or less."""
    square, both, apart = np.float32(0), np.float32(0), np.float32(0)
    for i in range(len(drawn)):
        difference = drawn[i] - mask[i]
        square += believed[i] * (difference * difference)
        both += believed[i] * (drawn[i] + mask[i])
        apart += believed[i] * abs(difference)
    return square, both, apart  # type: ignore[return-value]


@device
def _misfit_adjoint(
    drawn: Images, mask: Images, believed: Images, scale: float, of_rows: int, found: int, pixel: Ints, ends: Ints,
    share: Floats, d_screen: Floats,
) -> None:  # fmt: skip
    """Add up the loss's gradient at the points of the contour, in pixels; `believed` is empty or as long as `mask`."""
    for k in range(found):
        d_coverage = scale * (np.float64(drawn[pixel[k]]) - np.float64(mask[pixel[k]]))
        if len(believed):
            d_coverage *= np.float64(believed[pixel[k]])
        for end in range(2):
            d_x, d_y = end_gradient(d_coverage, k < of_rows, share[k, end], share[k, 2])
            d_screen[ends[k, 2 * end], 0] += d_x
            d_screen[ends[k, 2 * end], 1] += d_y


@device
def _screen_adjoint(
    point: int, clip: Floats, parents: Ints, half_width: float, half_height: float, d_screen: Floats, d_clip: Floats
) -> None:
    """Convert the gradient at a point on the screen to one in clip space, and reset it to zero."""
    d_x, d_y = d_screen[point, 0], d_screen[point, 1]
    d_screen[point, 0], d_screen[point, 1] = 0.0, 0.0
    cut = point - len(clip)
    if cut < 0:
        ndc_adjoint(clip, point, np.int32(-1), d_x * half_width, -d_y * half_height, d_clip)  # type: ignore[arg-type]
    else:
        ndc_adjoint(clip, parents[cut, 0], parents[cut, 1], d_x * half_width, -d_y * half_height, d_clip)


@device
def _vertex_gradients(
    ends: Ints, found: int, parents: Ints, matrix: Floats, d_clip: Floats, vertex_ids: Ints, gradients: Floats
) -> int:  # fmt: skip
    """List the contour's vertices with their gradients in object space, and reset d_clip to zero; their number."""
    count = 0
    for k in range(found):
        for corner in range(CORNERS):
            v = ends[k, corner // 2 * 2]
            cut = v - len(d_clip)
            if cut >= 0:
                v = parents[cut, corner % 2]
            x, y, z, w = d_clip[v, 0], d_clip[v, 1], d_clip[v, 2], d_clip[v, 3]
            if x == 0.0 and y == 0.0 and z == 0.0 and w == 0.0:
                continue
            for axis in range(3):
                d_xy = matrix[0, axis] * x + matrix[1, axis] * y
                gradients[count, axis] = d_xy + matrix[2, axis] * z + matrix[3, axis] * w
            vertex_ids[count] = v
            count += 1
            d_clip[v, 0], d_clip[v, 1], d_clip[v, 2], d_clip[v, 3] = 0.0, 0.0, 0.0, 0.0
    return count


@kernel
def _sum_views(counts: Ints, vertex_ids: Ints, gradients: Floats, gradient: Floats) -> None:
    """Add up the views' gradients, in the order of the views."""
    for view in range(len(counts)):
        for k in range(counts[view]):
            for axis in range(3):
                gradient[vertex_ids[view, k], axis] += gradients[view, k, axis]
