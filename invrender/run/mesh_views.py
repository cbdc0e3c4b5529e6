"""Meshes beside what they are made from: a view of the input, the estimate from its camera, both outlines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from invrender.geometry.carving import known_mask, known_pixels
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh, Views
from invrender.nouns.coverage import coverage, covers
from invrender.render.images import to_bytes
from invrender.render.raster import Solid, coverage_of, layers_of, solid_on
from invrender.render.sketch import Outline, outline, sketched
from invrender.report.compared import Compared
from invrender.report.difference import MISSES, enlarged, iou, outlines
from invrender.report.lettering import Panel, framed
from invrender.run.input_views import InputViews, Seat
from invrender.run.shots import Picture
from invrender.run.turntable import CLAY, LIGHT, PAPER
from invrender.shading.surface import Surface, surface_on

Tensor = torch.Tensor

Seen = tuple[Picture, np.ndarray]  # a picture, and the coverage [H,W] of what it shows

INK = (0.035, 0.05, 0.09)  # linear RGB of a silhouette
BLANK = 0.98  # share of black behind an object from which on a picture is a cut-out; its contour's pixels are none


@dataclass(frozen=True)
class Beside:
    """A view of the input and what an estimate shows from there, of one size; pictures are uint8 sRGB.

    Attributes:
        target, estimate, difference: [H,W,3].
        score: IoU of the silhouettes where the input's is known.
    """

    target: Picture
    estimate: Picture
    difference: Picture
    score: float


@dataclass(frozen=True)
class MeshViews:
    """Posed masks, with pictures or without, beside which meshes are drawn.

    Attributes:
        views: of the input.
        shown: the same as they are shown.
        backend: what draws.
    """

    views: Views
    shown: InputViews
    backend: Backend

    def beside(self, mesh: Mesh, seat: Seat, mode: str = "shaded", merged: bool = False) -> Beside:
        """A mesh in the world's frame from a view's camera: in clay, or in its colours (mode "color")."""
        ((estimate, cover),) = drawn(mesh, seat.camera, self.backend, mode, merged)
        mask, known = self._mask(seat)
        target = self._target(seat, mask)
        below = target if self.views.images is not None else estimate
        return Beside(target, estimate, outlines(below, mask, cover, known), iou(mask, cover, known))

    def _mask(self, seat: Seat) -> tuple[np.ndarray, np.ndarray | None]:
        number, believed = seat.number, self.views.confidence
        if believed is None:
            return seat.small(coverage(self.views.masks[number])).numpy(), None
        mask = coverage(known_mask(self.views, number))
        return seat.small(mask).numpy(), seat.small(known_pixels(believed[number]).float()).numpy() >= 0.5

    def _target(self, seat: Seat, mask: np.ndarray) -> Picture:
        if self.views.images is not None:
            image, alpha = self.views.images[seat.number].cpu(), coverage(self.views.masks[seat.number]).cpu()
            outside = (image[alpha <= 0] <= 0).double()
            if not len(outside) or float(outside.mean()) > BLANK:  # a cut-out, whose black means nothing
                image = image * alpha[..., None] + (1 - alpha[..., None]) * torch.tensor(PAPER)
            return to_bytes(seat.small(image))
        return to_bytes(inked(torch.from_numpy(mask)))

    def cut_out(self, number: int) -> Tensor:
        """A view's object, premultiplied linear RGB and alpha [H,W,4]: in its colours, or as ink."""
        mask = coverage(known_mask(self.views, number)).cpu()
        colour = torch.tensor(INK) if self.views.images is None else self.views.images[number].cpu()
        return torch.cat([colour * mask[..., None], mask[..., None]], -1)

    def frame(self, mesh: Mesh, seat: Seat, caption: str, quality: str, side: int, merged: bool = False) -> Picture:
        """A frame of a film: the view, the mesh in clay from its camera, and where they differ."""
        shown = self.beside(mesh, seat, merged=merged)
        labels = (seat.label, "estimate, from its camera", f"IoU {shown.score:.3f}: {MISSES}")
        pictures = (shown.target, shown.estimate, shown.difference)
        return three(pictures, labels, caption, quality, side)

    def compared(self, mesh: Mesh, number: int) -> Compared:
        """A view as a report shows it; its score counts exact coverage, not that of a quick picture."""
        seat = self.shown.seat(number)
        shown, (mask, known) = self.beside(mesh, seat), self._mask(seat)
        cover = coverage_of(_solid(mesh, self.backend), seat.camera, self.backend)[0]
        score = iou(mask, cover.clamp(0, 1).cpu().numpy(), known)
        name = self.shown.names[number]
        return Compared(name, shown.target, shown.estimate, shown.difference, score, "IoU")


