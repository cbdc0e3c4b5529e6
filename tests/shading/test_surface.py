"""Normals, textures and Lambert's law."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import trimesh

from invrender.nouns import Lights, Material, Mesh
from invrender.shading.lambert import lambert
from invrender.shading.surface import surface
from invrender.shading.texture import albedo, sample_texture


def mesh_of(shape) -> Mesh:
    return Mesh.from_numpy(np.array(shape.vertices), np.array(shape.faces))


def test_a_sphere_is_smooth_and_a_cube_keeps_its_edges():
    ball = surface(mesh_of(trimesh.creation.icosphere(3)))
    assert len(ball.normals) == len(ball.positions)
    assert float((ball.normals * ball.positions[ball.position_of]).sum(1).min()) > 0.999
    box = surface(mesh_of(trimesh.creation.box()))
    assert len(box.normals) == 24
    assert torch.allclose(box.normals[box.attribute_faces], box.face_normals[:, None].expand(-1, 3, -1))


@pytest.mark.parametrize(("angle", "attributes"), [(35.0, 4), (45.0, 6)])
def test_an_edge_is_a_crease_beyond_forty_degrees(angle, attributes):
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    vertices = np.array([[0.0, 0, 0], [0, 1, 0], [-1, 0, 0], [c, 0, s]])
    assert len(surface(Mesh.from_numpy(vertices, np.array([[0, 1, 2], [1, 0, 3]]))).normals) == attributes


def test_seams_that_repeat_vertices_do_not_show():
    ball = trimesh.creation.icosphere(2)
    soup = Mesh.from_numpy(np.array(ball.triangles).reshape(-1, 3), np.arange(3 * len(ball.faces)).reshape(-1, 3))
    merged = surface(soup)
    assert len(merged.positions) == len(ball.vertices)
    assert bool((merged.topology.faces >= 0).all())
    assert float((merged.normals * merged.positions[merged.position_of]).sum(1).min()) > 0.99


def test_uv_seams_survive_the_merging():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    uv = torch.arange(12.0).reshape(6, 2)
    flat = Mesh(torch.tensor(vertices), torch.tensor([[0, 1, 2], [3, 5, 4]]), uv=uv)
    drawn = surface(flat)
    assert len(drawn.positions) == 4
    assert torch.equal(drawn.uv[drawn.attribute_faces], uv.double()[flat.faces])


def test_degenerate_and_missing_faces_are_harmless():
    empty = surface(Mesh(torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64)))
    assert empty.normals.shape == (0, 3)
    thin = surface(Mesh(torch.eye(3), torch.tensor([[0, 1, 1], [0, 1, 2]])))
    assert torch.isfinite(thin.normals).all()


def test_a_texture_is_bilinear_repeats_and_has_its_first_row_on_top():
    texture = torch.tensor([[[0.0], [1.0]], [[2.0], [3.0]]])
    uv = torch.tensor([[0.25, 0.75], [0.75, 0.25], [0.5, 0.75], [0.5, 0.5], [1.25, -0.25], [0.0, 0.75]])
    assert sample_texture(texture, uv)[:, 0].tolist() == pytest.approx([0, 3, 0.5, 1.5, 0, 0.5])


def test_albedo_is_a_product_and_vertex_colours_may_stand_alone():
    colours, uv = torch.tensor([[0.5, 1.0, 0.0]]), torch.tensor([[0.5, 0.5]])
    half = Material((0.5, 0.5, 0.5), torch.full((2, 2, 3), 0.5))
    assert albedo(half, uv, None).tolist() == [[0.25] * 3]
    assert albedo(half, uv, colours).tolist() == [[0.125, 0.25, 0.0]]
    assert albedo(Material(), None, colours).tolist() == [[0.5, 1.0, 0.0]]
    assert albedo(Material(), None, None).tolist() == pytest.approx([0.8] * 3)


def test_lambert_follows_the_cosine_and_stops_at_the_horizon():
    normal = torch.tensor([[0.0, 0, 1]]).expand(3, -1)
    light = torch.tensor([[0.0, 0, 1], [0, math.sqrt(0.75), 0.5], [0, 0, -1]])
    out = lambert(normal, light, torch.tensor(0.5), Lights(intensity=0.8, ambient=0.1))
    assert out[:, 0].tolist() == pytest.approx([0.45, 0.25, 0.05])
