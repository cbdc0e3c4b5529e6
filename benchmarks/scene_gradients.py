"""Derivatives of pictures beside central differences with the same random numbers, for each kind of value and depth.

Materials, intensities and light from everywhere change no edge: there the reference twin is compared with differences
picture by picture, and the adjoint kernel by the derivative of a weighted sum. Places, directions and cameras move
edges, of shadows and of outlines: there a smooth weighted sum of the picture is compared, with sampled edges, and the
mirror, the glowing ball and the sky are taken away: how edges move in mirrors, and how soft shadows do, is left out.
Depth is 0 there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from scene_world import camera

from invrender.kernels import Backend
from invrender.methods.scene.renderer import Renderer
from invrender.nouns import DirectionalLight, Environment, Material, Mesh, PointLight, Scene
from invrender.parameters.scene_values import SceneValues
from invrender.render.edges import EdgeSampling
from invrender.render.scene_view import Shot

Row = tuple[str, str, str, str]
Tensor = torch.Tensor

STILL = ("material.clay.Kd", "material.clay.Ks", "material.clay.Ns", "material.mirror.mirror", "material.lamp.emission",
         "material.floor.Kd", "light.bulb.intensity", "environment.colour")  # fmt: skip
MOVING = ("light.bulb.position", "light.sun.direction", "camera.pose", "camera.fov")
STEP = 1e-4


def scene(size: int) -> Scene:
    """Balls of clay and mirror on a rough floor, a glowing one above, a bulb and a sun."""
    import trimesh

    def ball(at: tuple[float, float, float], radius: float, **how: Any) -> Mesh:
        made = trimesh.creation.icosphere(2, radius=radius)
        vertices = torch.tensor(made.vertices) + torch.tensor(at, dtype=torch.float64)
        return Mesh(vertices, torch.tensor(made.faces, dtype=torch.int64), material=Material(**how))

    corners = torch.tensor([[-4, 0, -4], [-4, 0, 4], [4, 0, 4], [4, 0, -4]], dtype=torch.float64)
    floor = Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]),
                 material=Material(albedo=(0.5, 0.45, 0.4), roughness=0.4, metallic=0.2, name="floor"))  # fmt: skip
    meshes = (
        floor,
        ball((-1, 1, 0), 1.0, albedo=(0.6, 0.3, 0.2), specular=(0.3, 0.3, 0.3), shininess=20.0, name="clay"),
        ball((1.2, 0.8, 0.4), 0.8, albedo=(0.1, 0.1, 0.1), mirror=(0.7, 0.7, 0.7), name="mirror"),
        ball((0, 2.6, -1), 0.3, albedo=(0.1, 0.1, 0.1), emission=(2.0, 1.5, 1.0), name="lamp"),
    )
    lights = (PointLight((2.0, 4.0, 3.0), 12.0, "bulb"), DirectionalLight((-0.5, 1.0, 0.6), 1.0, "sun"))
    made = Scene(meshes, lights=lights, environment=Environment((0.2, 0.25, 0.3)))
    return replace(made, cameras=(camera(size, (0.0, 3.0, 7.0), (0.0, 1.0, 0.0)),))


def gradients(backend: Backend, size: int = 48) -> list[Row]:
    """Errors of derivatives, the largest over the numbers of a value, relative to the differences."""
    world, rows = scene(size), []
    for depth in range(1, 5):
        draw = Renderer(world.meshes, backend, Shot("raytraced", depth, 1, 0, True, None))
        twin, kernel = zip(*(_still(world, name, draw) for name in STILL), strict=True)
        told = f"twin {max(twin):.1e}, kernels {max(kernel):.1e} ({STILL[kernel.index(max(kernel))]})"
        rows.append((f"derivatives without edges, depth {depth}", told, "twin 1e-6, kernels 1 %", ""))
    draw = Renderer(world.meshes, backend, Shot("raytraced", 0, 16, 0, True, EdgeSampling(samples=2**15)))
    plain = scene(4 * size)
    hard = tuple(mesh for mesh in plain.meshes if mesh.material.name not in ("mirror", "lamp"))
    plain = replace(plain, meshes=hard, environment=None, background=(0.1, 0.1, 0.1))
    draw = replace(draw, meshes=plain.meshes)
    for name in MOVING:
        error = _moving(plain, name, draw, 4 * size)
        rows.append((f"derivatives with edges, {name}", f"{error:.2%}", "2 %", ""))
    return rows


def _weights(size: int) -> Tensor:
    """A smooth weight of each number of a picture, which fades to its borders; [size,size,3]."""
    across = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    bump = torch.sin(torch.pi * across) ** 2
    wave = 1 + 0.5 * torch.sin(5 * across)[:, None] * torch.cos(4 * across)
    return (bump[:, None] * bump * wave)[..., None] * torch.tensor([1.0, 0.8, 1.2], dtype=torch.float64)


def _still(world: Scene, name: str, draw: Renderer) -> tuple[float, float]:
    """Errors of the twin's columns and of the kernels' gradient of a weighted sum."""
    values = SceneValues.of(world, [name], draw.measures(world))
    size, at = world.cameras[0].size, values.joined(values.encode())
    assert size is not None
    weights, columns, differences = _weights(size[0]), [], []

    def shown(numbers: Tensor, in_torch: bool) -> Tensor:
        return draw.picture(values.decode(values.split(numbers)), 0, size, in_torch=in_torch)

    raw = at.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad((weights * shown(raw, False)).sum(), raw)
    for direction in torch.eye(len(at), dtype=torch.float64):
        columns.append(torch.autograd.functional.jvp(lambda x: shown(x, True), at, direction, strict=False)[1])
        ahead, behind = (shown(at + side * STEP * direction, True) for side in (1, -1))
        differences.append((ahead - behind) / (2 * STEP))
    truth, found = torch.stack(differences), torch.stack(columns)
    sums = (weights * truth).sum((1, 2, 3))
    return float((found - truth).norm() / truth.norm()), float((gradient - sums).norm() / sums.norm())


def _moving(world: Scene, name: str, draw: Renderer, size: int) -> float:
    """Error of the derivative of a weighted sum by a value that moves edges."""
    values = SceneValues.of(world, [name], draw.measures(world))
    at, weights = values.joined(values.encode()), _weights(size)

    def total(numbers: Tensor) -> Tensor:
        return (weights * draw.picture(values.decode(values.split(numbers)), 0, (size, size))).sum()

    raw = at.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(total(raw), raw)
    step = 0.035  # wide, for the noise of 16 rays a pixel
    truth = []
    for direction in torch.eye(len(at), dtype=torch.float64):
        with torch.no_grad():
            far, near = (total(at + k * step * direction) - total(at - k * step * direction) for k in (2, 1))
        truth.append((8 * near - far) / (12 * step))
    expected = torch.stack(truth)
    return float((gradient - expected).norm() / expected.norm())
