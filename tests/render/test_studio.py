"""The studio's look: occlusion that is baked into a finer surface, its lights, and the shadow on the ground."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.nouns import Material, Mesh
from invrender.render import studio
from invrender.render.baked import Baking, affordable, baked, halved, openness_at
from invrender.render.images import to_bytes
from invrender.render.rays import body
from invrender.render.studio import Studio, lights_of, staged
from invrender.shading.lambert import surround
from invrender.shading.surface import surface_on
from tests.render.solids import TORCH, ball, floor, together

Tensor = torch.Tensor
COARSE = Baking(rays=16, edge=1 / 8)


def wall(height: float = 1000.0) -> Mesh:
    """On the plane x = 0, facing +X, over the floor."""
    corners = torch.tensor([[0.0, 0, -1], [0, 1, -1], [0, 1, 1], [0, 0, 1]], dtype=torch.float64) * height
    return Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]))


@pytest.mark.parametrize("distance", [1e-4, 0.3, 0.9])
def test_a_wall_takes_what_its_fading_form_factor_says(distance: float) -> None:
    solid = body(surface_on(TORCH.device, wall(4.0)), TORCH, torch.float64)
    at = solid.local(torch.tensor([[distance, 0.0, 0.0]], dtype=torch.float64))
    up = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)
    found = float(openness_at(solid, at, up, 4096, 1.0 / solid.unit))
    # the same integral on a regular grid of the unit square that the cosine's density is uniform over
    u, v = torch.meshgrid(*(((torch.arange(500) + 0.5) / 500).double(),) * 2, indexing="ij")
    towards = -u.sqrt() * torch.cos(2 * math.pi * v)  # the share of a unit vector towards the wall
    met = distance / torch.where(towards > 0, towards, 1e-9)
    expected = 1 - float(torch.where(met < 1, (1 - met) ** 2, 0).mean())
    assert found == pytest.approx(expected, abs=0.005)
    assert distance > 1e-3 or found == pytest.approx(0.5, abs=0.005)


def test_nothing_is_dark_on_a_ball_and_the_edge_of_a_right_angle_is_half_open() -> None:
    round_one = baked(surface_on(TORCH.device, ball(12)), TORCH, COARSE)
    assert round_one.openness is not None
    assert float(round_one.openness[:, 0].min()) > 0.97
    mesh = together(floor(0.0, 1.0), Mesh(wall(1.0).vertices + torch.tensor([-1.0, 0, 0]), wall(1.0).faces))
    corner = baked(surface_on(TORCH.device, mesh), TORCH, Baking(rays=64, edge=1 / 24))
    assert corner.openness is not None
    x, y, _ = corner.positions[corner.position_of].unbind(1)
    front = corner.openness[:, 0]
    assert float(front[(x == -1) & (y == 0)].mean()) == pytest.approx(0.58, abs=0.08)  # blurred by its neighbours
    assert float(front[x > 0.5].min()) > 0.95
    assert float(front[(x == -1) & (y > 0.9)].min()) > 0.9


def test_halved_edges_change_no_shape() -> None:
    corners = torch.tensor([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=torch.float64)
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
             [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]  # fmt: skip
    cube = Mesh(corners, torch.tensor(faces), uv=corners[:, :2] * 0.5 + corners[:, 2:] * 0.25, colours=corners)
    fine = halved(surface_on(TORCH.device, cube), 0.3)
    a, b, c = fine.positions[fine.faces].unbind(1)
    assert float(torch.linalg.cross(b - a, c - a).norm(dim=1).sum()) / 2 == pytest.approx(6)
    assert max(float((p - q).norm(dim=1).max()) for p, q in ((a, b), (b, c), (c, a))) <= 0.3
    assert bool((fine.topology.faces >= 0).all())
    at = fine.positions[fine.position_of]
    assert fine.colours is not None and fine.uv is not None
    assert torch.allclose(fine.colours, at)
    assert torch.allclose(fine.uv, at[:, :2] * 0.5 + at[:, 2:] * 0.25)
    assert torch.equal(fine.position_of[fine.attribute_faces], fine.faces)
    assert torch.allclose(fine.normals[fine.attribute_faces].mean(1), fine.face_normals)


def test_a_house_of_many_walls_is_not_cut_into_millions() -> None:
    walls = together(*(floor(height, 1.0) for height in torch.linspace(0, 0.1, 400).tolist()))
    surface = surface_on(TORCH.device, walls)
    longest = affordable(surface, 2 / 36)
    assert longest > 2 / 36
    assert len(halved(surface, longest).faces) < 500_000
    assert affordable(surface_on(TORCH.device, ball(8)), 0.1) == 0.1


def test_light_from_everywhere_is_strongest_from_above() -> None:
    lights = lights_of(Studio(up=(0, 0, 2)), rig("orbit", 1, [0.0, 0, 0], 1.0, (8, 8)))
    normals = torch.tensor([[0.0, 0, 1], [0, 0, -1], [1, 0, 0]], dtype=torch.float64)
    seen = surround(normals, lights)[:, 0].tolist()
    assert seen == pytest.approx([0.52, 0.2, 0.36])


def test_cameras_see_the_same_light_from_everywhere_around_and_nothing_clips() -> None:
    cameras = rig("orbit", 2, [0.0, 0, 0], 1.0, (24, 24))
    white = replace(ball(12), material=Material(albedo=(1.0, 1.0, 1.0)))
    drawn = studio.layers(white, cameras, TORCH, studio=Studio(baking=COARSE))
    assert drawn.shape == (2, 24, 24, 4)
    assert torch.allclose(drawn[0], drawn[1], atol=2e-2)
    inside = drawn[0][drawn[0, ..., 3] == 1]
    assert 0.8 < float(inside[:, :3].max()) < 1
    black = studio.layers(replace(white, material=Material(albedo=(0.0, 0, 0))), cameras, TORCH)
    assert float(black[0][drawn[0, ..., 3] == 1][:, :3].mean()) > 0.005  # its gloss shows its form


def test_a_quick_picture_is_the_careful_one() -> None:
    """Of a closed body, which is lit at its corners and sketched: within the rounding of a few levels of 255."""
    paper = (0.9, 0.9, 0.88)
    camera = rig("orbit", 1, [0.0, 0, 0], 1.0, (96, 96), elevation=20.0)
    body_ = replace(ball(40), material=Material(albedo=(0.6, 0.3, 0.2)))
    quick = studio.picture(body_, camera, TORCH, Studio(baking=COARSE), paper).astype(float)
    careful = studio.layers(body_, camera, TORCH, 2, Studio(baking=COARSE))[0]
    shown = to_bytes(careful[..., :3] + (1 - careful[..., 3:].clamp(0, 1)) * torch.tensor(paper)).astype(float)
    assert quick.shape == shown.shape
    inside = (careful[..., 3] == 1).numpy()
    assert inside.sum() > 1000
    assert abs(quick - shown)[inside].mean() < 2
    assert abs(quick - shown).mean() < 1.5


def test_the_ground_is_seen_by_its_shadow_alone() -> None:
    stage = staged(ball(12), TORCH, Studio(ground=True, baking=COARSE))
    above = rig("orbit", 1, [0.0, 0, 0], 1.0, (32, 32), 4.0, elevation=20.0)
    drawn = studio.layers(stage, above, TORCH)
    alone = studio.layers(ball(12), above, TORCH, studio=Studio(baking=COARSE))
    shadow = drawn[0][alone[0, ..., 3] == 0]
    assert float(shadow[:, :3].max()) == 0
    assert 0.2 < float(shadow[:, 3].max()) < 0.8
    assert float(drawn[0, 0, :, 3].max()) == 0  # nothing over the horizon
    below = rig("orbit", 1, [0.0, 0, 0], 1.0, (32, 32), 4.0, elevation=-40.0)
    under = studio.layers(stage, below, TORCH)[0, ..., 3]
    assert torch.equal(under, studio.layers(ball(12), below, TORCH, studio=Studio(baking=COARSE))[0, ..., 3])
