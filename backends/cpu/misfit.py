"""Silhouettes compared with masks in one pass: contours of all views at once, then loss and gradient by view.

No silhouette is drawn: its runs are compared with what is known of the masks' rows (`runs`). Only vertices on the
contour are projected and get a gradient, so a view returns a short list of them, and the sum over the views does not
depend on threads. Of some of the views, only those are compared. Views whose near plane cuts the mesh are compared by
way of whole coverage images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from time import sleep
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import losses
from invrender.backends.cpu.arrays import Indices, Mesh, packed_mesh, to_numpy
from invrender.backends.cpu.compare_views import COUNTERS, CUT, compare_views, sum_views
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.outline import CAMERAS, PIECE, Words
from invrender.backends.cpu.runs import STEP, Images, Masks, sum_rows
from invrender.backends.cpu.silhouette import ROOM_PER_LINE, silhouette_adjoint, silhouette_taped
from invrender.backends.cpu.threads import parallel_for, share_out, thread_count
from invrender.kernels import Size
from invrender.nouns.coverage import FULL, coverage
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Workspace: TypeAlias = tuple[Images, NDArray[np.int32], Ints, Ints, Floats, Floats]

POINTS_PER_LINE = 4  # points of the contour that a view's list has room for at first, per scanline


class Compared(NamedTuple):
    """Masks, and sums of them that do not depend on silhouettes; flat by view, for kernels to index.

    Attributes:
        masks: [N,HW] float32, or uint8 in units of 1/255.
        confidence: [N,HW] float32, or [1,0] where all pixels count alike.
        unit: what the masks' numbers are multiples of.
        weighed, trust, totals: see `runs.sum_rows`; trust [1,0] where there is no confidence.
    """

    masks: Masks
    confidence: Images
    unit: float
    weighed: Floats
    trust: Floats
    totals: Floats


class Outline(NamedTuple):
    """Scratch arrays for the contours of up to CAMERAS views, see `outline`; numbers and boxes are by piece."""

    fronts: Words
    chosen: Indices
    seen: Words
    numbers: NDArray[np.int64]
    boxes: Floats


@dataclass
class Misfit:
    """A mesh's connectivity and the masks its silhouettes are compared with; see `invrender.kernels.SilhouetteMisfit`.

    Attributes:
        mesh: faces, edges, edge_faces and signs as the kernels read them.
        topology: of the mesh.
        count: of vertices.
        size: (H, W) of the masks.
        compared: the masks.
        weight: [N] float64.
        room: for ends of intervals per view, and for points of its contour; they grow when they did not suffice.
        outline, workspaces: scratch arrays, kept from call to call; the latter of each thread.
        lists: [M,K] and [M,K,3], the vertices and their gradients of as many views as were compared, kept likewise.
    """

    mesh: Mesh
    topology: Topology
    count: int
    size: Size
    compared: Compared
    weight: Floats
    room: tuple[int, int]
    outline: Outline
    workspaces: list[Workspace] = field(default_factory=list)
    lists: tuple[Ints, Floats] | None = None

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        """Misfit, its gradient with the vertices [V,3] float64, and IoU [M] float64, of all views or of M of them."""
        points, matrices = to_numpy(vertices.double()), to_numpy(clip_from_object.double())
        chosen = np.arange(len(matrices)) if views is None else np.arange(len(matrices))[np.asarray(views, np.int64)]
        misfit, gradient, iou = 0.0, np.zeros_like(points), np.empty(len(chosen))
        for begin in range(0, len(chosen), CAMERAS):
            block = slice(begin, begin + CAMERAS)
            misfit += self._add_block(points, matrices, chosen[block], gradient, iou[block])
        return misfit, torch.from_numpy(gradient), torch.from_numpy(iou)

    def _add_block(
        self, points: Floats, matrices: Floats, views: NDArray[np.int64], gradient: Floats, iou: Floats
    ) -> float:
        """The misfit of some views; fills their iou [M], and adds to the gradient [V,3]."""
        threads = min(len(views), thread_count())
        needed, sums = np.zeros((2, len(views)), np.int32), np.zeros((len(views), 3))
        while True:
            lists = self._lists(len(views))
            while len(self.workspaces) < threads:
                self.workspaces.append(self._workspace())
            given = (
                np.zeros(COUNTERS, np.int64), points, matrices, views, *self.mesh, *self.outline, *self.compared,
                self.weight, *self.size, needed, sums, *lists,
            )  # fmt: skip
            share_out(partial(self._compare, given), threads)
            most = (int(needed[0].max(initial=0)), int(needed[1].max(initial=0)))
            if most[0] <= self.room[0] and most[1] <= self.room[1]:
                break
            self.room = (max(self.room[0], most[0]), max(self.room[1], most[1]))
            self.workspaces, self.lists = [], None
        for row in np.flatnonzero(needed[1] == CUT):
            sums[row] = self._add_cut(points, matrices, int(views[row]), gradient)
        return sum_views(needed[1], *lists, gradient, sums, self.weight, views, iou)

    def _add_cut(self, points: Floats, matrices: Floats, view: int, gradient: Floats) -> Floats:
        """Squares, both images, and |differences| [3] of one view, wherever its near plane lies, each times the
        confidence; adds to the gradient."""
        clip = torch.from_numpy(np.column_stack([points, np.ones(len(points))]) @ matrices[view].T)[None]
        faces = torch.from_numpy(self.mesh[0].astype(np.int64))
        coverage, tape = silhouette_taped(clip, faces, self.topology, self.size)
        mask = torch.from_numpy(self.compared.masks[view]).view(coverage.shape).double() * self.compared.unit
        believed = torch.ones_like(mask)
        if self.compared.confidence.size:
            believed = torch.from_numpy(self.compared.confidence[view]).view(coverage.shape).double()
        given = (coverage, mask, torch.from_numpy(self.weight[view : view + 1]), believed)
        d_clip = silhouette_adjoint(losses.silhouette_misfit_gradient(*given), tape)[0].numpy()
        gradient += d_clip @ matrices[view][:, :3]
        difference = coverage - mask
        parts = (difference.square(), coverage + mask, difference.abs())
        return np.array([float((believed * part).sum()) for part in parts])

    def _lists(self, views: int) -> tuple[Ints, Floats]:
        if self.lists is None or len(self.lists[0]) < views:
            self.lists = np.empty((views, self.room[1]), np.int32), np.empty((views, self.room[1], 3), np.float64)
        return self.lists

    def _compare(self, given: tuple[Any, ...], thread: int) -> None:
        arguments: tuple[Any, ...] = (*given, *self.workspaces[thread])
        while not compare_views(*arguments):
            sleep(0)

    def _workspace(self) -> Workspace:
        room = self.room[0]
        return (
            np.zeros(self.size[0] * self.size[1], np.float32),
            np.full(self.count, -1, np.int32),
            np.empty(room, np.int32),
            np.empty((room, 4), np.int32),
            np.empty((room, 3)),
            np.empty(room),
        )


def silhouette_misfit(
    faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor, confidence: Tensor | None = None
) -> Misfit:
    """Prepare a comparison; see `invrender.kernels.MakeMisfit`."""
    mesh = packed_mesh(faces, topology, count)
    lines = masks.shape[1] + masks.shape[2]
    room = (ROOM_PER_LINE * lines, POINTS_PER_LINE * lines)
    pieces = -(-len(mesh[1]) // PIECE)
    outline = Outline(
        np.empty(len(mesh[0]) + 1, np.uint64), np.empty(len(mesh[1]), np.uint32), np.empty(len(mesh[1]), np.uint64),
        np.zeros(pieces, np.int64), np.empty((-(-count // PIECE), 7)),
    )  # fmt: skip
    size, compared = (masks.shape[1], masks.shape[2]), _compared(masks, confidence)
    return Misfit(mesh, topology, count, size, compared, to_numpy(weight.double()), room, outline)


def _compared(masks: Tensor, confidence: Tensor | None) -> Compared:
    """Prepare masks of uint8 or of any floating-point type, which become float32."""
    views, height, width = masks.shape
    given = to_numpy(masks if masks.dtype == torch.uint8 else masks.float())
    believed = (
        np.empty((0, height, width), np.float32) if confidence is None else to_numpy(coverage(confidence).float())
    )
    unit, sums = 1 / FULL if masks.dtype == torch.uint8 else 1.0, width // STEP + 1
    exact = given.dtype == np.uint8 and confidence is None and FULL * width < 2**24  # whole numbers that float32 holds
    weighed = np.empty((views, height, sums), np.float32 if exact else np.float64)
    trust = np.empty((len(believed), height, sums))
    totals = np.empty((views, 2))
    parallel_for(partial(sum_rows, given, believed, unit, weighed, trust, totals), views)
    of_views, of_confidence = (views, -1), (max(len(believed), 1), -1)
    return Compared(
        given.reshape(of_views), believed.reshape(of_confidence), unit, weighed.reshape(of_views),
        trust.reshape(of_confidence), totals,
    )  # fmt: skip
