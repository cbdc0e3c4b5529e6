"""Cameras that are slightly wrong, set right by the shape and colours that all photographs agree on.

Each camera is moved until the drawn shape fits its photograph: the outline by coverage, the inside by colour, coarse
pictures first. It is a nonlinear least-squares problem of six numbers a camera (and a focal length for all), solved by
Levenberg and Marquardt's method.

A camera's motion is told as that of the object before it: a twist about the object's middle, which keeps rotation and
shift nearly independent. What all cameras do together is taken out, for it explains nothing: the mean of the twists
and, where the object may change its size with them, the mean of the cameras' distances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.topology import topology
from invrender.parameters.frame import Frame
from invrender.photometry.photos import Photos, smaller
from invrender.photometry.tracking import Equations, Parts, Subject, equations, outlines

Tensor = torch.Tensor

LEVELS = (4, 2, 1)  # how many times smaller the pictures are
ROUNDS = 5  # at each of them
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

    @property
    def motions(self) -> Tensor:
        """[N,4,4] of the object before each camera."""
        return torch.stack([twisted(twist) for twist in self.twist])


def register(
    vertices: Tensor,
    faces: Tensor,
    colours: Tensor,
    photos: Photos,
    backend: Backend,
    focal: bool = False,
    centred: bool = True,
    outline: float | None = None,
) -> Moved:
    """The corrections under which a coloured mesh fits its photographs.

    Args:
        vertices, faces: [V,3] float64, [F,3] int64 in the photographs' frame.
        colours: [V,3] sRGB, or [N,V,3] for each photograph its own.
        photos: with the cameras to correct.
        backend: what draws.
        focal: whether one factor on the focal lengths is sought as well.
        centred: whether the mean of the twists is taken out.
        outline: weight of coverage; None: for each photograph by how well masks and colours fit.
    """
    subject = Subject(vertices, faces, topology(faces))
    each = colours.float().expand(len(photos), -1, -1)
    motions, bend = torch.eye(4, dtype=torch.float64).repeat(len(photos), 1, 1), 0.0
    for level in levels(photos.size):
        small = smaller(photos, level)

        def parts(motions: Tensor, bend: float, small: Photos = small) -> Parts:
            matrices = seen_from(small, motions, bend)
            seen = outlines(subject, matrices, small.size, backend)
            known = torch.ones(each.shape[:2])
            return equations(subject, seen, each, known, small, motions, matrices, backend)

        first = parts(motions, bend)
        weight = first.worth if outline is None else outline
        damping, here = torch.full((len(photos),), DAMPING, dtype=torch.float64), first.together(weight)
        for _ in range(ROUNDS):
            step, bent = solved(here, damping, focal)
            tried = Moved(step).motions @ motions, bend + bent
            there = parts(*tried).together(weight)
            better = there.cost < here.cost
            damping = torch.where(better, damping * BOLDER, damping * CALMER)
            if focal and float(there.cost.sum()) >= float(here.cost.sum()):
                continue
            better = better | focal
            motions, bend = torch.where(better[:, None, None], tried[0], motions), tried[1]
            here = _chosen(better, there, here)
    moved = Moved(torch.stack([twist_of(motion) for motion in motions]), bend)
    return replace(moved, twist=moved.twist - moved.twist.mean(0)) if centred else moved


def levels(size: tuple[int, int]) -> list[int]:
    """How many times smaller the pictures are that are compared, coarse ones first."""
    return [level for level in LEVELS if level == 1 or min(size) // level >= SMALLEST]


def _chosen(first: Tensor, a: Equations, b: Equations) -> Equations:
    """a where `first` [N] holds, else b."""
    return Equations(
        torch.where(first[:, None, None], a.normal, b.normal),
        torch.where(first[:, None], a.right, b.right),
        torch.where(first, a.cost, b.cost),
        torch.where(first[:, None, None], a.scatter, b.scatter),
    )


def seen_from(photos: Photos, motions: Tensor, bend: float) -> Tensor:
    """[N,4,4]: the object moved by motions [N,4,4], then seen, with focal lengths exp(bend) times as long."""
    wider = torch.stack([longer(principal, bend) for principal in photos.principal])
    return wider @ photos.clip_from_object @ motions


def twisted(twist: Tensor) -> Tensor:
    """The rigid motion [4,4] of a twist [6]: a rotation vector and a shift (the exponential map of SE(3))."""
    x, y, z, *shift = twist.tolist()
    generator = [[0, -z, y, shift[0]], [z, 0, -x, shift[1]], [-y, x, 0, shift[2]], [0, 0, 0, 0]]
    motion: Tensor = torch.linalg.matrix_exp(torch.tensor(generator, dtype=torch.float64))
    return motion


def twist_of(motion: Tensor) -> Tensor:
    """The twist [6] of a rigid motion [4,4]."""
    from scipy.spatial.transform import Rotation

    turn = torch.from_numpy(Rotation.from_matrix(motion[:3, :3].numpy()).as_rotvec())
    # a motion's shift is linear in its twist's
    across = torch.stack([twisted(torch.cat([turn, unit]))[:3, 3] for unit in torch.eye(3, dtype=torch.float64)], 1)
    return torch.cat([turn, torch.linalg.solve(across, motion[:3, 3])])


def longer(principal: Tensor, log_factor: float) -> Tensor:
    """[4,4] in clip space: pictures enlarged about their principal point [2] (clip x/w, y/w) by exp(log_factor)."""
    factor = float(np.exp(log_factor))
    change = torch.eye(4, dtype=torch.float64)
    change[0, 0] = change[1, 1] = factor
    change[:2, 3] = (1 - factor) * principal
    return change


def solved(given: Equations, damping: Tensor, focal: bool, pose: bool = True) -> tuple[Tensor, float]:
    """Steps [N,6] of damped equations (damping [N]), and that of the seventh unknown, common to all.

    Either is 0 where it is not sought.
    The common one is found first, by eliminating the others (Schur's complement), and shrunk as far as it is noise.
    """
    diagonal = given.normal.diagonal(dim1=1, dim2=2)
    extra = damping[:, None] * diagonal + STIFF * diagonal[:, :6].amax(1, keepdim=True) + 1e-12
    normal = given.normal + torch.diag_embed(extra)
    if not pose:
        return torch.zeros_like(given.right[:, :6]), float(given.right[:, 6].sum() / normal[:, 6, 6].sum()) * focal
    own, common = normal[:, :6, :6], normal[:, :6, 6:]
    apart = torch.linalg.solve(own, torch.cat([given.right[:, :6, None], common], 2))
    if not focal:
        return apart[..., 0], 0.0
    rest = normal[:, 6, 6].sum() - (common[..., 0] * apart[..., 1]).sum()
    bend = (given.right[:, 6].sum() - (common[..., 0] * apart[..., 0]).sum()) / rest
    told = bend**2 * rest / given.dispersion.mean()  # by its variance: steps within noise would add up to a drift
    bend = bend * told / (1 + told)
    return apart[..., 0] - apart[..., 1] * bend, float(bend)


def corrected(cameras: Cameras, frame: Frame, moved: Moved) -> Cameras:
    """The cameras, in the world, with corrections that were found in a normalised frame."""
    to_world = torch.eye(4, dtype=torch.float64)
    to_world[:3, :3] *= frame.scale
    to_world[:3, 3] = torch.from_numpy(frame.centre)
    motions = to_world @ moved.motions @ torch.linalg.inv(to_world)
    projection = cameras.projection.clone()
    projection[:, 0, 0] *= float(np.exp(moved.focal))
    projection[:, 1, 1] *= float(np.exp(moved.focal))
    return Cameras(cameras.world_to_camera @ motions, projection, cameras.size)
