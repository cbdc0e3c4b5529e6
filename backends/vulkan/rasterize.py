"""Rasterization by rays: one along the viewing axis through every pixel's centre, all views in one launch.

Projected triangles are the reference's, snapped to 1/256 pixel, and so are the answers, to the last bit: rays find
candidates among triangles that are a little larger (`candidates`), and integers decide.
"""

from __future__ import annotations

import numpy as np
import torch

from invrender.backends.arguments import check_faces
from invrender.backends.torch.cut import project, screen_triangles
from invrender.backends.torch.rasterize import DEPTH_STEPS, Triangles, snapped
from invrender.backends.vulkan.accel import build
from invrender.backends.vulkan.candidates import candidates
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import trace_rays
from invrender.backends.vulkan.memory import download, empty, upload
from invrender.kernels import Size

Tensor = torch.Tensor

TRIANGLES = 2**22  # traced at once, and pixels
PIXELS = 2**25


def rasterize(vulkan: Vulkan, clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Face id [N,H,W] int64 (-1: miss) and NDC depth of clip's dtype (inf: miss); see the torch backend.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, clip.shape[1])
    given, triangles = clip.detach().cpu(), faces.cpu()
    step = max(1, min(TRIANGLES // max(len(faces), 1), PIXELS // max(size[0] * size[1], 1)))
    parts = [_views(vulkan, given[at : at + step], triangles, size) for at in range(0, len(clip), step)]
    face = torch.cat([part[0] for part in parts]) if parts else torch.empty(0, *size, dtype=torch.int64)
    depth = torch.cat([part[1] for part in parts]) if parts else torch.empty(0, *size, dtype=torch.float64)
    return face.to(clip.device), depth.to(clip.device, clip.dtype)


def _views(vulkan: Vulkan, clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Face id and depth [N,H,W] float64 of as many views as go at once."""
    pixels = (len(clip), *size)
    index = torch.arange(len(clip) * len(faces))
    view, face = (index // max(len(faces), 1)), index % max(len(faces), 1)
    screen, view, face = screen_triangles(project(clip, size), faces, view, face)
    drawn = snapped(screen, view, face, size)
    if not len(drawn.face):
        return torch.full(pixels, -1), torch.full(pixels, torch.inf, dtype=torch.float64)
    steps, found = _trace(vulkan, drawn, pixels)
    hit = found >= 0
    depth = torch.where(hit, steps.double() * (2.0 / DEPTH_STEPS) - 1.0, torch.inf)
    return found.reshape(pixels), depth.reshape(pixels)


def _trace(vulkan: Vulkan, drawn: Triangles, pixels: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Depth in steps and face [N H W] int64."""
    count = int(np.prod(pixels))
    vertices, triangles, owner = candidates(drawn, pixels[1:])
    planes = torch.stack([drawn.z, drawn.z_x, drawn.z_y, drawn.z_low, drawn.z_high], 1)
    built = build(vulkan, vertices, triangles, opaque=False)
    depth, face = empty(vulkan, count, np.uint32), empty(vulkan, count, np.int32)
    trace_rays(
        vulkan, "rasterize", count, scene=built.top, depth=depth, face=face, rows=pixels[1], columns=pixels[2],
        corners=upload(vulkan, torch.stack([drawn.x.T, drawn.y.T], 2), np.int32),
        planes=upload(vulkan, planes, np.float64), owner=upload(vulkan, owner, np.int32),
        ids=upload(vulkan, drawn.face, np.int32),
    )  # fmt: skip
    steps = torch.from_numpy(download(vulkan, depth, (count,), np.uint32).astype(np.int64))
    return steps, torch.from_numpy(download(vulkan, face, (count,), np.int32)).long()
