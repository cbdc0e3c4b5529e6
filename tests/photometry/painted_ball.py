"""A painted unit ball and photographs of it, analytically."""

from __future__ import annotations

import numpy as np
import torch
from trimesh.creation import icosphere

from invrender.cameras.rigs import rig
from invrender.nouns import Views
from invrender.parameters.frame import Frame
from invrender.photometry.photos import Photos, photos_in

SIZE = (96, 128)


def ball(subdivisions: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    mesh = icosphere(subdivisions=subdivisions)
    return torch.from_numpy(np.array(mesh.vertices)), torch.from_numpy(np.array(mesh.faces, np.int64))


def painted(points: torch.Tensor) -> torch.Tensor:
    """The ball's colours, linear."""
    return 0.5 + 0.4 * torch.sin(3 * points + torch.tensor([0.0, 1.0, 2.0]))


def taken(count: int = 6) -> Photos:
    """Photographs by rays through pixel centres, analytically; unit ball in a frame that is not the world's."""
    frame = Frame(np.array([5.0, -2.0, 1.0]), 3.0)
    cameras = rig("sphere", count, frame.centre, 3.0, SIZE)
    inverse = torch.linalg.inv(frame.clip_matrices(cameras))
    y, x = torch.meshgrid(*((torch.arange(n) + 0.5) / n * 2 - 1 for n in SIZE), indexing="ij")
    ends = torch.stack([x, -y, torch.ones_like(x), torch.ones_like(x)], -1).double()
    there = ends.reshape(-1, 4) @ inverse.transpose(1, 2)
    eye = torch.from_numpy(frame.normalise(cameras.position.numpy()))[:, None]
    ray = torch.nn.functional.normalize(there[..., :3] / there[..., 3:] - eye, dim=-1)
    half = (ray * eye).sum(-1)
    root = half**2 - (eye**2).sum(-1) + 1
    hit = eye + (-half - root.clamp(min=0).sqrt())[..., None] * ray
    images = torch.where(root[..., None] > 0, painted(hit), 0).reshape(count, *SIZE, 3)
    return photos_in(frame, Views(cameras, (root > 0).reshape(count, *SIZE).float(), images.float()))
