"""Small photographs of a painted ball, analytically, as views and as a dataset on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from invrender.cameras.rigs import rig
from invrender.io.datasets.transforms import transforms_table
from invrender.io.images import write_png
from invrender.nouns import Cameras, Views

CENTRE, RADIUS = np.array([5.0, -2.0, 1.0]), 3.0
SIZE = (48, 56)
FINE = 4  # rays a pixel, along each side


def painted(points: torch.Tensor) -> torch.Tensor:
    """Linear colours of points [...,3] of the unit ball."""
    return 0.45 + 0.35 * torch.sin(5 * points + torch.tensor([0.0, 1.0, 2.0], dtype=points.dtype))


def around(count: int = 10, size: tuple[int, int] = SIZE) -> Cameras:
    """Cameras all around the ball."""
    return rig("sphere", count, CENTRE, RADIUS / 0.9, size)


def taken(cameras: Cameras, backdrop: float = 0.0) -> Views:
    """Photographs of the ball by rays, several a pixel, before a backdrop of one grey; their masks are exact."""
    height, width = cameras.size
    ends = [(torch.arange(n * FINE, dtype=torch.float64) + 0.5) / (n * FINE) * 2 - 1 for n in (height, width)]
    y, x = torch.meshgrid(*ends, indexing="ij")
    clip = torch.stack([x, -y, torch.ones_like(x), torch.ones_like(x)], -1).reshape(-1, 4)
    there = clip @ torch.linalg.inv(cameras.projection @ cameras.world_to_camera).transpose(1, 2)
    centre = torch.from_numpy(CENTRE)
    eye = ((cameras.position - centre) / RADIUS)[:, None]
    ray = torch.nn.functional.normalize((there[..., :3] / there[..., 3:] - centre) / RADIUS - eye, dim=-1)
    half = (ray * eye).sum(-1)
    root = half**2 - (eye**2).sum(-1) + 1
    hit = eye + (-half - root.clamp(min=0).sqrt())[..., None] * ray
    inside = (root > 0).double()[..., None]
    rows = torch.cat([painted(hit) * inside + backdrop * (1 - inside), inside, painted(hit) * inside], -1)
    blocks = rows.reshape(len(cameras), height, FINE, width, FINE, 7).mean((2, 4)).float()
    return Views(cameras, blocks[..., 3], blocks[..., :3], tuple(f"view_{i:02d}" for i in range(len(cameras))))


def straight(views: Views) -> torch.Tensor:
    """Pictures [N,H,W,4] of photographs before black: colours of the object alone, and its coverage."""
    assert views.images is not None
    cover = views.masks[..., None]
    return torch.cat([views.images / cover.clamp(min=1e-6), cover], -1)


def write(
    folder: Path, views: Views, pictures: Sequence[torch.Tensor] | torch.Tensor | None = None, **fields: object
) -> Path:
    """A transforms.json with pictures [H,W,3 or 4], linear; unless given, those of the object with straight alpha."""
    names = [f"images/{name}.png" for name in views.names]
    for name, picture in zip(names, straight(views) if pictures is None else pictures, strict=True):
        write_png(folder / name, picture)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transforms.json").write_text(json.dumps(transforms_table(views.cameras, names) | fields))
    return folder
