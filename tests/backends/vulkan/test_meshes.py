"""Meshes as people bring them, by the vulkan backend: none, one triangle, millions, and vertices that are no numbers.

Rays are compared with Embree, which is another program, and with the cpu backend.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.backends.torch.trace import trace as trace_with

pytestmark = pytest.mark.vulkan

TRIANGLE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
ONE = torch.tensor([[0, 1, 2]])


@pytest.fixture(scope="module")
def vulkan():
    return select("vulkan")


def terrain(side, seed=0):
    """A bumpy square of 2 (side - 1)^2 faces."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.meshgrid(*[torch.linspace(-1, 1, side, dtype=torch.float64)] * 2, indexing="xy")
    z = 0.2 * torch.sin(5 * x) * torch.cos(4 * y) + 0.3 / side * torch.rand(side, side, generator=generator)
    index = torch.arange(side * side).reshape(side, side)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = torch.cat([torch.stack([a, b, c], -1).reshape(-1, 3), torch.stack([b, d, c], -1).reshape(-1, 3)])
    return torch.stack([x, y, z], -1).reshape(-1, 3), faces


def rays_at(target, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    origin = torch.randn(count, 3, generator=generator, dtype=torch.float64) * 3
    spread = torch.rand(count, 3, generator=generator, dtype=torch.float64) * 2 - 1
    return origin, (spread * target - origin) * (0.1 + torch.rand(count, 1, generator=generator, dtype=torch.float64))


def shapes():
    import trimesh

    ball = trimesh.creation.icosphere(5)
    bumpy = ball.vertices * (1 + 0.15 * np.sin(5 * ball.vertices[:, :1]) * np.cos(7 * ball.vertices[:, 1:2]))
    torus = trimesh.creation.torus(0.8, 0.3, 200, 100)
    yield "bumpy ball", torch.tensor(bumpy), torch.tensor(ball.faces)
    yield "torus", torch.tensor(torus.vertices), torch.tensor(torus.faces)
    yield "terrain", *terrain(150)


@pytest.mark.skipif(not find_spec("embreex"), reason="no Embree")
@pytest.mark.parametrize(("name", "vertices", "faces"), list(shapes()))
def test_rays_meet_the_faces_that_embree_finds(vulkan, name, vertices, faces):
    origin, direction = rays_at(1.0, 50_000)
    face, t, u, v = vulkan.trace(vertices, faces, origin, direction)
    expected, distance, _, _ = trace_with(vertices, faces, origin, direction, engine="embree")
    border = torch.minimum(torch.minimum(u, v), 1 - u - v) < 1e-4
    assert int((face >= 0).sum()) > 10_000
    differs = (face >= 0) != (expected >= 0)
    assert int(differs.sum()) <= 2  # silhouettes, to the last bit of a float
    both = (face >= 0) & (expected >= 0)
    other = both & (face != expected)
    assert bool(border[other].all())
    shared = (faces[face[other]][:, :, None] == faces[expected[other]][:, None, :]).any(2).sum(1)
    assert bool((shared >= 1).all())
    assert float((t - distance)[both].abs().max()) < 5e-5


def test_one_triangle_has_its_analytic_hit(vulkan):
    origin = torch.tensor([[0.25, 0.5, 2.0], [0.25, 0.5, -3.0], [0.8, 0.8, 2.0]], dtype=torch.float64)
    direction = torch.tensor([[0, 0, -4.0], [0, 0, 1.0], [0, 0, -1.0]], dtype=torch.float64)
    face, t, u, v = vulkan.trace(TRIANGLE, ONE, origin, direction)
    assert face.tolist() == [0, 0, -1]
    assert t.tolist() == [0.5, 3.0, float("inf")]
    assert (u[0].item(), v[0].item()) == (0.25, 0.5)


def test_no_faces_and_no_rays(vulkan):
    origin, direction = rays_at(1.0, 3)
    face, t, _, _ = vulkan.trace(TRIANGLE, torch.zeros(0, 3, dtype=torch.int64), origin, direction)
    assert face.tolist() == [-1] * 3
    assert bool(torch.isinf(t).all())
    assert len(vulkan.trace(TRIANGLE, ONE, origin[:0], direction[:0])[0]) == 0
    face, depth = vulkan.rasterize(torch.zeros(2, 0, 4), torch.zeros(0, 3, dtype=torch.int64), (4, 5))
    assert face.shape == (2, 4, 5)
    assert bool((face == -1).all())
    assert bool(torch.isinf(depth).all())


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_faces_with_a_corner_that_is_no_number_are_not_hit_and_others_are(vulkan, wrong):
    vertices = torch.cat([TRIANGLE, TRIANGLE + 2, TRIANGLE - 2])
    vertices[4, 1] = wrong
    faces = torch.arange(9).reshape(3, 3)
    middle = torch.tensor([[0.2, 0.2, 5.0], [2.2, 2.2, 5.0], [-1.8, -1.8, 5.0], [wrong, 0.2, 5.0]])
    direction = torch.tensor([[0.0, 0, -1]]).expand(4, 3)
    assert vulkan.trace(vertices, faces, middle.double(), direction.double())[0].tolist() == [0, -1, 2, -1]
    assert vulkan.trace(vertices, faces, middle.double(), torch.zeros(4, 3).double())[0].tolist() == [-1] * 4


def test_vertices_that_no_face_has_are_harmless(vulkan):
    scattered = torch.rand(5000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1e6
    vertices, faces = torch.cat([scattered, TRIANGLE, TRIANGLE + 2]), ONE + torch.tensor([[5000], [5003]])
    middle = torch.tensor([[0.2, 0.2, 5.0], [2.2, 2.2, 5.0], [9.0, 9.0, 5.0]], dtype=torch.float64)
    down = torch.tensor([[0.0, 0, -1]], dtype=torch.float64).expand(3, 3)
    for shift in (0.0, 0.5):
        face, t, _, _ = vulkan.trace(vertices + shift, faces, middle + shift, down)
        assert face.tolist() == [0, 1, -1]
        assert t[:2].tolist() == pytest.approx([5.0, 3.0], rel=1e-12)


@pytest.mark.parametrize("share", [1, 2])
def test_a_mesh_that_changes_is_traced_as_it_is_now(vulkan, share):
    """Refitted structures and new ones: vertices moved in place, stretched and flattened, and fewer faces."""
    vertices, faces = terrain(20)
    origin, direction = rays_at(1.0, 2000)
    cpu = select("cpu")
    for shift, stretch in ((0.0, 1.0), (0.3, 1.0), (50.0, 6.0), (-7.0, 0.1), (0.0, 9.0)):
        vertices += shift
        vertices[:, 2] = vertices[:, 2].mean() + stretch * (vertices[:, 2] - vertices[:, 2].mean())
        for part in (faces[: len(faces) // share], faces):
            for _ in range(2):
                here = (vertices, part, origin + vertices.mean(0), direction)
                found, expected = vulkan.trace(*here), cpu.trace(*here)
                assert int((found[0] != expected[0]).sum()) <= 2
                assert int((found[0] >= 0).sum()) > 100


def test_millions_of_triangles_and_of_rays(vulkan):
    """2,000,000 faces, and more rays than the 65,535 groups of 64 threads that one axis may have."""
    vertices, faces = terrain(1001)
    count = 65_535 * 64 + 1000
    at = torch.linspace(-0.99, 0.99, count, dtype=torch.float64)
    origin = torch.stack([at, at.flip(0) * 0.7, torch.full_like(at, 3)], 1)
    down = torch.tensor([[0, 0, -1.0]], dtype=torch.float64).expand(count, 3)
    face, t, _, _ = vulkan.trace(vertices, faces, origin, down)
    assert bool((face >= 0).all())
    some = torch.arange(0, count, 40_001)
    column, row = (origin[some, :2].T + 1).mul(500).floor().long()
    quad = face[some] % (1000 * 1000)
    assert torch.equal(quad % 1000, column)
    assert torch.equal(torch.div(quad, 1000, rounding_mode="floor"), row)
    assert bool(((3 - t).abs() < 0.21 + 0.001).all())


def test_of_faces_in_one_plane_the_first_is_seen(vulkan):
    generator = torch.Generator().manual_seed(0)
    clip = torch.cat([torch.rand(1, 300, 2, generator=generator) * 2 - 1, torch.zeros(1, 300, 1)], 2)
    clip = torch.cat([clip, torch.ones(1, 300, 1)], 2)
    faces = torch.randperm(300, generator=generator).reshape(100, 3)
    found, expected = (backend.rasterize(clip, faces, (64, 64))[0] for backend in (vulkan, select("cpu")))
    assert len(expected.unique()) > 10
    assert torch.equal(found, expected)


def test_pictures_of_many_triangles_are_the_cpu_backends(vulkan):
    vertices, faces = terrain(300)
    clip = torch.cat([vertices, 2 + vertices[:, 2:]], 1)[None].repeat(2, 1, 1)
    clip[1, :, 0] += 0.3
    for size in ((97, 128), (512, 512)):
        found, expected = vulkan.rasterize(clip, faces, size), select("cpu").rasterize(clip, faces, size)
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])
