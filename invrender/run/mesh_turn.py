"""A mesh that turns at the end of its film: the result beside the asset that it came from, or the nearest view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh
from invrender.parameters.frame import Frame
from invrender.ranks.calls import pieces, spread
from invrender.render.images import to_bytes
from invrender.report.difference import MISSES, outlines
from invrender.run.mesh_views import MeshViews, Seen, drawn, three
from invrender.run.shots import Picture
from invrender.run.turntable import PAPER, Turntable, make_turntable, nearest_views, zoomed

Tensor = torch.Tensor

FRAMES, SPEED = 36, 12.0  # of a turn, in three seconds: while an estimate forms, and of the result


@dataclass(frozen=True)
class Turn:
    """A full circle around a mesh, in its normalised frame.

    Attributes:
        frame: that takes the world's points there.
        table: FRAMES cameras.
        backend: what draws.
    """

    frame: Frame
    table: Turntable
    backend: Backend

    @staticmethod
    def around(frame: Frame, size: int, views: Cameras, points: Tensor, backend: Backend) -> Turn:
        """The circle that holds points [P,3] of the normalised frame, in square pictures of `size` pixels."""
        return Turn(frame, make_turntable(FRAMES, size, views, points), backend)

    def placed(self, mesh: Mesh) -> Mesh:
        """A mesh of the world in the normalised frame."""
        return replace(mesh, vertices=torch.from_numpy(self.frame.normalise(mesh.vertices.cpu().double().numpy())))

    def world(self, mesh: Mesh) -> Mesh:
        """A mesh of the normalised frame in the world."""
        return replace(mesh, vertices=torch.from_numpy(self.frame.restore(mesh.vertices.cpu().double().numpy())))

    def place(self, number: int) -> int:
        """The camera of a film's picture."""
        return number % FRAMES

    def whole(self, number: int) -> list[int]:
        """The cameras of the turn that goes on from a picture's."""
        return [self.place(number + k) for k in range(FRAMES)]

    def seen(self, mesh: Mesh, cameras: Sequence[int], mode: str = "shaded", merged: bool = False) -> list[Seen]:
        """A mesh of the normalised frame from some of the cameras, as `mesh_views.drawn` has it; several processes
        share them."""
        shares = [list(cameras[piece]) for piece in pieces(len(cameras))]
        parts = spread(_seen, (mesh, self.table.cameras, mode, self.backend, merged), shares)
        return [each for part in parts for each in part]

    def nearest(self, shown: MeshViews, cameras: Sequence[int]) -> list[tuple[Picture, str]]:
        """For each of the cameras the nearest view, cut out and scaled like its own pictures, and its label."""
        some = Turntable(self.table.cameras[list(cameras)], self.table.directions[list(cameras)], self.table.distance)
        near = nearest_views(shown.views.cameras, some)
        found = {view: self._cut_out(shown, view, some) for view in set(near)}
        return [found[view] for view in near]

    def _cut_out(self, shown: MeshViews, view: int, table: Turntable) -> tuple[Picture, str]:
        placed = zoomed(shown.cut_out(view), shown.views.cameras[[view]], self.frame, table)
        picture = to_bytes(placed[..., :3] + (1 - placed[..., 3:]) * torch.tensor(PAPER))
        return picture, f"nearest {shown.shown.seat(view).label}"


def _seen(
    mesh: Mesh, cameras: Cameras, mode: str, backend: Backend, merged: bool, numbers: Sequence[int]
) -> list[Seen]:
    return drawn(mesh, cameras[list(numbers)], backend, mode, merged)


def overlaid(target: Seen, estimate: Seen, caption: str, quality: str, side: int) -> Picture:
    """A frame: an asset, an estimate of it, and where their silhouettes differ."""
    apart = outlines(estimate[0], target[1], estimate[1])
    labels = ("the asset", "estimate", f"difference: {MISSES}")
    return three((target[0], estimate[0], apart), labels, caption, quality, side)
