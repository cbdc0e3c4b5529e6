"""Gradients of traced pictures against central differences: inside of outlines and shadows, and of how these move."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.nouns import Lights, Material, Mesh, Scene
from invrender.render.edges import DEFAULT, EdgeSampling
from invrender.render.ray_radiance import RaySettings, backdrop, radiance
from invrender.render.traced import layers
from tests.render.slopes import agree, shifted, weight
from tests.render.solids import ball, floor, grid, ready, together

Tensor = torch.Tensor
CPU = select("cpu")
LIGHTS = Lights((0.5, 1.0, 0.3), 0.8, 0.2)
SHINY = Material((0.6, 0.5, 0.4), specular=(0.5, 0.4, 0.3), shininess=12.0, mirror=(0.3, 0.4, 0.5))


def scene() -> Mesh:
    return replace(together(floor(), ball(5, 1.0, (0.0, 1.2, 0.0))), material=SHINY)


def looked_at(mesh: Mesh, lights: Lights = LIGHTS) -> Tensor:
    """A weighted sum of what rays see of floor and ball that slightly moving things neither hides nor shows."""
    at, _ = grid(5, 1.4, 0.0)
    origin = torch.tensor([0.3, 3.0, 4.0]).double().expand_as(at)
    direction = torch.nn.functional.normalize(at + torch.tensor([0.013, 0.017, 0.011]).double() - origin, dim=-1)
    blue = backdrop((0.2, 0.4, 0.9))
    seen = radiance(ready(mesh, lights, RaySettings(2), blue), origin, direction)
    weights = 1.5 + torch.sin(torch.arange(seen.numel()).double()).reshape(seen.shape)
    return (seen * weights)[:, :3].sum()


def test_vertices_move():
    """Normals, points and mirrored rays move along."""
    mesh = scene()
    grad = agree(lambda vertices: looked_at(replace(mesh, vertices=vertices)), mesh.vertices, step=1e-6, rel=1e-5)
    assert int((grad != 0).any(-1).sum()) > 20


def test_numbers_of_the_material_change():
    mesh = scene()

    def total(values: Tensor) -> Tensor:
        look = Material(
            values[:3], specular=values[3:6], shininess=values[6], mirror=values[7:10], emission=values[10:]
        )
        return looked_at(replace(mesh, material=look))

    start = torch.tensor([0.6, 0.5, 0.4, 0.5, 0.4, 0.3, 12.0, 0.3, 0.4, 0.5, 0.1, 0.2, 0.3], dtype=torch.float64)
    grad = agree(total, start)
    assert bool((grad != 0).all())


def test_numbers_of_the_light_change():
    mesh = scene()

    def total(values: Tensor) -> Tensor:
        return looked_at(mesh, Lights(values[:3], values[3:6], values[6:]))

    grad = agree(total, torch.tensor([0.5, 1.0, 0.3, 0.8, 0.7, 0.6, 0.2, 0.3, 0.1], dtype=torch.float64), step=1e-6)
    assert bool((grad != 0).all())


def test_rows_of_a_finish_change():
    mesh = scene()
    rows = torch.tensor([0.5, 0.4, 0.3, 0.3, 0.4, 0.5, 0.0, 0.1, 0.0, 12.0, 0.9], dtype=torch.float64)
    agree(lambda row: looked_at(replace(mesh, finish=row.expand(len(mesh.vertices), -1))), rows)


MATT = replace(together(floor(), ball(6, 0.7, (0.1, 1.3, 0.0))), material=Material((0.7, 0.6, 0.5)))


def drawn(
    vertices: Tensor, direction: Tensor, step: Tensor, supersample: int, edges: EdgeSampling | None = DEFAULT
) -> Tensor:
    """A weighted mean of a picture of a ball above a floor, the camera a step [3] aside."""
    cameras = shifted(rig("orbit", 1, [0.0, 0.5, 0.0], 1.6, (32, 32), elevation=35.0), step)
    scene = Scene(replace(MATT, vertices=vertices), Lights(direction, 0.8, 0.2))
    picture = layers(scene, cameras, CPU, supersample, torch.float64, settings=RaySettings(0, edges=edges))
    return (picture * weight(cameras, 4) ** 4).mean()


MOVES = {
    "the ball rises": (0, 1),
    "the light turns": (1, 2),
    "the camera rises": (2, 1),
}


@pytest.mark.parametrize("what", MOVES)
def test_outlines_and_shadows_move(what):
    """Their part of the gradient is what it lacks without edges."""
    at = [MATT.vertices, torch.tensor([0.7, 1.0, 0.3], dtype=torch.float64), torch.zeros(3, dtype=torch.float64)]
    by = [torch.zeros_like(each) for each in at]
    which, axis = MOVES[what]
    if which == 0:
        by[0][4:, axis] = 1  # the floor stays
    else:
        by[which][axis] = 1
    with torch.no_grad():
        ends = [drawn(*(each + s * step for each, step in zip(at, by, strict=True)), 16) for s in (0.03, -0.03)]
    expected = float(ends[0] - ends[1]) / 0.06
    slopes = []
    for edges in (DEFAULT, None):
        given = at[which].clone().requires_grad_()
        drawn(*at[:which], given, *at[which + 1 :], 4, edges).backward()
        assert given.grad is not None
        slopes.append(float((given.grad * by[which]).sum()))
    part = abs(slopes[0] - slopes[1])
    assert abs(slopes[0] - expected) < 0.1 * part  # the noise of counting 16 x 16 rays a pixel
    assert part > 0.1 * abs(expected)
