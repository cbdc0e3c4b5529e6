"""Silhouettes compared with masks in one pass: contours of all views at once, then drawing, loss and gradient by view.

The data of a view stay in the cache, and nothing of the size of all images is ever written. Only vertices on the
contour are projected and get a gradient, so a view returns a short list of them, and the sum over the views does not
depend on threads. Of some of the views, only those are drawn. Views whose near plane cuts the mesh are compared by way
of whole coverage images.
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

from invrender import losses
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import Indices, Mesh, packed_mesh, to_numpy
from invrender.backends.cpu.contour import Floats, Ints, Signs
from invrender.backends.cpu.outline import CAMERAS, Words, collect_edges, contour_of, mark_fronts, sees_all
from invrender.backends.cpu.silhouette import (
    ROOM_PER_LINE,
    draw_contour,
    end_gradient,
    silhouette_adjoint,
    silhouette_taped,
)
from invrender.backends.cpu.threads import parallel_for, thread_count
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Images: TypeAlias = NDArray[np.float32]
Workspace: TypeAlias = tuple[Images, NDArray[np.int32], Ints, Ints, Floats]

SHARE = 8192  # faces that are worth a thread
POINTS_PER_LINE = 4  # points of the contour that a view's list has room for at first, per scanline


@dataclass(frozen=True)
class Outline:
    """Scratch arrays for the contours of up to CAMERAS views: see `outline`; `parts` shares of the edges."""

    fronts: Words
    chosen: Indices
    seen: Words
    numbers: NDArray[np.int64]


@dataclass
class Misfit:
    """A mesh's connectivity and the masks its silhouettes are compared with; see `invrender.kernels.SilhouetteMisfit`.

    Attributes:
        mesh: faces, edges, edge_faces and signs as the kernels read them.
        topology: of the mesh.
        count: of vertices.
        masks: [N,H,W] float32.
        confidence: [N,H,W] float32, or [0,H,W] where all pixels count alike.
        weight: [N] float64.
        room: for ends of intervals per view, and for points of its contour; they grow when they did not suffice.
        outline, workspaces: scratch arrays, kept from call to call; the latter of each thread.
        lists: [M,K] and [M,K,3], the vertices and their gradients of as many views as were compared, kept likewise.
    """

    mesh: Mesh
    topology: Topology
    count: int
    masks: Images
    confidence: Images
    weight: Floats
    room: tuple[int, int]
    outline: Outline | None = None
    workspaces: list[Workspace] = field(default_factory=list)
    lists: tuple[Ints, Floats] | None = None

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        """Misfit, its gradient with the vertices [V,3] float64, and IoU [M] float64, of all views or of M of them."""
        points, matrices = to_numpy(vertices.double()), to_numpy(clip_from_object.double())
        chosen = np.arange(len(matrices)) if views is None else np.arange(len(matrices))[np.asarray(views, np.int64)]
        plain = np.empty(len(matrices), np.int8)
        sees_all(points, matrices, plain)
        sums, gradient = np.zeros((len(chosen), 3)), np.zeros_like(points)
        whole = np.flatnonzero(plain[chosen])
        for begin in range(0, len(whole), CAMERAS):
            block = whole[begin : begin + CAMERAS]
            sums[block] = self._add_block(points, matrices, chosen[block], gradient)
        for row in np.flatnonzero(plain[chosen] == 0):
            sums[row] = self._add_cut(points, matrices, int(chosen[row]), gradient)
        common, joint = (sums[:, 1] - sums[:, 2]) / 2, (sums[:, 1] + sums[:, 2]) / 2
        iou = np.divide(common, joint, out=np.ones(len(chosen)), where=joint > 0)
        return float(self.weight[chosen] @ sums[:, 0]), torch.from_numpy(gradient), torch.from_numpy(iou)

    def _add_block(self, points: Floats, matrices: Floats, views: NDArray[np.int64], gradient: Floats) -> Floats:
        """Sums [M,3] as in `_sum_up` of views that have the whole mesh before them; adds to the gradient."""
        faces, edges, edge_faces, signs = self.mesh
        parts = max(1, min(thread_count(), len(faces) // SHARE))
        outline = self._outline(parts)
        parallel_for(partial(mark_fronts, points, matrices, views, faces, outline.fronts), parts)
        found = (outline.fronts, outline.chosen, outline.seen, outline.numbers)
        parallel_for(partial(collect_edges, edge_faces, signs, *found), parts)
        needed, sums = np.zeros((2, len(views)), np.int32), np.zeros((len(views), 3))
        while True:
            lists = self._lists(len(views))
            while len(self.workspaces) < min(len(views), thread_count()):
                self.workspaces.append(self._workspace())
            compared = (self.masks, self.confidence, self.weight)
            given = (points, matrices, views, edges, edge_faces, signs, *found, *compared, needed, sums, *lists)
            parallel_for(partial(self._compare, given), len(views))
            most = (int(needed[0].max(initial=0)), int(needed[1].max(initial=0)))
            if most[0] <= self.room[0] and most[1] <= self.room[1]:
                break
            self.room = (max(self.room[0], most[0]), max(self.room[1], most[1]))
            self.workspaces, self.lists = [], None
        _sum_views(needed[1], *lists, gradient)
        return sums

    def _add_cut(self, points: Floats, matrices: Floats, view: int, gradient: Floats) -> Floats:
        """The same of one view, wherever its near plane lies."""
        clip = torch.from_numpy(np.column_stack([points, np.ones(len(points))]) @ matrices[view].T)[None]
        coverage, tape = silhouette_taped(
            clip, torch.from_numpy(self.mesh[0].astype(np.int64)), self.topology, self.masks.shape[1:]
        )
        believed = self.confidence[view : view + 1] if len(self.confidence) else None
        given = (
            torch.from_numpy(self.masks[view : view + 1]).double(), torch.from_numpy(self.weight[view : view + 1]),
            None if believed is None else torch.from_numpy(believed).double(),
        )  # fmt: skip
        d_clip = silhouette_adjoint(losses.silhouette_misfit_gradient(coverage, *given), tape)[0].numpy()
        gradient += d_clip @ matrices[view][:, :3]
        sums = np.zeros(3)
        _sum_up(coverage[0].float().numpy(), self.masks[view], self.confidence[view : view + 1], sums)
        return sums

    def _outline(self, parts: int) -> Outline:
        if self.outline is None or len(self.outline.numbers) != parts:
            faces, edges = len(self.mesh[0]), len(self.mesh[1])
            self.outline = Outline(
                np.empty(faces + 1, np.uint64), np.empty(edges + 1, np.uint32), np.empty(edges + 1, np.uint64),
                np.zeros(parts, np.int64),
            )  # fmt: skip
        return self.outline

    def _lists(self, views: int) -> tuple[Ints, Floats]:
        if self.lists is None or len(self.lists[0]) < views:
            self.lists = np.empty((views, self.room[1]), np.int32), np.empty((views, self.room[1], 3), np.float64)
        return self.lists

    def _compare(self, given: tuple[Any, ...], first: int, step: int) -> None:
        arguments: tuple[Any, ...] = (*given, *self.workspaces[first], first, step)
        _compare(*arguments)

    def _workspace(self) -> Workspace:
        room = self.room[0]
        return (
            np.empty(self.masks.shape[1:], np.float32),
            np.full(self.count, -1, np.int32),
            np.empty(room, np.int32),
            np.empty((room, 4), np.int32),
            np.empty((room, 3)),
        )


def silhouette_misfit(
    faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor, confidence: Tensor | None = None
) -> Misfit:
    """Prepare a comparison; see `invrender.kernels.MakeMisfit`."""
    mesh = packed_mesh(faces, topology, count)
    lines = masks.shape[1] + masks.shape[2]
    believed = masks[:0] if confidence is None else confidence
    compared = (to_numpy(masks.float()), to_numpy(believed.float()), to_numpy(weight.double()))
    return Misfit(mesh, topology, count, *compared, (ROOM_PER_LINE * lines, POINTS_PER_LINE * lines))


@kernel
def _compare(
    points: Floats, matrices: Floats, views: NDArray[np.int64], edges: Indices, edge_faces: Indices, signs: Signs,
    fronts: Words, chosen: Indices, seen: Words, numbers: NDArray[np.int64], masks: Images, confidence: Images,
    weight: Floats, needed: Ints, sums: Floats, vertex_ids: Ints, gradients: Floats, image: Images, number_of: Ints,
    pixel: Ints, ends: Ints, share: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views views[first], views[first + step], ...: sums as in `_sum_up`, and gradients of vertices."""
    for k in range(first, len(views), step):
        view = views[k]
        ids, x, y, seg_ends, coefficient = contour_of(
            k, points, matrices[view], edges, edge_faces, signs, fronts, chosen, seen, numbers, image.shape[0],
            image.shape[1], number_of,
        )  # fmt: skip
        found, of_rows = draw_contour(x, y, seg_ends, coefficient, image, pixel, ends, share)
        needed[0, k], needed[1, k] = found, len(ids)
        if found > len(pixel) or len(ids) > vertex_ids.shape[1]:
            continue
        mask, believed = masks[view], confidence[min(view, len(confidence)) : view + 1]
        sums[k] = 0.0
        _sum_up(image, mask, believed, sums[k])
        d_screen = np.zeros((len(ids), 2), np.float64)
        given = (2.0 * weight[view], of_rows, found, pixel, ends, share)
        _misfit_adjoint(image.reshape(-1), mask.reshape(-1), believed.reshape(-1), *given, d_screen)
        _vertex_gradients(
            ids, points, matrices[view], 0.5 * image.shape[1], 0.5 * image.shape[0], d_screen, vertex_ids[k],
            gradients[k],
        )  # fmt: skip


