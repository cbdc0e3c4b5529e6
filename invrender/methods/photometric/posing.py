"""Cameras that are slightly wrong, set right in rounds: a smooth shape that fits all masks, then each camera to it.

The shape balances the outlines of all views and the colours that a camera is moved by are those that the other
photographs show, so that each camera is drawn to what the rest agree on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from scipy import ndimage

from invrender.geometry.connectivity import orient_outward
from invrender.geometry.hull import visual_hull
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.methods.photometric.rounds import as_params, rounds_phase
from invrender.methods.silhouette import refine as silhouettes
from invrender.methods.silhouette.target import Shape, target_in
from invrender.nouns import Cameras, Views
from invrender.nouns.topology import topology
from invrender.parameters.frame import Frame, frame_of
from invrender.photometry.blend import POWER, filled
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.registration import Moved, corrected, register
from invrender.photometry.sampling import Samples, depth_buffer, look_at_points
from invrender.solve.loop import Loop
from invrender.solve.phase import Phase
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

ROUNDS = 6
GROWN = 4  # pixels by which masks are grown for the first shape: wrong cameras cut the hull down
EDGE, STEPS, RATE = 0.05, (80, 50), (0.02, 0.01)  # of the shape between cameras: coarse, at first and later
MEMBRANE = (3.0, 2.0, 1.0, 0.5)  # annealed over the rounds
WORLD, PROJECTION = "world_to_camera", "projection"
SEEN = 0.05  # weight of the others from which on they tell a vertex's colour
RESOLUTION = 64


@dataclass(frozen=True)
class Posing:
    """What cameras are set right by; each call is one round."""

    views: Views
    frame: Frame
    backend: Backend
    focal: bool

    def __call__(self, params: Params, number: int) -> tuple[Params, Terms]:
        """Cameras and shape to the next ones; the first term is the cameras' motion, in pixels."""
        views = Views(cameras_of(params, self.views), self.views.masks, self.views.images, (), self.views.confidence)
        shape = self._fitted(params, views, number)
        photos = photos_in(self.frame, views)
        moved = by_the_others(shape, photos, self.backend, self.focal)
        cameras = corrected(views.cameras, self.frame, moved)
        motion = float((moved.twist.norm(dim=1) / photos.pixel).mean())
        terms = {"motion": motion, "focal": moved.focal}
        return {**as_params(shape), WORLD: cameras.world_to_camera, PROJECTION: cameras.projection}, terms

    def _fitted(self, params: Params, views: Views, number: int) -> Shape:
        later = min(number, 1)
        membrane = MEMBRANE[min(number, len(MEMBRANE) - 1)]
        stage = silhouettes.Stage(STEPS[later], EDGE, RATE[later], membrane)
        target = target_in(self.frame, views, self.backend)
        begin = silhouettes.remeshed(silhouettes.shape_of(params), stage)
        phase = silhouettes.stage_phase(begin, target, stage, self.backend, silhouettes.Regulariser())
        loop = Loop(lambda finished: None if finished else phase)
        for _ in loop:
            pass
        return silhouettes.shape_of(loop.state.finished[-1].result)


def posing_phase(views: Views, backend: Backend, focal: bool, rounds: int = ROUNDS) -> Phase:
    """The phase that sets the cameras of views right; its estimates are shapes in a frame of their own."""
    first, frame = _first(views)
    cameras = {WORLD: views.cameras.world_to_camera, PROJECTION: views.cameras.projection}
    phase = rounds_phase("cameras", {**as_params(first), **cameras}, rounds, Posing(views, frame, backend, focal))
    return replace(phase, recorded=False)


def _first(views: Views) -> tuple[Shape, Frame]:
    """A hull of masks that are grown a little, in its frame."""
    disc = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), GROWN)
    masks = torch.stack([torch.from_numpy(ndimage.grey_dilation(mask.numpy(), footprint=disc)) for mask in views.masks])
    hull = visual_hull(masks, views.cameras, RESOLUTION, confidence=views.confidence, bounds=views.bounds)
    vertices, faces = hull.numpy()
    frame = frame_of(vertices)
    return Shape(frame.normalise(vertices), orient_outward(vertices, faces)), frame


def cameras_of(params: Params, views: Views) -> Cameras:
    """The cameras that parameters hold, for the views' pictures."""
    return Cameras(params[WORLD], params[PROJECTION], views.cameras.size)


def by_the_others(shape: Shape, photos: Photos, backend: Backend, focal: bool) -> Moved:
    """Corrections of all cameras, each by the colours that the other photographs show."""
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    normals = torch.from_numpy(vertex_normals(shape.vertices, shape.faces))
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, backend)
    samples = look_at_points(vertices, normals, photos, depth)
    colours = [without(samples, view, shape) for view in range(len(photos))]
    if focal:  # one length for all: colours of each view its own, solved together
        return register(vertices, faces, torch.stack(colours), photos, backend, focal=True)
    each = [
        register(vertices, faces, colour[None], photos[[view]], backend, centred=False).twist
        for view, colour in enumerate(colours)
    ]
    twist = torch.cat(each)
    return Moved(twist - twist.mean(0))


def without(samples: Samples, view: int, shape: Shape) -> Tensor:
    """Colours [V,3] of a shape's vertices as all photographs but one show them."""
    weight = samples.weight**POWER
    weight[view] = 0
    total = weight.sum(0)
    mean = (weight[..., None] * samples.colours).sum(0) / total.clamp(min=1e-9)[:, None]
    return filled(mean, total > SEEN, topology(torch.from_numpy(shape.faces)))


def by_the_model(shape: Shape, colours: Tensor, views: Views, frame: Frame, backend: Backend) -> Views:
    """Views whose cameras are set right by a finished model, for fair pictures of what it has not seen."""
    photos = photos_in(frame, views)
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    moved = register(vertices, faces, colours, photos, backend, centred=False)
    return replace(views, cameras=corrected(views.cameras, frame, moved))
