"""Scenes as kernels take them, for tests of light transport: corners of faces with materials and lights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from invrender.kernels.radiance import CLASSIC, DIRECTIONAL, POINT, SPOT, SceneArrays

Tensor = torch.Tensor
Vector = Sequence[float]

MATERIAL = {
    "Kd": (0.8, 0.8, 0.8),
    "Ks": (0.0, 0.0, 0.0),
    "Ns": (30.0,),
    "mirror": (0.0, 0.0, 0.0),
    "Ke": (0.0, 0.0, 0.0),
    "transmission": (0.0, 0.0, 0.0),
    "ior": (1.5,),
    "roughness": (1.0,),
    "metallic": (0.0,),
    "opacity": (1.0,),
}


def material(**values: Any) -> Tensor:
    """A row of `materials`; numbers stand for grey."""
    parts = []
    for name, default in MATERIAL.items():
        given = values.pop(name, default)
        parts += list(given) if isinstance(given, Sequence) else [given] * len(default)
    assert not values, f"unknown: {values}"
    return torch.tensor(parts, dtype=torch.float64)


def point(position: Vector, intensity: Vector = (1, 1, 1)) -> tuple[int, Tensor]:
    return POINT, torch.tensor([*position, 0, 0, 1, *intensity, 1, 0], dtype=torch.float64)


def sun(direction: Vector, intensity: Vector = (1, 1, 1)) -> tuple[int, Tensor]:
    unit = torch.nn.functional.normalize(torch.tensor(direction, dtype=torch.float64), dim=0)
    return DIRECTIONAL, torch.tensor([0, 0, 0, *unit.tolist(), *intensity, 1, 0], dtype=torch.float64)


def spot(position: Vector, direction: Vector, intensity: Vector, inner: float, outer: float) -> tuple[int, Tensor]:
    unit = torch.nn.functional.normalize(torch.tensor(direction, dtype=torch.float64), dim=0)
    cosines = [math.cos(math.radians(angle)) for angle in (inner, outer)]
    return SPOT, torch.tensor([*position, *unit.tolist(), *intensity, *cosines], dtype=torch.float64)


def quad(corner: Vector, side: Vector, other: Vector) -> Tensor:
    """Two triangles [2,3,3] of a parallelogram, facing along side x other."""
    o, a, b = (torch.tensor(part, dtype=torch.float64) for part in (corner, side, other))
    return torch.stack([torch.stack([o, o + a, o + a + b]), torch.stack([o, o + a + b, o + b])])


FLOOR = quad((-1, -1, 0), (2, 0, 0), (0, 2, 0))


def sphere(radius: float, place: Vector = (0, 0, 0), subdivisions: int = 2) -> tuple[Tensor, Tensor]:
    """Corners [F,3,3] and the normals of the round surface there."""
    import trimesh

    corners = torch.tensor(trimesh.creation.icosphere(subdivisions, 1.0).triangles.copy())
    return radius * corners + torch.tensor(place, dtype=torch.float64), torch.nn.functional.normalize(corners, dim=-1)


def scene(
    parts: Sequence[Tensor | tuple[Tensor, Tensor]],
    materials: Sequence[Tensor],
    lights: Sequence[tuple[int, Tensor]] = (),
    kinds: Sequence[int | Sequence[int]] | None = None,
    dtype: torch.dtype = torch.float64,
    **more: Any,
) -> SceneArrays:
    """One material for each part (corners, or corners and normals); `more` are attributes of `SceneArrays`."""
    pairs = [(part, _flat(part)) if isinstance(part, Tensor) else part for part in parts]
    corners, normals = (torch.cat([pair[k] for pair in pairs] + [torch.zeros(0, 3, 3)]) for k in range(2))
    rows = [torch.full((len(pair[0]),), row) for row, pair in enumerate(pairs)]
    kinds = [CLASSIC] * len(materials) if kinds is None else kinds
    values: dict[str, Any] = {
        "vertices": corners.reshape(-1, 3),
        "faces": torch.arange(3 * len(corners)).reshape(-1, 3),
        "normals": normals.contiguous(),
        "uv": torch.zeros(0, 3, 2),
        "colours": torch.zeros(0, 3, 3),
        "face_material": torch.cat([*rows, torch.zeros(0, dtype=torch.int64)]),
        "materials": torch.stack(list(materials)) if materials else torch.zeros(0, 20),
        "material_kinds": torch.tensor([[k, -1, -1] if isinstance(k, int) else list(k) for k in kinds]).reshape(-1, 3),
        "texels": torch.zeros(0, 3),
        "textures": torch.zeros(0, 3, dtype=torch.int64),
        "lights": torch.stack([light for _, light in lights]) if lights else torch.zeros(0, 11),
        "light_kinds": torch.tensor([kind for kind, _ in lights], dtype=torch.int64),
        "environment": torch.zeros(0, 0, 3),
        "turn": torch.eye(3),
        "ambient": torch.zeros(3),
        "backdrop": torch.zeros(3),
        **{name: torch.as_tensor(value) for name, value in more.items()},
    }
    floats = {name: value.to(dtype) if value.is_floating_point() else value for name, value in values.items()}
    return SceneArrays(**floats)


def _flat(corners: Tensor) -> Tensor:
    sides = corners[:, 1:] - corners[:, :1]
    normals = torch.nn.functional.normalize(torch.linalg.cross(sides[:, 0], sides[:, 1]), dim=-1)
    return normals[:, None].expand(-1, 3, -1)


def as_type(arrays: SceneArrays, dtype: torch.dtype) -> SceneArrays:
    """The same scene in another precision."""
    parts = {name: value.to(dtype) if value.is_floating_point() else value for name, value in vars(arrays).items()}
    return SceneArrays(**parts)


def box(ball: Tensor, kind: int | Sequence[int], **more: Any) -> SceneArrays:
    """A room, open to the viewer at -Y, with a lamp, a wedge of a plain material, and a round ball of the given one."""
    walls = [
        quad((-1, -1, -1), (2, 0, 0), (0, 2, 0)),
        quad((-1, 1, -1), (2, 0, 0), (0, 0, 2)),
        quad((-1, -1, 1), (0, 2, 0), (2, 0, 0)),
        quad((-0.8, -0.1, -1), (0.4, 0.2, 0.0), (0.1, 0, 0.8)),
    ]
    sides = [quad((-1, -1, -1), (0, 2, 0), (0, 0, 2)), quad((1, -1, -1), (0, 0, 2), (0, 2, 0))]
    lamp = quad((-0.3, -0.3, 0.97), (0, 0.6, 0), (0.6, 0, 0))
    kinds = [CLASSIC] * 4 + [kind]
    rows = [material(Kd=0.7), material(Kd=(0.5, 0.2, 0.2)), material(Kd=(0.2, 0.6, 0.2)), material(Kd=0.1, Ke=5)]
    return scene([torch.cat(walls), *sides, lamp, sphere(0.42, (0.3, 0, -0.55))], [*rows, ball], kinds=kinds, **more)


def camera(size: int, place: Vector = (0.013, -3.2, 0.021), width: float = 40.0) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [size^2,3] that look along +Y."""
    half = math.tan(math.radians(width / 2))
    grid = ((torch.arange(size, dtype=torch.float64) + 0.5) / size * 2 - 1) * half
    x, z = grid.expand(size, -1), -grid[:, None].expand(-1, size)
    direction = torch.nn.functional.normalize(torch.stack([x, torch.ones_like(x), z], -1).reshape(-1, 3), dim=-1)
    return torch.tensor(place, dtype=torch.float64).expand(size * size, 3).contiguous(), direction


def medium(
    extinction: Tensor,
    albedo: Any = 1.0,
    asymmetry: Any = 0.0,
    emission: Any = 0.0,
    box: Sequence[Vector] = ((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)),
    parts: Sequence[Tensor | tuple[Tensor, Tensor]] = (),
    materials: Sequence[Tensor] = (),
    **more: Any,
) -> SceneArrays:
    """A medium in a box, and what is around it: grids [D,H,W,C], or values that are the same everywhere."""
    grids = {"albedo": (albedo, 3), "asymmetry": (asymmetry, 1), "emission": (emission, 3)}
    for name, (given, channels) in grids.items():
        values = torch.as_tensor(given, dtype=torch.float64)
        more[name] = values if values.ndim == 4 else values.expand(1, 1, 1, channels).clone()
    return scene(parts, materials, extinction=extinction, box=torch.tensor(box, dtype=torch.float64), **more)


def alike(*values: float) -> Tensor:
    """A grid [2,2,2,C] of the same values everywhere."""
    return torch.tensor(values, dtype=torch.float64).expand(2, 2, 2, -1).clone()