@kernel
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
def _vertex_gradients(
    ids: Ints, points: Floats, matrix: Floats, half_width: float, half_height: float, d_screen: Floats,
    vertex_ids: Ints, gradients: Floats,
) -> None:  # fmt: skip
    """List the contour's vertices with their gradients in object space, from those in pixels."""
    for i in range(len(ids)):
        v = np.uint32(ids[i])
        vertex_ids[i] = ids[i]
        a, b, c = points[v, 0], points[v, 1], points[v, 2]
        x = matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3]
        y = matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3]
        scale = 1.0 / (matrix[3, 0] * a + matrix[3, 1] * b + matrix[3, 2] * c + matrix[3, 3])
        d_x, d_y = d_screen[i, 0] * half_width * scale, -d_screen[i, 1] * half_height * scale
        d_w = -(d_x * x + d_y * y) * scale
        for axis in range(3):
            gradients[i, axis] = d_x * matrix[0, axis] + d_y * matrix[1, axis] + d_w * matrix[3, axis]


@kernel
def _sum_views(counts: Ints, vertex_ids: Ints, gradients: Floats, gradient: Floats) -> None:
    """Add up the views' gradients, in the order of the views."""
    for view in range(len(counts)):
        for k in range(counts[view]):
            for axis in range(3):
                gradient[vertex_ids[view, k], axis] += gradients[view, k, axis]
