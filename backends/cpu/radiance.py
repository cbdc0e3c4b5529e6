"""Light transport on all cores: a path for each ray, in float32 through a packed tree (`bodies.radiance_path`)."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.bvh import STACK
from invrender.backends.bodies.medium_path import WHITE, follow_through
from invrender.backends.bodies.numbers import NONE_OF
from invrender.backends.bodies.radiance_path import follow
from invrender.backends.bodies.vectors import stream
from invrender.backends.cpu.compile import path_entry
from invrender.backends.cpu.medium import has_medium, packed_medium
from invrender.backends.cpu.scene import packed
from invrender.backends.cpu.threads import blocks, parallel_map
from invrender.kernels.intersect import approached
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import SceneArrays, Transport

Tensor = torch.Tensor

BLOCK = 1024  # rays per job


def radiance(scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport) -> Tensor:
    """What rays see, [R,4]; see `kernels.radiance.Radiance`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    fixed = (*starts(scene, origin, direction)[:2], np.uint32(first_key(seed)))
    out = np.zeros((len(origin), 4), np.float32)
    jobs = [(*fixed, begin, end, out) for begin, end in blocks(len(out), BLOCK)]
    plain = packed(scene, transport)
    if has_medium(scene, transport):
        medium = packed_medium(scene, transport)
        parallel_map(_follow_through, [(plain, medium, *job) for job in jobs])
    else:
        parallel_map(_follow, [(plain, *job) for job in jobs])
    return torch.from_numpy(out).to(origin.dtype)


def starts(scene: SceneArrays, origin: Tensor, direction: Tensor) -> tuple[NDArray[np.float32], ...]:
    """Origins near the scene and directions [R,3] in float32, and by how much [R] they were moved ahead."""
    at, towards = origin.detach().cpu().double(), direction.detach().cpu().double()
    vertices = torch.cat([scene.vertices.detach(), scene.box.detach().to(scene.vertices)])
    reach = 2 * float(vertices.norm(dim=1).nan_to_num(0, 0, 0).max()) if len(vertices) else 0.0
    near = approached(at, towards, reach)
    ahead = ((near - at) * towards).sum(1)
    return tuple(np.ascontiguousarray(part.numpy(), np.float32) for part in (near, towards, ahead))


@path_entry
def _follow(scene, origin, direction, seed, begin: Any, end: Any, out):
    stack = np.empty(STACK, np.int32)
    for ray in range(begin, end):
        o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
        d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
        if np.isfinite(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]):
            total, alpha = follow(scene, o, d, stream(seed, ray), stack)
            out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = total[0], total[1], total[2], alpha


@path_entry
def _follow_through(scene, medium, origin, direction, seed, begin: Any, end: Any, out):
    stack = np.empty(STACK, np.int32)
    for ray in range(begin, end):
        o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
        d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
        if np.isfinite(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]):
            total, alpha = follow_through(scene, medium, o, d, stream(seed, ray), NONE_OF, False, WHITE, stack)
            out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = total[0], total[1], total[2], alpha
