"""Radiance fields on sparse grids on a Vulkan device, one thread per ray.

Gradients add up atomically, so their last bits differ from run to run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import dense_field, occupied_cells
from invrender.backends.bodies.field import UNSEEN
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels.compositing import OPAQUE
from invrender.kernels.field import FAINT, GREY, MOST, Field, FieldRays

Tensor = torch.Tensor


def field(vulkan: Vulkan, field: Field, rays: FieldRays) -> Tensor:
    """Colour and transmittance [R,4]; see the reference."""
    count = len(rays.count)
    result = empty(vulkan, 4 * count)
    given = _given(vulkan, field, rays) | _looks(vulkan, field, rays)
    compute(vulkan, ("field", "forward"), count, result=result, **given)
    return torch.from_numpy(download(vulkan, result, (count, 4))).to(field.density)


def field_misfit(vulkan: Vulkan, field: Field, rays: FieldRays, target: Tensor) -> tuple[float, Tensor, Tensor]:
    """The sum of squared differences with target [R,4], and its gradients; see the reference."""
    count = len(rays.count)
    loss = empty(vulkan, count)
    sums = {"d_density": zeros(vulkan, field.density.numel()), "d_colours": zeros(vulkan, field.colours.numel())}
    given = _given(vulkan, field, rays) | _looks(vulkan, field, rays)
    given["target"] = upload(vulkan, target, np.float32)
    compute(vulkan, ("field", "misfit"), count, loss=loss, **sums, **given)
    shapes = tuple(field.density.shape), tuple(field.colours.shape)
    found = zip(sums.values(), shapes, strict=True)
    d_density, d_colours = (torch.from_numpy(download(vulkan, buffer, shape)) for buffer, shape in found)
    return float(download(vulkan, loss, (count,)).sum(dtype=np.float64)), d_density, d_colours


def field_light(vulkan: Vulkan, field: Field, rays: FieldRays) -> Tensor:
    """[D,H,W]: the greatest transmittance with which a ray arrives near a vertex; see the reference."""
    light_at = zeros(vulkan, field.index.numel())
    compute(vulkan, ("field", "illuminate"), len(rays.count), light_at=light_at, **_given(vulkan, field, rays))
    return torch.from_numpy(download(vulkan, light_at, tuple(field.index.shape)))


def _given(vulkan: Vulkan, field: Field, rays: FieldRays) -> dict[str, Any]:
    """Where there is something, and the samples of rays."""
    dense = dense_field(field)
    bits = np.packbits(occupied_cells(dense).numpy(), bitorder="little")
    words = np.pad(bits, (0, -len(bits) % 4)).view(np.uint32)
    along = torch.cat([rays.start, rays.step, rays.length[:, None]], 1)
    return {
        "dense": upload(vulkan, dense, np.float32),
        "occupied": upload(vulkan, words, np.uint32),
        "samples": upload(vulkan, along, np.float32),
        "count": upload(vulkan, rays.count, np.int32),
        "size": list(field.index.shape[::-1]),
        "most": MOST,
        "faint": FAINT,
        "opaque": OPAQUE,
    }


def _looks(vulkan: Vulkan, field: Field, rays: FieldRays) -> dict[str, Any]:
    """What it looks like, and which sites that is told of."""
    return {
        "index": upload(vulkan, field.index, np.int32),
        "colours": upload(vulkan, field.colours, np.float32),
        "basis": upload(vulkan, rays.basis, np.float32),
        "functions": rays.basis.shape[1],
        "grey": GREY,
        "unseen": float(UNSEEN),
    }
