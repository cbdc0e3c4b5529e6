"""Cameras that are slightly wrong, set right by the shape and colours that all photographs agree on.

Each camera is moved until the drawn shape fits its photograph: the outline by coverage, the inside by colour, coarse
pictures first. It is a nonlinear least-squares problem of six numbers a camera (and a focal length for all), solved by
Levenberg and Marquardt's method. Pictures are drawn at a handful of cameras at a time, so central differences are as
good as derivatives and need no gradient through visibility.

A camera's motion is told as that of the object before it: a twist about the object's middle, which keeps rotation and
shift nearly independent. The mean of all twists is taken out: moving all cameras together explains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import ops
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.topology import Topology, topology
from invrender.parameters.frame import Frame
from invrender.photometry.photos import Photos, cropping, smaller

Tensor = torch.Tensor
Floats = NDArray[np.float64]

LEVELS = (4, 2, 1)  # how many times smaller the pictures are
ROUNDS = 4  # at each of them
COLOUR = 0.7  # weight of colours (sRGB, 0 to 1) relative to coverage
OUTLIER = 0.1  # difference of colours that counts half: the shape is not perfect, and surfaces shine
REACH = 0.5  # pixels that a step of the differences moves the object's rim
DAMPING, CALMER, BOLDER = 1e-3, 10.0, 0.3
STIFF = 1e-6  # added to the normal equations, relative to their largest entry
SMALLEST = 48  # pixels of a picture's shorter side, below which it is not made smaller


@dataclass(frozen=True)
class Moved:
    """Corrections of N cameras.

    Attributes:
        twist: [N,6] float64 in the normalised frame: rotation vector (radians), then shift, of the object.
        focal: log of the factor on all focal lengths.
    """

    twist: Tensor
    focal: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """What is drawn and compared: a mesh in the normalised frame with its edges, and its colours for each view."""

    vertices: Tensor
    faces: Tensor
    colours: Tensor
    edges: Topology


def register(
    vertices: Tensor,
    faces: Tensor,
    colours: Tensor,
    photos: Photos,
    backend: Backend,
    focal: bool = False,
    centred: bool = True,
) -> Moved:
    """The corrections under which a coloured mesh fits its photographs.

    Args:
        vertices, faces: [V,3] float64, [F,3] int64 in the photographs' frame.
        colours: [V,3] sRGB, or [N,V,3] for each photograph its own.
        photos: with the cameras to correct.
        backend: what draws.
        focal: whether one factor on the focal lengths is sought as well.
        centred: whether the mean of the twists is taken out.
    """
    each = colours.float().expand(len(photos), -1, -1)
    subject = Drawn(vertices, faces, each, topology(faces))
    moved = Moved(torch.zeros(len(photos), 6, dtype=torch.float64))
    levels = [level for level in LEVELS if level == 1 or min(photos.size) // level >= SMALLEST]
    for level in levels:
        small, crop = smaller(photos, level), cropping(photos.size, level)
        damping = torch.full((len(photos),), DAMPING, dtype=torch.float64)
        for _ in range(ROUNDS):
            moved, damping = _step(subject, small, crop, photos, moved, damping, focal, backend)
    return replace(moved, twist=moved.twist - moved.twist.mean(0)) if centred else moved


def _step(
    subject: Drawn, small: Photos, crop: Tensor, photos: Photos, moved: Moved, damping: Tensor, focal: bool,
    backend: Backend,
) -> tuple[Moved, Tensor]:  # fmt: skip
    """One step of all cameras; those that it does not help keep their place and are damped more."""
    size = 6 + int(focal)
    normal, right, before = [], [], []
    for view in range(len(small)):
        jacobian, residual = _linearised(subject, small, crop, photos, moved, view, size, backend)
        normal.append(jacobian @ jacobian.T)
        right.append(-(jacobian @ residual))
        before.append(float(residual @ residual))
    step, bend = _solved(torch.stack(normal), torch.stack(right), damping)
    tried = Moved(moved.twist + step, moved.focal + bend)
    after = [float(_residuals(subject, small, _matrices(crop, photos, tried, v), v, backend).square().sum())
             for v in range(len(small))]  # fmt: skip
    better = torch.tensor([a < b for a, b in zip(after, before, strict=True)])
    kept = torch.where(better[:, None], tried.twist, moved.twist)
    bend = tried.focal if sum(after) < sum(before) else moved.focal
    return Moved(kept, bend), torch.where(better, damping * BOLDER, damping * CALMER)


def _linearised(
    subject: Drawn, small: Photos, crop: Tensor, photos: Photos, moved: Moved, view: int, size: int, backend: Backend
) -> tuple[Tensor, Tensor]:
    """Derivatives [size,R] of a view's residuals by its twist (and the focal length), and the residuals [R]."""
    width = REACH * float(small.pixel[view])
    moves = [_matrices(crop, photos, moved, view)]
    for number in range(size):
        for sign in (1, -1):
            twist = moved.twist.clone()
            bent = moved.focal + sign * width if number == 6 else moved.focal
            if number < 6:
                twist[view, number] += sign * width
            moves.append(_matrices(crop, photos, Moved(twist, bent), view))
    drawn = _residuals(subject, small, torch.cat(moves), view, backend)
    return (drawn[1::2] - drawn[2::2]) / (2 * width), drawn[0]


