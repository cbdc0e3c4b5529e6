"""Hits of rays and their gradients, whichever backend finds the face."""

from __future__ import annotations

import pytest
import torch

from invrender.errors import InputError
from invrender.ops import first_hits

BACKENDS = ["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture(params=BACKENDS)
def backend(request, open_backend):
    return open_backend(request.param)


def soup(faces=20, rays=40):
    generator = torch.Generator().manual_seed(3)
    vertices, ends = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (3 * faces, 2 * rays))
    return vertices, torch.arange(3 * faces).reshape(-1, 3), 3 * ends[:rays], ends[rays:] - 3 * ends[:rays]


def test_gradients_are_those_of_the_plane_that_is_hit(backend):
    vertices, faces, origin, direction = soup()

    def values(*parts):
        hits = first_hits(backend, parts[0], faces, *parts[1:])
        hit = hits.face >= 0
        assert hit.any()
        assert not hit.all()
        assert torch.isinf(hits.t[~hit]).all()
        return torch.stack([hits.t, hits.u, hits.v], 1)[hit]

    given = [part.clone().requires_grad_() for part in (vertices, origin, direction)]
    assert torch.autograd.gradcheck(values, given, eps=1e-7, atol=1e-4, rtol=1e-4)


def test_a_miss_leaves_no_nan_in_gradients(backend):
    triangle = torch.eye(3, dtype=torch.float64, requires_grad=True)
    ray = torch.tensor([[3.0, 3, 3], [1, 1, 1]], dtype=torch.float64)
    hits = first_hits(backend, triangle, torch.tensor([[0, 1, 2]]), ray, torch.tensor([[1.0, 0, -1], [-1, -1, -1]]))
    assert hits.face.tolist() == [-1, 0]
    hits.t[1:].sum().backward()
    assert torch.allclose(triangle.grad, torch.full((3, 3), -1 / 9, dtype=torch.float64))


def test_vertices_that_are_no_numbers_are_refused(backend):
    vertices = torch.eye(3)
    vertices[1, 2] = torch.nan
    with pytest.raises(InputError, match="not finite"):
        first_hits(backend, vertices, torch.tensor([[0, 1, 2]]), torch.ones(1, 3), -torch.ones(1, 3))
