"""Light transport on a GPU: one thread for each path, from the bodies that the CPU runs (`bodies.radiance_path`).

What adjoints add up is atomic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda, float32, int32

from invrender.backends.cpu.medium import has_medium
from invrender.backends.cpu.radiance import starts
from invrender.backends.cpu.radiance_sums import RAY, gathered, refractive, zeros
from invrender.backends.cpu.scene import packed
from invrender.backends.cuda.bodies import bvh, radiance_laws, radiance_path, radiance_replay, vectors
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.medium import medium_adjoint, medium_radiance
from invrender.backends.cuda.target import kernel
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor

STACK, GRADS = bvh.STACK, radiance_laws.GRADS
Scene, follow = radiance_path.Scene, radiance_path.follow
Moves, Sums, replay = radiance_replay.Moves, radiance_replay.Sums, radiance_replay.replay
stream = vectors.stream
LARGEST = np.float32(3e38)


def radiance(scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport) -> Tensor:
    """What rays see, [R,4]; see `kernels.radiance.Radiance`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    if has_medium(scene, transport):
        return medium_radiance(scene, origin, direction, seed, transport)
    out = torch.zeros(len(origin), 4, dtype=torch.float32, device=origin.device)
    rays = _moved(starts(scene, origin, direction)[:2], origin.device)
    launch(_follow, len(out), *_moved(packed(scene, transport), origin.device), *rays, first_key(seed), out)
    return out.to(origin.dtype)


def radiance_adjoint(
    grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
    radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """Gradients by path replay; see `kernels.radiance.RadianceAdjoint` and the cpu backend's."""
    if has_medium(scene, transport):
        return medium_adjoint(grad, scene, origin, direction, seed, transport, radiance, needs)
    place = origin.device
    given = [part[:, :3].to(place, torch.float32).contiguous() for part in (grad, radiance)]
    moved, slots = bool({"origin", "direction"} & needs), refractive(scene, needs)
    width = max(int(slots.max(initial=-1)) + 1, RAY if moved else 0)
    found = torch.zeros(len(origin), width, dtype=torch.float32, device=place)
    places = torch.zeros(len(origin), RAY, width, dtype=torch.float32, device=place)
    places[:, range(min(RAY, width)), range(min(RAY, width))] = 1
    near, towards, ahead = _moved(starts(scene, origin, direction), place)
    if width:
        places[:, range(3), range(3, RAY)] = ahead[:, None]
    sums = Sums(*_moved(zeros(scene, needs, np.float32), place))
    columns = torch.as_tensor(slots, device=place)
    launch(
        _replay, len(found), *_moved(packed(scene, transport), place), near, towards, first_key(seed), *given,
        0 if moved else RAY, columns, places, found, *sums,
    )  # fmt: skip
    return gathered(scene, origin, needs, sums, found, columns)


def _moved(parts: Any, place: torch.device) -> list[Tensor]:
    """Arrays as tensors on a device."""
    return [torch.as_tensor(part, device=place) for part in parts]


@kernel
def _follow(
    corners: Any, order: Any, boxes: Any, links: Any, normals: Any, uv: Any, colours: Any, rows: Any, materials: Any,
    kinds: Any, texels: Any, textures: Any, lights: Any, light_kinds: Any, environment: Any, turn: Any, glow: Any,
    emitters: Any, cumulative: Any, density: Any, sky_rows: Any, sky_columns: Any, sky_density: Any, settings: Any,
    origin: Any, direction: Any, seed: Any, out: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray >= out.shape[0]:
        return
    scene = Scene(
        corners, order, boxes, links, normals, uv, colours, rows, materials, kinds, texels, textures, lights,
        light_kinds, environment, turn, glow, emitters, cumulative, density, sky_rows, sky_columns, sky_density,
        settings,
    )  # fmt: skip
    stack = cuda.local.array(STACK, int32)
    o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
    d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
    if abs(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) < LARGEST:
        total, alpha = follow(scene, o, d, stream(seed, ray), stack)
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = total[0], total[1], total[2], alpha


@kernel
def _replay(
    corners: Any, order: Any, boxes: Any, links: Any, normals: Any, uv: Any, colours: Any, rows: Any, materials: Any,
    kinds: Any, texels: Any, textures: Any, lights: Any, light_kinds: Any, environment: Any, turn: Any, glow: Any,
    emitters: Any, cumulative: Any, density: Any, sky_rows: Any, sky_columns: Any, sky_density: Any, settings: Any,
    origin: Any, direction: Any, seed: Any, delta: Any, seen: Any, first: Any, slots: Any, place: Any, found: Any,
    d_materials: Any, d_texels: Any, d_colours: Any, d_lights: Any, d_environment: Any, d_glow: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray >= delta.shape[0]:
        return
    scene = Scene(
        corners, order, boxes, links, normals, uv, colours, rows, materials, kinds, texels, textures, lights,
        light_kinds, environment, turn, glow, emitters, cumulative, density, sky_rows, sky_columns, sky_density,
        settings,
    )  # fmt: skip
    stack, grads = cuda.local.array(STACK, int32), cuda.local.array(GRADS, float32)
    o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
    d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
    a = delta[ray, 0], delta[ray, 1], delta[ray, 2]
    if abs(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) < LARGEST:
        sums = Sums(d_materials, d_texels, d_colours, d_lights, d_environment, d_glow)
        moves = Moves(first, place[ray], found[ray], slots)
        left = seen[ray, 0], seen[ray, 1], seen[ray, 2]
        replay(scene, o, d, stream(seed, ray), a, left, stack, grads, moves, sums)
