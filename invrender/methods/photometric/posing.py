"""Cameras that are slightly wrong, set right in rounds: a shape that fits all views, then each camera to it.

The shape balances the outlines of all views and the colours that a camera is moved by are those that the other
photographs show, so that each camera is drawn to what the rest agree on. Smooth shapes that fit the masks catch cameras
that are far off. Shapes that search has given their hollows then bring colours together to a fraction of a pixel, and
outlines count as far as they fit: masks may be off by a pixel in the same direction in many views. Where colours tell
next to nothing of cameras, as on smooth surfaces that shine, shapes stay smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.geometry.connectivity import orient_outward
from invrender.geometry.hull import visual_hull
from invrender.kernels import Backend
from invrender.methods.photometric.levels import ladder, level_phase
from invrender.methods.photometric.rounds import rounds_phase
from invrender.methods.silhouette import refine as silhouettes
from invrender.methods.silhouette.target import Shape, target_in
from invrender.nouns import Cameras, Views
from invrender.parameters.frame import Frame, frame_of
from invrender.photometry.common import Settled
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.registration import corrected, levels, register
from invrender.photometry.score import predicted
from invrender.photometry.together import register_together
from invrender.solve.loop import Loop
from invrender.solve.phase import Phase
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

ROUNDS = (6, 4)  # with smooth shapes, and with searched ones
FEWEST = (2, 1)
SMOOTH, SEARCHED = KINDS = ("smooth", "searched")  # cameras at the end of either rounds
GROWN = 4  # pixels by which masks are grown for the first shape: wrong cameras cut the hull down
EDGE, STEPS, RATE = 0.05, (80, 50), (0.02, 0.01)  # of the shape between cameras: coarse, at first and later
MEMBRANE = (3.0, 2.0, 1.0, 0.5)  # annealed over the rounds
WORLD, PROJECTION, LAST, SHARE = "world_to_camera ", "projection ", "last", "share"
TELLING = 0.05  # share of colours in what is known of cameras, below which shapes that follow them lead cameras astray
# pictures so many times smaller at first, later, in the last round
COARSE, FINE, FINEST = (4, 2), (2,), (2, 1)
LAST_LEVELS = (2, 1)  # of the finished shape
COARSE_ROUNDS = 3
STILL = 0.1  # pixels of motion in a round
SEARCHES = (0, 0, 1)  # levels of search of the rounds, and of all later ones
FARTHER, MOMENTUM = 1.6, 0.25  # of a round's motion and of the last one's: shape and cameras follow one another slowly
RESOLUTION = 64


@dataclass(frozen=True)
class Posing:
    """What cameras are set right by; each call is one round."""

    views: Views
    frame: Frame
    backend: Backend
    optimize: tuple[str, ...]
    smooth: int
    searched: int

    def __call__(self, params: Params, number: int) -> tuple[Params, Terms]:
        """Cameras and shape to the next ones; the first term is the cameras' motion, in pixels."""
        views = Views(cameras_of(params, self.views), self.views.masks, self.views.images, (), self.views.confidence)
        photos = photos_in(self.frame, views)
        last = params.get(LAST)
        if last is not None and number != self.smooth and self._still(last, photos):
            return params, {"motion": self._pixels(last, photos), "focal": 0.0}
        if number >= self.smooth and float(params[SHARE]) > TELLING:
            fine = shape = self._climbed(params, photos, number - self.smooth)
        else:
            shape = self._fitted(params, views, number)
            fine = subdivided(shape)
        outline = 1.0 if number < self.smooth else None
        settled = together(fine, photos, self.backend, self.optimize, self._levels(number), outline)
        moved = settled.moved
        if last is not None:
            moved = replace(moved, twist=FARTHER * moved.twist + MOMENTUM * last)
        cameras = corrected(views.cameras, self.frame, moved)
        terms = {"motion": self._pixels(moved.twist, photos), "focal": moved.focal}
        kept = {name: params[name] for name in params if name.startswith((WORLD, PROJECTION))}
        now = {**kept, **_as_params(cameras, SEARCHED), LAST: moved.twist, SHARE: torch.tensor(settled.share)}
        if number < self.smooth:
            now |= _as_params(cameras, SMOOTH)
        return {**silhouettes.as_params(carried(shape, settled.common)), **now}, terms

    @staticmethod
    def _pixels(twist: Tensor, photos: Photos) -> float:
        return float((twist.norm(dim=1) / photos.pixel).mean())

    def _still(self, last: Tensor, photos: Photos) -> bool:
        """Whether the cameras have come to rest; a focal length is slower than that."""
        return self._pixels(last, photos) < STILL and "intrinsics" not in self.optimize

    def _levels(self, number: int) -> Sequence[int]:
        """How many times smaller the pictures of a round are."""
        wanted = COARSE if number < COARSE_ROUNDS else FINE if number < self.smooth + self.searched - 1 else FINEST
        return [level for level in wanted if level in levels(self.views.cameras.size)] or [1]

    def _fitted(self, params: Params, views: Views, number: int) -> Shape:
        later = min(number, 1)
        membrane = MEMBRANE[min(number, len(MEMBRANE) - 1)]
        stage = silhouettes.Stage(STEPS[later], EDGE, RATE[later], membrane)
        target = target_in(self.frame, views, self.backend)
        begin = silhouettes.remeshed(silhouettes.shape_of(params), stage.edge_length)
        return _end_of(silhouettes.stage_phase(begin, target, stage, self.backend, silhouettes.Regulariser()))

    def _climbed(self, params: Params, photos: Photos, number: int) -> Shape:
        level = ladder(photos)[SEARCHES[min(number, len(SEARCHES) - 1)]]
        return _end_of(level_phase(silhouettes.shape_of(params), photos, level, self.backend))


