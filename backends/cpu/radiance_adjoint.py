"""The adjoint of light transport on all cores: each path is walked again (`bodies.radiance_replay`).

Sums over rays are taken in a fixed number of tiles, so that they do not depend on the number of threads.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.bvh import STACK
from invrender.backends.bodies.radiance_laws import GRADS
from invrender.backends.bodies.radiance_replay import Moves, Sums, replay
from invrender.backends.bodies.vectors import stream
from invrender.backends.cpu.compile import path_entry
from invrender.backends.cpu.radiance import starts
from invrender.backends.cpu.scene import packed
from invrender.backends.cpu.threads import parallel_map
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import DIELECTRIC, IOR, KIND, RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor

TILES, ROOM = 32, 2**24
"""Most tiles, and numbers that the sums of all of them may hold."""
RAY = 6  # columns for a ray's origin and direction


def radiance_adjoint(
    grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
    radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """Gradients by path replay; see `kernels.radiance.RadianceAdjoint`.

    Opacity has none, nor has what is let through by a share that is exactly 0.
    """
    given = (grad[:, :3], radiance[:, :3])
    delta, seen = (np.ascontiguousarray(part.detach().cpu().numpy(), np.float32) for part in given)
    moved, slots = bool({"origin", "direction"} & needs), refractive(scene, needs)
    width = max(int(slots.max(initial=-1)) + 1, RAY if moved else 0)
    found = np.zeros((len(delta), width), np.float32)
    tiles = [zeros(scene, needs) for _ in range(tile_count(scene, needs))]
    cuts = np.linspace(0, len(delta), len(tiles) + 1).astype(np.int64)
    rays = (*starts(scene, origin, direction), np.uint32(first_key(seed)), delta, seen, 0 if moved else RAY, slots)
    fixed = (packed(scene, transport), *rays, found)
    parallel_map(_replay, [(*fixed, cuts[i], cuts[i + 1], tile) for i, tile in enumerate(tiles)])
    sums = Sums(*(torch.from_numpy(np.sum(parts, 0)) for parts in zip(*tiles, strict=True)))
    return gathered(scene, origin, needs, sums, torch.from_numpy(found), torch.from_numpy(slots))


def refractive(scene: SceneArrays, needs: frozenset[str]) -> NDArray[np.int64]:
    """[M] the column of each material's refractive index, by which paths move; -1 where nobody asks."""
    glass = (scene.material_kinds[:, KIND] == DIELECTRIC).cpu().numpy()
    return np.where(glass & ("materials" in needs), RAY - 1 + np.cumsum(glass), -1)


def zeros(scene: SceneArrays, needs: frozenset[str], dtype: Any = np.float64) -> Sums:
    """Where gradients are added up; only textures, colours and the environment are left out where nobody asks."""
    large = {
        name: getattr(scene, name).numel() if name in needs else 0 for name in ("texels", "colours", "environment")
    }
    sizes = {"materials": scene.materials.numel(), "lights": scene.lights.numel(), "glow": 6, **large}
    return Sums(**{name: np.zeros(sizes[name], dtype) for name in Sums._fields})


def tile_count(scene: SceneArrays, needs: frozenset[str]) -> int:
    """The number of tiles, which depends on the problem alone."""
    size = sum(int(part.size) for part in zeros(scene, needs))
    return max(2, min(TILES, ROOM // max(1, size)))


def gathered(
    scene: SceneArrays, origin: Tensor, needs: frozenset[str], sums: Any, found: Tensor, slots: Tensor
) -> RadianceGradient:
    """The gradients that are asked for, in the shapes and the precision of what they belong to."""
    for row in (slots >= 0).nonzero()[:, 0].tolist():
        at = row * scene.materials.shape[1] + IOR
        sums.materials[at] += found[:, int(slots[row])].to(sums.materials).sum()
    flat = {name: getattr(sums, name) for name in ("materials", "texels", "colours", "lights", "environment")}
    every = {name: value.reshape(getattr(scene, name).shape) for name, value in flat.items() if name in needs}
    every |= {"ambient": sums.glow[:3], "backdrop": sums.glow[3:]}
    if {"origin", "direction"} & needs:
        every |= {"origin": found[:, :3], "direction": found[:, 3:RAY]}
    asked = {name: every[name].to(scene.materials.device, origin.dtype) for name in needs}
    return RadianceGradient(**{field.name: asked.get(field.name) for field in fields(RadianceGradient)})


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
