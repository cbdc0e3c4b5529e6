"""Light transport through a medium on a GPU: one thread for each path, from the bodies that the CPU runs.

What adjoints add up is atomic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda, float32, int32

from invrender.backends.cpu.medium import packed_medium
from invrender.backends.cpu.medium_adjoint import check_needs
from invrender.backends.cpu.radiance import starts
from invrender.backends.cpu.radiance_sums import gathered, grids, zeros
from invrender.backends.cpu.scene import packed
from invrender.backends.cuda.bodies import (
    bvh,
    medium_grid,
    medium_path,
    medium_replay,
    radiance_laws,
    radiance_path,
    radiance_replay,
    vectors,
)
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel
from invrender.kernels.paths import first_key
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor

STACK, GRADS = bvh.STACK, radiance_laws.GRADS
Scene, Medium = radiance_path.Scene, medium_grid.Medium
WHITE, NONE_OF, follow_through = medium_path.WHITE, medium_grid.NONE_OF, medium_path.follow_through
Moves, Sums, Grids = radiance_replay.Moves, radiance_replay.Sums, medium_replay.Grids
replay_through, stream = medium_replay.replay_through, vectors.stream
LARGEST = np.float32(3e38)


def medium_radiance(scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport) -> Tensor:
    """What rays see, [R,4], where light is followed through a medium."""
    out = torch.zeros(len(origin), 4, dtype=torch.float32, device=origin.device)
    launch(_follow_through, len(out), *_given(scene, origin, direction, transport), first_key(seed), out)
    return out.to(origin.dtype)


def medium_adjoint(
    grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
    radiance: Tensor, needs: frozenset[str],
) -> RadianceGradient:  # fmt: skip
    """See the cpu backend's.

    Raises:
        UsageError: a gradient of rays is asked for.
    """
    check_needs(needs)
    place = origin.device
    seen = [part[:, :3].to(place, torch.float32).contiguous() for part in (grad, radiance)]
    found = torch.zeros(len(origin), 0, dtype=torch.float32, device=place)
    slots = torch.full((len(scene.materials),), -1, dtype=torch.int64, device=place)
    sums, fields = _moved(zeros(scene, needs, np.float32), place), grids(scene, needs)
    spread = _moved(fields[:-1], place)
    launch(
        _replay_through, len(found), *_given(scene, origin, direction, transport), first_key(seed), *seen, slots,
        found.new_zeros(6, 0), found, *sums, *spread, fields.bends,
    )  # fmt: skip
    return gathered(scene, origin, needs, Sums(*sums), found, slots, spread)


def _given(scene: SceneArrays, origin: Tensor, direction: Tensor, transport: Transport) -> list[Tensor]:
    """Scene, medium and rays on their device."""
    parts = (*packed(scene, transport), *packed_medium(scene, transport), *starts(scene, origin, direction)[:2])
    return _moved(parts, origin.device)


def _moved(parts: Any, place: torch.device) -> list[Tensor]:
    """Arrays as tensors on a device."""
    return [torch.as_tensor(part, device=place) for part in parts]


@kernel
def _follow_through(
    corners: Any, order: Any, boxes: Any, links: Any, normals: Any, uv: Any, colours: Any, rows: Any, materials:
    Any, kinds: Any, texels: Any, textures: Any, lights: Any, light_kinds: Any, environment: Any, turn: Any, glow:
    Any, emitters: Any, cumulative: Any, density: Any, sky_rows: Any, sky_columns: Any, sky_density: Any,
    settings: Any, extinction: Any, albedo: Any, asymmetry: Any, glows: Any, majorants: Any, scales: Any, sizes:
    Any, choices: Any, wall_corners: Any, wall_order: Any, wall_boxes: Any, wall_links: Any, wall_rows: Any,
    wall_seen: Any, origin: Any, direction: Any, seed: Any, out: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray >= out.shape[0]:
        return
    scene = Scene(
        corners, order, boxes, links, normals, uv, colours, rows, materials, kinds, texels, textures, lights,
        light_kinds, environment, turn, glow, emitters, cumulative, density, sky_rows, sky_columns,
        sky_density, settings,
    )  # fmt: skip
    medium = Medium(
        extinction, albedo, asymmetry, glows, majorants, scales, sizes, choices, wall_corners, wall_order,
        wall_boxes, wall_links, wall_rows, wall_seen,
    )  # fmt: skip
    stack = cuda.local.array(STACK, int32)
    o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
    d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
    if abs(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) < LARGEST:
        total, alpha = follow_through(scene, medium, o, d, stream(seed, ray), NONE_OF, False, WHITE, stack)
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3] = total[0], total[1], total[2], alpha


@kernel
def _replay_through(
    corners: Any, order: Any, boxes: Any, links: Any, normals: Any, uv: Any, colours: Any, rows: Any, materials:
    Any, kinds: Any, texels: Any, textures: Any, lights: Any, light_kinds: Any, environment: Any, turn: Any, glow:
    Any, emitters: Any, cumulative: Any, density: Any, sky_rows: Any, sky_columns: Any, sky_density: Any,
    settings: Any, extinction: Any, albedo: Any, asymmetry: Any, glows: Any, majorants: Any, scales: Any, sizes:
    Any, choices: Any, wall_corners: Any, wall_order: Any, wall_boxes: Any, wall_links: Any, wall_rows: Any,
    wall_seen: Any, origin: Any, direction: Any, seed: Any, delta: Any, seen: Any, slots: Any, place: Any, found:
    Any, d_materials: Any, d_texels: Any, d_colours: Any, d_lights: Any, d_environment: Any, d_glow: Any,
    d_extinction: Any, d_albedo: Any, d_asymmetry: Any, d_emission: Any, bends: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray >= delta.shape[0]:
        return
    scene = Scene(
        corners, order, boxes, links, normals, uv, colours, rows, materials, kinds, texels, textures, lights,
        light_kinds, environment, turn, glow, emitters, cumulative, density, sky_rows, sky_columns,
        sky_density, settings,
    )  # fmt: skip
    medium = Medium(
        extinction, albedo, asymmetry, glows, majorants, scales, sizes, choices, wall_corners, wall_order,
        wall_boxes, wall_links, wall_rows, wall_seen,
    )  # fmt: skip
    stack, grads = cuda.local.array(STACK, int32), cuda.local.array(GRADS, float32)
    o = origin[ray, 0], origin[ray, 1], origin[ray, 2]
    d = direction[ray, 0], direction[ray, 1], direction[ray, 2]
    a = delta[ray, 0], delta[ray, 1], delta[ray, 2]
    if abs(o[0] + o[1] + o[2] + d[0] + d[1] + d[2]) < LARGEST:
        sums = Sums(d_materials, d_texels, d_colours, d_lights, d_environment, d_glow)
        fields = Grids(d_extinction, d_albedo, d_asymmetry, d_emission, bends)
        left = seen[ray, 0], seen[ray, 1], seen[ray, 2]
        moves = Moves(0, place, found[ray], slots)
        replay_through(scene, medium, o, d, stream(seed, ray), a, left, stack, grads, moves, sums, fields)
