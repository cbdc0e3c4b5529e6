"""Large Steps: a change of coordinates that loses nothing and whose adjoint is its transpose."""

from __future__ import annotations

import pytest
import torch

from invrender.nouns.topology import topology
from invrender.parameters.laplacian import uniform_laplacian
from invrender.parameters.large_steps import large_steps
from invrender.samples import SAMPLES


@pytest.fixture(scope="module")
def ball():
    mesh = SAMPLES["sphere"]()
    vertices = mesh.vertices.double()
    return vertices, uniform_laplacian(topology(mesh.faces), len(vertices))


def noise(like: torch.Tensor, seed: int) -> torch.Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("diffusion", [0.0, 10.0, 1000.0])
def test_encode_and_decode_are_inverse(ball, diffusion):
    vertices, laplacian = ball
    coordinates = large_steps(laplacian, diffusion)
    assert torch.allclose(coordinates.decode(coordinates.encode(vertices)), vertices, atol=1e-9)
    u = noise(vertices, 0)
    assert torch.allclose(coordinates.encode(coordinates.decode(u)), u, atol=1e-8)


def test_the_adjoint_of_decode_is_its_transpose(ball):
    vertices, laplacian = ball
    coordinates = large_steps(laplacian, 10.0)
    u, cotangent = noise(vertices, 1).requires_grad_(True), noise(vertices, 2)
    (back,) = torch.autograd.grad((coordinates.decode(u) * cotangent).sum(), u)
    direction = noise(vertices, 3)
    left = float((coordinates.decode(direction) * cotangent).sum())
    assert left == pytest.approx(float((direction * back).sum()))


def test_a_kick_at_one_vertex_carries_its_neighbourhood_along(ball):
    vertices, laplacian = ball
    kick = torch.zeros_like(vertices)
    kick[0, 0] = 1.0
    moved = large_steps(laplacian, 10.0).decode(kick)[:, 0]
    assert int(moved.argmax()) == 0
    assert float(moved.sum()) == pytest.approx(1.0)  # the constant mode passes unchanged
    assert 0 < float(moved[0]) < 0.1
    assert int((moved > 0.1 * moved[0]).sum()) > 12
