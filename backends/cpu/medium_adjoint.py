"""The adjoint of light transport through a medium on all cores: paths are walked again (`bodies.medium_replay`)."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.bodies.bvh import STACK
from invrender.backends.bodies.medium_replay import replay_through
from invrender.backends.bodies.radiance_laws import GRADS
from invrender.backends.bodies.radiance_replay import Moves, Sums
from invrender.backends.bodies.vectors import stream
from invrender.backends.cpu.compile import path_entry
from invrender.backends.cpu.medium import packed_medium
from invrender.backends.cpu.radiance import starts
from invrender.backends.cpu.radiance_sums import added, gathered, grid_tile_count, grids, zeros
from invrender.backends.cpu.scene import packed
from invrender.backends.cpu.threads import parallel_map
from invrender.errors import UsageError
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor


def medium_adjoint(
    grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
    radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """As `radiance_adjoint`, where light is followed through a medium.

    Refractive indices have the gradient of what is reflected and refracted; how paths move with them is left out.

    Raises:
        UsageError: a gradient of rays is asked for.
    """
    check_needs(needs)
    given = (grad[:, :3], radiance[:, :3])
    delta, seen = (np.ascontiguousarray(part.detach().cpu().numpy(), np.float32) for part in given)
    rays = (*starts(scene, origin, direction)[:2], np.uint32(first_key(seed)), delta, seen)
    found, slots = np.zeros((len(delta), 0), np.float32), np.full(len(scene.materials), -1, np.int64)
    fixed = (packed(scene, transport), packed_medium(scene, transport), *rays, slots, found)
    count = grid_tile_count(scene, needs, len(delta))
    tiles, fields = [zeros(scene, needs) for _ in range(count)], [grids(scene, needs) for _ in range(count)]
    cuts = np.linspace(0, len(delta), count + 1).astype(np.int64)
    parallel_map(_replay_through, [(*fixed, cuts[i], cuts[i + 1], tiles[i], fields[i]) for i in range(count)])
    sums, medium = Sums(*added(tiles)), added([field[:-1] for field in fields])
    return gathered(scene, origin, needs, sums, torch.from_numpy(found), torch.from_numpy(slots), medium)


def check_needs(needs: frozenset[str]) -> None:
    """
    Raises:
        UsageError: a gradient of rays is asked for.
    """
    if {"origin", "direction"} & needs:
        raise UsageError("rays through a medium have no gradient", "keep the cameras fixed, or leave the medium out")


@path_entry
def _replay_through(
    scene, medium, origin, direction, seed, delta, seen, slots, found, begin: Any, end: Any, sums, grids
):  # fmt: skip
    stack, grads = np.empty(STACK, np.int32), np.empty(GRADS, np.float32)
    place = np.empty((6, 0), np.float32)
    for ray in range(begin, end):
        o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
        d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
        a = delta[ray, 0], delta[ray, 1], delta[ray, 2]
        if not np.isfinite(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) or (a[0] == 0 and a[1] == 0 and a[2] == 0):
            continue
        left = seen[ray, 0], seen[ray, 1], seen[ray, 2]
        moves = Moves(0, place, found[ray], slots)
        replay_through(scene, medium, o, d, stream(seed, ray), a, left, stack, grads, moves, sums, grids)
