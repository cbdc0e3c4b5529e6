"""Surfaces that look for where photographs agree: a painted ball of a wrong size, and one without paint."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.geometry.connectivity import unique_edges
from invrender.photometry.consistency import Agreement, disagreement, tangents
from invrender.photometry.labels import labelled
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import depth_buffer, look_at_points
from invrender.photometry.search import Search, searched
from tests.photometry.painted_ball import ball, taken


def weights(vertices: torch.Tensor, normals: torch.Tensor, faces: torch.Tensor, photos: Photos) -> np.ndarray:
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, select("cpu"))
    return look_at_points(vertices, normals, photos, depth).weight.numpy()


def test_photographs_agree_at_the_surface_and_nowhere_else() -> None:
    vertices, faces = ball(3)
    photos, offsets = taken(20), np.linspace(-0.2, 0.2, 9)
    cost = disagreement(
        vertices.numpy(), vertices.numpy(), offsets, weights(vertices, vertices, faces, photos), photos, Agreement()
    )
    mean = cost.mean(0)
    assert mean.argmin() == 4
    assert mean[4] < 0.6 * min(mean[0], mean[8])


def test_what_projects_onto_known_background_costs_and_onto_unknown_does_not() -> None:
    vertices, _ = ball(2)
    points, unseen = vertices.numpy(), np.zeros((6, len(vertices)), np.float32)
    photos = taken(6)
    unknown = dataclasses.replace(photos, confidence=torch.zeros_like(photos.confidence))
    offsets = np.array([-0.5, 0.0, 0.4])

    def cost(of: Photos, barrier: float) -> np.ndarray:
        return disagreement(points, points, offsets, unseen, of, Agreement(barrier=barrier))

    with_bar, without = cost(photos, 0.3), cost(photos, 0.0)
    assert np.array_equal(with_bar[:, 0], without[:, 0])
    assert (with_bar[:, 2] > without[:, 2] + 0.1).mean() > 0.8
    assert np.array_equal(cost(unknown, 0.3), without)


@pytest.mark.parametrize("size", [0.93, 1.06])
def test_a_painted_ball_of_the_wrong_size_finds_its_own(size: float) -> None:
    vertices, faces = ball(4)
    held = np.zeros(len(vertices), bool)
    moved = size * vertices.numpy()
    for reach in (0.1, 0.05):
        moved, gained = searched(moved, faces.numpy(), taken(20), held, Search(reach, reach), select("cpu"))
        assert gained > 0
    radius = np.linalg.norm(moved, axis=1)
    assert abs(np.median(radius) - 1) < 0.01
    assert np.abs(radius - 1).mean() < 0.3 * abs(size - 1)


def test_vertices_of_outlines_hold_and_a_ball_without_paint_stays() -> None:
    vertices, faces = ball(3)
    photos = taken(12)
    blank = dataclasses.replace(photos, images=0.5 * photos.masks[..., None].expand(-1, -1, -1, 3).contiguous())
    held = np.zeros(len(vertices), bool)
    kept, _ = searched(vertices.numpy(), faces.numpy(), blank, held, Search(0.1, 0.1), select("cpu"))
    assert np.abs(np.linalg.norm(kept, axis=1) - 1).max() < 1.5 * float(photos.pixel.max())
    larger = 1.05 * vertices.numpy()
    still, _ = searched(larger, faces.numpy(), photos, ~held, Search(0.1, 0.1, hold=1e4), select("cpu"))
    assert np.allclose(still, larger, atol=1e-3)


def test_neighbours_outvote_a_vertex_that_is_unsure_and_not_one_that_is_sure() -> None:
    _, faces = ball(2)
    edges = unique_edges(faces.numpy())
    count = int(edges.max()) + 1
    cost = np.ones((count, 5), np.float32)
    cost[:, 1] = 0
    cost[7] = [1, 1, 1, 0.9, 1]
    order = np.arange(count)
    labels, _ = labelled(cost, edges, order, 0.1, 0.5)
    assert (labels == 1).all()
    cost[7] = [9, 9, 9, 0, 9]
    labels, beliefs = labelled(cost, edges, order, 0.1, 0.5)
    assert labels[7] == 3 and (np.delete(labels, 7) == 1).all()
    assert beliefs[7].argmin() == 3


def test_a_chain_takes_the_labels_of_least_total_cost() -> None:
    """Against all 4^6 ways."""
    random = np.random.default_rng(3)
    cost = random.random((6, 4)).astype(np.float32)
    edges = np.stack([np.arange(5), np.arange(1, 6)], 1)
    ways = np.stack(np.meshgrid(*[np.arange(4)] * 6, indexing="ij"), -1).reshape(-1, 6)
    total = cost[np.arange(6), ways].sum(1) + np.minimum(0.2 * np.abs(np.diff(ways, axis=1)), 0.5).sum(1)
    labels, _ = labelled(cost, edges, np.arange(6), 0.2, 0.5)
    assert np.array_equal(labels, ways[total.argmin()])


def test_tangents_are_across_the_normal() -> None:
    normals = ball(1)[0].numpy()
    first, second = tangents(normals)
    for a, b in ((first, normals), (second, normals), (first, second)):
        assert np.abs((a * b).sum(1)).max() < 1e-12
    assert np.allclose(np.linalg.norm(second, axis=1), 1)
