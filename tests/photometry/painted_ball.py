"""A painted unit ball and photographs of it, analytically."""

from __future__ import annotations

import numpy as np
import torch
from trimesh.creation import icosphere

from invrender.cameras.rigs import rig
from invrender.nouns import Cameras, Views
from invrender.parameters.frame import Frame
from invrender.photometry.photos import Photos, photos_in

SIZE = (96, 128)
FRAME = Frame(np.array([5.0, -2.0, 1.0]), 3.0)


def ball(subdivisions: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    mesh = icosphere(subdivisions=subdivisions)
    return torch.from_numpy(np.array(mesh.vertices)), torch.from_numpy(np.array(mesh.faces, np.int64))


def painted(points: torch.Tensor) -> torch.Tensor:
    """The ball's colours, linear."""
    return 0.5 + 0.4 * torch.sin(3 * points + torch.tensor([0.0, 1.0, 2.0]))


def taken(count: int = 6, fine: int = 1) -> Photos:
    """Photographs by rays through pixel centres, analytically; unit ball in a frame that is not the world's.

    Args:
        count: how many.
        fine: rays along each side of a pixel that tell its coverage.
    """
    return photos_in(FRAME, photographed(rig("sphere", count, FRAME.centre, 3.0, SIZE), fine))


def photographed(cameras: Cameras, fine: int = 1) -> Views:
    """The ball, in FRAME, as cameras see it."""
    root, hit = _met(cameras, 1)
    cover = (_met(cameras, fine)[0] > 0).float().reshape(len(cameras), SIZE[0], fine, SIZE[1], fine).mean((2, 4))
    images = torch.where(root[..., None] > 0, painted(hit), 0).reshape(len(cameras), *SIZE, 3)
    return Views(cameras, cover, images.float())


def _met(cameras: Cameras, fine: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Discriminants [N,P] of rays through the pixels (above 0: the ball is hit), and points [N,P,3] that they hit."""
    inverse = torch.linalg.inv(FRAME.clip_matrices(cameras))
    y, x = torch.meshgrid(*((torch.arange(fine * n) + 0.5) / (fine * n) * 2 - 1 for n in SIZE), indexing="ij")
    ends = torch.stack([x, -y, torch.ones_like(x), torch.ones_like(x)], -1).double()
    there = ends.reshape(-1, 4) @ inverse.transpose(1, 2)
    eye = torch.from_numpy(FRAME.normalise(cameras.position.numpy()))[:, None]
    ray = torch.nn.functional.normalize(there[..., :3] / there[..., 3:] - eye, dim=-1)
    half = (ray * eye).sum(-1)
    root = half**2 - (eye**2).sum(-1) + 1
    return root, eye + (-half - root.clamp(min=0).sqrt())[..., None] * ray