def three(pictures: tuple[Picture, ...], labels: tuple[str, ...], caption: str, quality: str, side: int) -> Picture:
    """A frame of pictures side by side, each scaled to a longer side of `side` pixels."""
    panels = [Panel(enlarged(picture, side), label) for picture, label in zip(pictures, labels, strict=True)]
    return framed(panels, caption, quality, side=side)


def on_paper(picture: Picture, shape: tuple[int, int]) -> Picture:
    """A square picture in the middle of paper of a shape (rows, columns), as large as there is room."""
    small = enlarged(picture, min(shape))
    high, wide = (whole - own for whole, own in zip(shape, small.shape[:2], strict=True))
    ground = np.broadcast_to(to_bytes(torch.tensor(PAPER)), (*shape, 3)).copy()
    ground[high // 2 : high // 2 + small.shape[0], wide // 2 : wide // 2 + small.shape[1]] = small
    return ground


def drawn(mesh: Mesh, cameras: Cameras, backend: Backend, mode: str = "shaded", merged: bool = False) -> list[Seen]:
    """A mesh on paper, in clay ("shaded") or as it is ("color", "normal"), from each of the cameras.

    Args:
        mesh: of whatever kind; textures, and what is partly behind a camera, are drawn by the backend.
        cameras: N of them.
        backend: see above.
        mode: see above.
        merged: whether no two vertices lie in one place, which saves looking for them.
    """
    return [_seen(mesh, cameras[[number]], backend, mode, merged) for number in range(len(cameras))]


def _seen(mesh: Mesh, camera: Cameras, backend: Backend, mode: str, merged: bool) -> Seen:
    if mode != "color" or (mesh.material.texture is None and mesh.finish is None):
        found = sketched(_outlined(mesh, mode == "color", merged), camera, mode, CLAY, LIGHT, PAPER)
        if found is not None:
            return found
    drawn = layers_of(_ready(mesh, mode, backend), LIGHT, camera, mode, backend)[0].cpu().float()
    cover = drawn[..., 3].clamp(0, 1)
    return to_bytes(drawn[..., :3] + (1 - cover[..., None]) * torch.tensor(PAPER)), cover.numpy()


@lru_cache(maxsize=2)  # an asset is drawn again for every picture of a film, beside an estimate that changes
def _outlined(mesh: Mesh, coloured: bool, merged: bool) -> Outline:
    return outline(mesh, coloured, merged)


@lru_cache(maxsize=1)  # the views of a report are compared with one mesh
def _solid(mesh: Mesh, backend: Backend) -> Solid:
    return solid_on(backend, mesh)


def forget() -> None:
    """Let go of what is kept of meshes that were drawn last."""
    for kept in (_outlined, _solid, _ready):
        kept.cache_clear()


@lru_cache(maxsize=2)
def _ready(mesh: Mesh, mode: str, backend: Backend) -> Surface:
    body = Mesh(mesh.vertices, mesh.faces, material=CLAY) if mode == "shaded" else mesh
    return surface_on(backend.device, body)


def inked(coverage: Tensor) -> Tensor:
    """Coverage [...] as ink on paper, [...,3] linear."""
    share = coverage.clamp(0, 1)[..., None]
    return share * torch.tensor(INK) + (1 - share) * torch.tensor(PAPER)


def mesh_views(views: Views, names: tuple[str, ...], side: int, backend: Backend) -> MeshViews:
    """Posed masks as films show them, drawn with a longer side of at most `side` pixels."""
    occupied = (covers(known_mask(views, view)).cpu() for view in range(len(views)))
    return MeshViews(views, InputViews.of(views.cameras, names, occupied, side), backend)