def _residuals(subject: Drawn, small: Photos, matrices: Tensor, view: int, backend: Backend) -> Tensor:
    """Weighted differences [K,R] float64 of a photograph from K drawn pictures: coverage, then colours inside both."""
    homogeneous = torch.cat([subject.vertices, torch.ones_like(subject.vertices[:, :1])], 1)
    clip = (homogeneous @ matrices.transpose(1, 2)).float().to(backend.device)
    cover = ops.silhouette(backend, clip, subject.faces, subject.edges, small.size).cpu()
    face_id, _ = ops.rasterize(backend, clip, subject.faces, small.size)
    drawn = ops.interpolate(backend, subject.colours[view].to(backend.device), subject.faces, face_id, clip).cpu()
    known = small.confidence[view]
    outline = (cover - small.masks[view]) * known
    inside = (face_id.cpu() >= 0) & (small.masks[view] > 0.99)
    apart = (drawn - small.images[view]) * inside[..., None]
    robust = 1 / (1 + apart.square().sum(-1, keepdim=True) / OUTLIER**2)
    colour = COLOUR * apart * robust.sqrt() * known[..., None]
    return torch.cat([outline.flatten(1), colour.flatten(1)], 1).double()


def _matrices(crop: Tensor, photos: Photos, moved: Moved, view: int) -> Tensor:
    """[1,4,4]: the object moved, then seen, with another focal length, in the smaller picture."""
    seen = photos.clip_from_object[view] @ twisted(moved.twist[view])
    matrix: Tensor = crop @ longer(photos.principal[view], moved.focal) @ seen
    return matrix[None]


def twisted(twist: Tensor) -> Tensor:
    """The rigid motion [4,4] of a twist [6]: a rotation vector and a shift (the exponential map of SE(3))."""
    x, y, z, *shift = twist.tolist()
    generator = [[0, -z, y, shift[0]], [z, 0, -x, shift[1]], [-y, x, 0, shift[2]], [0, 0, 0, 0]]
    motion: Tensor = torch.linalg.matrix_exp(torch.tensor(generator, dtype=torch.float64))
    return motion


def longer(principal: Tensor, log_factor: float) -> Tensor:
    """[4,4] in clip space: pictures enlarged about their principal point [2] (clip x/w, y/w) by exp(log_factor)."""
    factor = float(np.exp(log_factor))
    change = torch.eye(4, dtype=torch.float64)
    change[0, 0] = change[1, 1] = factor
    change[:2, 3] = (1 - factor) * principal
    return change


def _solved(normal: Tensor, right: Tensor, damping: Tensor) -> tuple[Tensor, float]:
    """Steps [N,6] of damped normal equations [N,k,k], [N,k]; the seventh unknown, if there is one, is common to all."""
    count, size = right.shape
    common = size - 6
    whole = np.zeros((6 * count + common, 6 * count + common))
    target = np.zeros(len(whole))
    for view in range(count):
        at = np.r_[6 * view : 6 * view + 6, [6 * count] * common].astype(int)
        block = normal[view].clone()
        diagonal = block.diagonal()
        block += torch.diag(damping[view] * diagonal + STIFF * diagonal.max() + 1e-12)
        whole[np.ix_(at, at)] += block.numpy()
        target[at] += right[view].numpy()
    solution = np.linalg.solve(whole, target)
    return torch.from_numpy(solution[: 6 * count].reshape(count, 6)), float(solution[-1]) if common else 0.0


def corrected(cameras: Cameras, frame: Frame, moved: Moved) -> Cameras:
    """The cameras, in the world, with corrections that were found in a normalised frame."""
    to_world = torch.eye(4, dtype=torch.float64)
    to_world[:3, :3] *= frame.scale
    to_world[:3, 3] = torch.from_numpy(frame.centre)
    motions = torch.stack([to_world @ twisted(twist) @ torch.linalg.inv(to_world) for twist in moved.twist])
    projection = cameras.projection.clone()
    projection[:, 0, 0] *= float(np.exp(moved.focal))
    projection[:, 1, 1] *= float(np.exp(moved.focal))
    return Cameras(cameras.world_to_camera @ motions, projection, cameras.size)
