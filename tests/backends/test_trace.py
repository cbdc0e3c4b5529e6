"""Rays: a sphere's analytic hits, by every engine there is."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import pytest
import torch

from invrender.backends.torch.trace import trace as trace_with

NO_EMBREE = pytest.mark.skipif(not find_spec("embreex"), reason="no Embree")


@pytest.fixture(
    params=[
        "cpu",
        pytest.param("cuda", marks=pytest.mark.gpu),
        pytest.param("vulkan", marks=pytest.mark.vulkan),
        "torch",
        pytest.param("embree", marks=NO_EMBREE),
    ]
)
def trace(request, open_backend):
    if request.param in ("torch", "embree"):
        return partial(trace_with, engine=request.param)
    return open_backend(request.param).trace


@pytest.mark.parametrize("shift", [0.0, 1e5])
def test_rays_hit_a_sphere_where_geometry_says(trace, icosphere, view_rays, shift):
    vertices, faces = icosphere(3)
    origin, direction = view_rays((24, 24), 2.0)
    face, t, u, v = trace(vertices + shift, faces, origin + shift, direction)
    b = (origin * direction).sum(1)
    a = (direction**2).sum(1)
    square = b**2 - a * (4 - 1)
    sure = square.abs() > 0.05
    assert torch.equal((face >= 0)[sure], (square > 0)[sure])
    hit = (face >= 0) & sure
    assert torch.allclose(t[hit], ((-b - square.sqrt()) / a)[hit], atol=0.02)
    corners = vertices[faces[face[hit]]]
    weights = torch.stack([1 - u - v, u, v], 1)[hit]
    on_face = (weights[:, :, None] * corners).sum(1)
    assert torch.allclose(on_face, (origin + t[:, None] * direction)[hit], atol=1e-5)
    assert torch.isinf(t[face < 0]).all()


@pytest.mark.parametrize("distance", [1e3, 1e7])
def test_rays_from_far_away_meet_what_they_aim_at(trace, icosphere, distance):
    vertices, faces = icosphere(3)
    target = vertices[faces].mean(1)
    sides = vertices[faces[:, 1:]] - vertices[faces[:, :1]]
    outward = torch.nn.functional.normalize(torch.linalg.cross(sides[:, 0], sides[:, 1]))
    face, t, _, _ = trace(vertices, faces, target + distance * outward, -3 * outward)
    assert torch.equal(face, torch.arange(len(faces)))
    assert t.tolist() == pytest.approx([distance / 3] * len(faces), rel=1e-6)


def test_both_sides_count_and_what_lies_behind_does_not(trace):
    triangle = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    origin = torch.tensor([[0.2, 0.3, 1.0], [0.2, 0.3, -1.0], [0.2, 0.3, 1.0]])
    direction = torch.tensor([[0.0, 0, -2], [0, 0, 1], [0, 0, 1]])
    face, t, u, v = trace(triangle, torch.tensor([[0, 1, 2]]), origin, direction)
    assert face.tolist() == [0, 0, -1]
    assert t.tolist() == [0.5, 1.0, float("inf")]
    assert (u[0].item(), v[0].item()) == pytest.approx((0.2, 0.3))


def test_nothing_to_hit_and_nothing_to_ask(trace):
    triangle, none = torch.eye(3), torch.zeros(0, 3)
    assert trace(triangle, none.long(), triangle, triangle)[0].tolist() == [-1] * 3
    assert trace(triangle, torch.tensor([[0, 1, 2]]), none, none)[1].shape == (0,)


def test_a_mesh_that_changes_in_place_is_another_one(trace):
    """What is kept from call to call does not outlive it."""
    vertices, faces = (
        torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [-1, 0, 0], [0, -1, 0]]),
        torch.arange(6),
    )
    origin, direction = torch.tensor([[0.2, 0.3, 1.0]]), torch.tensor([[0.0, 0, -1]])
    for step in range(3):
        assert trace(vertices, faces.reshape(2, 3), origin, direction)[1].tolist() == [1 + step]
        vertices[:, 2] -= 1
    assert trace(vertices, faces.flip(0).reshape(2, 3), origin, direction)[0].tolist() == [1]


def test_the_nearest_face_is_found_among_many_of_every_size(trace):
    generator = torch.Generator().manual_seed(4)
    scale = 10 ** (torch.rand(400, 1, 1, generator=generator, dtype=torch.float64) * 2 - 1.5)
    soup = torch.randn(400, 1, 3, generator=generator).double() + scale * torch.randn(400, 3, 3, generator=generator)
    soup[7] = soup[8]  # the same face twice: the lower id wins
    soup[9] = soup[9, :1]
    vertices, faces = soup.reshape(-1, 3), torch.arange(1200).reshape(-1, 3)
    origin, direction = 3 * torch.randn(2, 500, 3, generator=generator, dtype=torch.float64)
    face, t, _, _ = trace(vertices, faces, origin, direction)
    expected = trace_with(vertices, faces, origin, direction, "torch")
    assert (face >= 0).sum() > 200
    assert float((face != expected[0]).double().mean()) <= (0.01 if isinstance(trace, partial) else 0)
    same = face == expected[0]
    torch.testing.assert_close(t[same], expected[1][same], rtol=1e-9, atol=0)  # a GPU rounds otherwise
