"""Gradients of traced pictures inside contours and shadows' edges, against central differences in float64."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.nouns import Lights, Material, Mesh
from invrender.render.traced import RaySettings, backdrop, radiance
from tests.render.slopes import agree
from tests.render.solids import ball, floor, grid, ready, together

Tensor = torch.Tensor
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
