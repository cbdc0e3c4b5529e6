"""Silhouettes of meshes that nobody planned for: soups, holes, degenerate faces, parts beyond the image."""

from __future__ import annotations

import pytest
import torch

from invrender import ops
from invrender.nouns.topology import topology

Tensor = torch.Tensor
SIZE = (64, 64)


@pytest.fixture
def cover(backend):
    """Coverage [N,H,W] of clip positions and faces."""
    return lambda clip, faces, size=SIZE: ops.silhouette(backend, clip, faces, topology(faces), size)


def flat(points: list[tuple[float, float]] | Tensor, depth: float = 0.0) -> Tensor:
    """Clip positions [1,V,4] of points in NDC."""
    xy = torch.as_tensor(points, dtype=torch.float64)
    return torch.cat([xy, torch.full_like(xy[:, :1], depth), torch.ones_like(xy[:, :1])], 1)[None]


def test_open_non_manifold_and_inconsistently_wound_soups_are_the_union_of_their_triangles(cover):
    generator = torch.Generator().manual_seed(5)
    corners = torch.rand(9, 2, generator=generator, dtype=torch.float64) * 1.6 - 0.8
    faces = torch.tensor([[0, 1, 2], [0, 1, 3], [1, 0, 4], [2, 5, 6], [6, 5, 7], [8, 2, 1], [0, 1, 2]])
    image = cover(flat(corners), faces, (96, 96))[0]
    fine = (torch.arange(96 * 8, dtype=torch.float64) + 0.5) / (96 * 4) - 1
    y, x = torch.meshgrid(-fine, fine, indexing="ij")
    inside = torch.zeros_like(x, dtype=torch.bool)
    for a, b, c in corners[faces]:
        turns = [(q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) for p, q in ((a, b), (b, c), (c, a))]
        inside |= ((turns[0] > 0) == (turns[1] > 0)) & ((turns[1] > 0) == (turns[2] > 0))
    exact = torch.nn.functional.avg_pool2d(inside.double()[None, None], 8)[0, 0]
    assert float(image.sum()) == pytest.approx(float(exact.sum()), rel=2e-3)
    assert float((image - exact).abs().max()) < 0.6  # two edges through a pixel are summed, not clipped
    assert float((image - exact).abs().mean()) < 2e-3


def test_flipped_faces_change_nothing(cover, icosphere, project):
    vertices, faces = icosphere(2)
    mixed = faces.clone()
    mixed[::3] = mixed[::3].flip(1)
    assert torch.allclose(cover(project(vertices), faces), cover(project(vertices), mixed), atol=1e-9)


def test_degenerate_faces_and_empty_meshes_are_nothing(cover):
    corners = flat([(-0.5, -0.5), (0.5, -0.5), (0.1, 0.4), (0.1, 0.4)])
    solid = torch.tensor([[0, 1, 2]])
    with_degenerate = torch.tensor([[0, 1, 2], [2, 3, 2], [0, 0, 0], [2, 3, 1]])
    assert torch.allclose(cover(corners, solid), cover(corners, with_degenerate), atol=1e-9)
    assert float(cover(corners, torch.zeros(0, 3, dtype=torch.int64)).abs().max()) == 0.0


def test_parts_beyond_the_image_are_cut_off(cover):
    wide = flat([(-9.0, -0.5), (9.0, -0.5), (9.0, 0.5), (-9.0, 0.5)])
    image = cover(wide, torch.tensor([[0, 1, 2], [0, 2, 3]]), (16, 16))[0]
    assert float(image.sum()) == pytest.approx(128, abs=1e-6)
    assert torch.allclose(image[4:12], torch.ones(8, 16).double(), atol=1e-9)


def test_single_precision_gives_the_same_picture(cover, icosphere, project):
    vertices, faces = icosphere(4)
    exact, single = cover(project(vertices), faces), cover(project(vertices).float(), faces)
    assert single.dtype == torch.float32
    assert float((exact - single).abs().max()) < 1e-3
