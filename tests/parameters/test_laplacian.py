"""Uniform Laplacians: their entries, what they vanish on, and the factorised solve."""

from __future__ import annotations

import pytest
import torch

from invrender.nouns.topology import topology
from invrender.parameters.laplacian import degrees, factorised, uniform_laplacian
from invrender.samples import SAMPLES


def test_two_triangles_by_hand():
    edges = topology(torch.tensor([[0, 1, 2], [2, 1, 3]]))
    expected = [[2, -1, -1, 0], [-1, 3, -1, -1], [-1, -1, 3, -1], [0, -1, -1, 2]]
    assert uniform_laplacian(edges, 4).to_dense().tolist() == expected
    assert degrees(edges, 4).tolist() == [2, 3, 3, 2]


def test_an_edge_with_many_faces_counts_once_and_a_lone_vertex_is_free():
    edges = topology(torch.tensor([[0, 1, 2], [0, 1, 3], [0, 1, 4]]))
    laplacian = uniform_laplacian(edges, 6).to_dense()
    assert float(laplacian[0, 1]) == -1
    assert laplacian[5].tolist() == [0] * 6
    assert float(degrees(edges, 6)[5]) == 1


def test_constants_vanish_and_energy_is_the_sum_over_edges():
    mesh = SAMPLES["torus-knot"]()
    edges = topology(mesh.faces)
    vertices = mesh.vertices.double()
    laplacian = uniform_laplacian(edges, len(vertices))
    assert float(torch.sparse.mm(laplacian, torch.ones_like(vertices)).abs().max()) == 0
    energy = float((vertices * torch.sparse.mm(laplacian, vertices)).sum())
    a, b = edges.edges.T
    assert energy == pytest.approx(float((vertices[a] - vertices[b]).square().sum()))


def test_the_factorised_solve_inverts_the_matrix():
    mesh = SAMPLES["sphere"]()
    count = len(mesh.vertices)
    laplacian = uniform_laplacian(topology(mesh.faces), count)
    matrix = (laplacian.to_dense() + torch.eye(count).double()).to_sparse_coo()
    right = torch.randn(count, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    solution = factorised(matrix)(right)
    assert torch.allclose(torch.sparse.mm(matrix, solution), right, atol=1e-10)