def _end_of(phase: Phase) -> Shape:
    """The shape that a phase ends with."""
    loop = Loop(lambda finished: None if finished else phase)
    for _ in loop:
        pass
    return silhouettes.shape_of(loop.state.finished[-1].result)


def rounds_of(effort: float, many: bool) -> tuple[int, int]:
    """How many rounds there are with smooth shapes, and with searched ones.

    Where photographs are many, outlines from all sides tell poses better than what a search finds between them.
    """
    smooth, searched = (round(count * min(effort, 1.0)) for count in ROUNDS)
    return max(smooth, FEWEST[0]), 0 if many else max(searched, FEWEST[1])


def posing_phase(views: Views, backend: Backend, optimize: tuple[str, ...], rounds: tuple[int, int] = ROUNDS) -> Phase:
    """The phase that sets right what `optimize` names of cameras (pose, intrinsics).

    Its estimates are shapes in a frame of their own.
    """
    first, frame = _first(views)
    cameras = _as_params(views.cameras, SEARCHED)
    one = Posing(views, frame, backend, optimize, *rounds)
    phase = rounds_phase("cameras", {**silhouettes.as_params(first), **cameras}, sum(rounds), one)
    return replace(phase, recorded=False)


def _first(views: Views) -> tuple[Shape, Frame]:
    """A hull of masks that are grown a little, in its frame."""
    from scipy import ndimage

    disc = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), GROWN)
    masks = torch.stack([torch.from_numpy(ndimage.grey_dilation(mask.numpy(), footprint=disc)) for mask in views.masks])
    hull = visual_hull(masks, views.cameras, RESOLUTION, confidence=views.confidence, bounds=views.bounds)
    vertices, faces = hull.numpy()
    frame = frame_of(vertices)
    return Shape(frame.normalise(vertices), orient_outward(vertices, faces)), frame


def cameras_of(params: Params, views: Views, kind: str = SEARCHED) -> Cameras:
    """The cameras that parameters hold, for the views' pictures."""
    return Cameras(params[WORLD + kind], params[PROJECTION + kind], views.cameras.size)


def _as_params(cameras: Cameras, kind: str) -> Params:
    return {WORLD + kind: cameras.world_to_camera, PROJECTION + kind: cameras.projection}


def subdivided(shape: Shape) -> Shape:
    """The shape with four triangles for each: vertices to hold colours."""
    from trimesh.remesh import subdivide

    return Shape(*subdivide(shape.vertices, shape.faces))


def together(
    shape: Shape,
    photos: Photos,
    backend: Backend,
    optimize: Sequence[str],
    levels: Sequence[int],
    outline: float | None,
) -> Settled:
    """Corrections of all cameras, each by the colours that the other photographs show on a shape."""
    vertices, faces = (torch.from_numpy(np.asarray(a)) for a in (shape.vertices, shape.faces))
    return register_together(vertices, faces, photos, backend, optimize, levels, outline)


def settled(shape: Shape, views: Views, frame: Frame, optimize: Sequence[str], backend: Backend) -> tuple[Shape, Views]:
    """A finished shape and its views after the cameras have been set right once more, now that more is known.

    As they were, where photographs then predict one another worse.
    """
    photos = photos_in(frame, views)
    found = together(shape, photos, backend, optimize, LAST_LEVELS, None)
    after, moved = carried(shape, found.common), replace(views, cameras=corrected(views.cameras, frame, found.moved))
    before = predicted(shape.vertices, shape.faces, photos, backend).value
    better = predicted(after.vertices, after.faces, photos_in(frame, moved), backend).value > before
    return (after, moved) if better else (shape, views)


def carried(shape: Shape, motion: Tensor) -> Shape:
    """The shape after a similarity [4,4]."""
    return Shape(shape.vertices @ motion[:3, :3].numpy().T + motion[:3, 3].numpy(), shape.faces)


def by_the_model(shape: Shape, colours: Tensor, views: Views, frame: Frame, backend: Backend) -> Views:
    """Views whose cameras are set right by a finished model, for fair pictures of what it has not seen."""
    photos = photos_in(frame, views)
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    moved = register(vertices, faces, colours, photos, backend, centred=False)
    return replace(views, cameras=corrected(views.cameras, frame, moved))
