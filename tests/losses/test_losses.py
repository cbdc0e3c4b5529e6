"""The terms of the loss, against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from invrender import losses
from invrender.geometry.remesh import remesh
from invrender.nouns.topology import topology
from invrender.parameters.laplacian import degrees, uniform_laplacian
from invrender.samples import SAMPLES


def test_the_misfit_is_an_area_averaged_over_views():
    masks, coverage = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)
    coverage[0, 1, 1] = 1
    coverage[0, 2, 2] = 0.5
    found = losses.silhouette_misfit(coverage, masks, torch.tensor([0.1, 5.0]).square() / 2)
    assert float(found) == pytest.approx((1 + 0.25) * 0.01 / 2)


def test_the_misfit_does_not_depend_on_the_resolution():
    def misfit(n: int) -> float:
        coverage = torch.zeros(1, n, n)
        coverage[:, : n // 2] = 1
        return float(losses.silhouette_misfit(coverage, torch.zeros(1, n, n), torch.tensor([2.0 / n]).square()))

    assert misfit(8) == pytest.approx(misfit(64)) == pytest.approx(2.0)


def test_soft_iou():
    one = torch.zeros(3, 2, 2)
    two = torch.zeros(3, 2, 2)
    one[0, 0] = 1  # upper half against left half: one pixel of three
    two[0, :, 0] = 1
    one[1, 0, 0], two[1, 0, 0] = 0.5, 1.0
    assert losses.soft_iou(one, two).tolist() == pytest.approx([1 / 3, 0.5, 1.0])


def ball():
    mesh = SAMPLES["sphere"]()
    edges = topology(mesh.faces)
    vertices = mesh.vertices.double()
    return vertices, uniform_laplacian(edges, len(vertices)), degrees(edges, len(vertices))


def test_the_membrane_grows_like_the_area_and_pulls_inwards():
    vertices, laplacian, _ = ball()
    value = float(losses.membrane(vertices, torch.sparse.mm(laplacian, vertices)))
    twice = float(losses.membrane(2 * vertices, torch.sparse.mm(laplacian, 2 * vertices)))
    assert twice == pytest.approx(4 * value)
    moving = vertices.clone().requires_grad_(True)
    (pull,) = torch.autograd.grad(losses.membrane(moving, torch.sparse.mm(laplacian, moving)), moving)
    assert float((pull * vertices).sum()) > 0  # descent shrinks
    shifted = vertices + 3.0
    assert float(losses.membrane(shifted, torch.sparse.mm(laplacian, shifted))) == pytest.approx(value)


def test_the_membrane_of_an_isotropic_mesh_is_the_documented_share_of_its_area():
    vertices, faces = remesh(ball()[0].numpy(), SAMPLES["sphere"]().faces.numpy(), 0.12)
    edges, points = topology(torch.from_numpy(faces)), torch.from_numpy(vertices)
    laplacian = uniform_laplacian(edges, len(points))
    share = float(losses.membrane(points, torch.sparse.mm(laplacian, points))) / float(area(points, faces))
    assert share == pytest.approx(0.29, abs=0.03)


def area(vertices, faces):
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2


def test_bending_vanishes_on_a_flat_even_patch_and_counts_a_spike():
    centre_and_ring = torch.tensor([[0, k, (k % 6) + 1] for k in range(1, 7)])
    edges = topology(centre_and_ring)
    laplacian, degree = uniform_laplacian(edges, 7), degrees(edges, 7)
    angle = torch.arange(6).double() * torch.pi / 3
    ring = torch.stack([angle.cos(), angle.sin(), 0 * angle], 1)
    smooth = torch.cat([torch.zeros(1, 3).double(), ring])
    spike = smooth.clone()
    spike[0, 2] = 0.5
    inner = [0]
    flat = torch.sparse.mm(laplacian, smooth)
    assert float(losses.bending(flat[inner], degree[inner])) == pytest.approx(0, abs=1e-20)
    raised = torch.sparse.mm(laplacian, spike)
    assert float(losses.bending(raised[inner], degree[inner])) == pytest.approx(0.5 * 0.5**2)
