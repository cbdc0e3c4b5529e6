"""The adjoint of light transport on all cores: each path is walked again (`bodies.radiance_replay`)."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.bodies.bvh import STACK
from invrender.backends.bodies.radiance_laws import GRADS
from invrender.backends.bodies.radiance_replay import Moves, Sums, replay
from invrender.backends.bodies.vectors import stream
from invrender.backends.cpu.compile import path_entry
from invrender.backends.cpu.medium import has_medium
from invrender.backends.cpu.medium_adjoint import medium_adjoint
from invrender.backends.cpu.radiance import starts
from invrender.backends.cpu.radiance_sums import RAY, added, gathered, refractive, tile_count, zeros
from invrender.backends.cpu.scene import packed
from invrender.backends.cpu.threads import parallel_map
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor


def radiance_adjoint(
    grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
    radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """Gradients by path replay; see `kernels.radiance.RadianceAdjoint`.

    Opacity has none, nor has what is let through by a share that is exactly 0.
    """
    if has_medium(scene, transport):
        return medium_adjoint(grad, scene, origin, direction, seed, transport, radiance, needs)
    given = (grad[:, :3], radiance[:, :3])
    delta, seen = (np.ascontiguousarray(part.detach().cpu().numpy(), np.float32) for part in given)
    moved, slots = bool({"origin", "direction"} & needs), refractive(scene, needs)
    width = max(int(slots.max(initial=-1)) + 1, RAY if moved else 0)
    found = np.zeros((len(delta), width), np.float32)
    rays = (*starts(scene, origin, direction), np.uint32(first_key(seed)), delta, seen)
    fixed = (packed(scene, transport), *rays, 0 if moved else RAY, slots, found)
    tiles = [zeros(scene, needs) for _ in range(tile_count(scene, needs))]
    cuts = np.linspace(0, len(delta), len(tiles) + 1).astype(np.int64)
    parallel_map(_replay, [(*fixed, cuts[i], cuts[i + 1], tile) for i, tile in enumerate(tiles)])
    sums = Sums(*added(tiles))
    return gathered(scene, origin, needs, sums, torch.from_numpy(found), torch.from_numpy(slots))


@path_entry
def _replay(scene, origin, direction, ahead, seed, delta, seen, first, slots, found, begin: Any, end: Any, sums):
    stack, grads = np.empty(STACK, np.int32), np.empty(GRADS, np.float32)
    width = found.shape[1]
    place = np.empty((RAY, width), np.float32)
    for ray in range(begin, end):
        o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
        d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
        a = delta[ray, 0], delta[ray, 1], delta[ray, 2]
        if not np.isfinite(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) or (a[0] == 0 and a[1] == 0 and a[2] == 0):
            continue
        for row in range(RAY):
            for column in range(width):
                place[row, column] = 1 if row == column else ahead[ray] if column == row + 3 else 0
        moves = Moves(first, place, found[ray], slots)
        left = seen[ray, 0], seen[ray, 1], seen[ray, 2]
        replay(scene, o, d, stream(seed, ray), a, left, stack, grads, moves, sums)
