"""Which faces meet at which edges, for meshes of every kind."""

from __future__ import annotations

import torch

from invrender.nouns.topology import topology
from invrender.samples import SAMPLES


def entries(faces: list[list[int]]) -> set[tuple[tuple[int, int], frozenset[tuple[int, int]]]]:
    """Edges with the faces there and the way each runs, in no order."""
    found = topology(torch.tensor(faces, dtype=torch.int64).reshape(-1, 3))
    return {
        (tuple(edge), frozenset(zip(face, sign, strict=True)))  # type: ignore[misc]
        for edge, face, sign in zip(found.edges.tolist(), found.faces.tolist(), found.sign.tolist(), strict=True)
    }


def test_a_single_triangle_has_three_borders():
    assert entries([[0, 1, 2]]) == {
        ((0, 1), frozenset({(0, 1), (-1, 0)})),
        ((1, 2), frozenset({(0, 1), (-1, 0)})),
        ((0, 2), frozenset({(0, -1), (-1, 0)})),
    }


def test_neighbours_of_one_winding_run_their_edge_in_opposite_ways():
    assert ((1, 2), frozenset({(0, 1), (1, -1)})) in entries([[0, 1, 2], [2, 1, 3]])
    assert ((1, 2), frozenset({(0, 1), (1, 1)})) in entries([[0, 1, 2], [1, 2, 3]])


def test_an_edge_with_three_faces_lists_each_once():
    found = topology(torch.tensor([[0, 1, 2], [1, 0, 3], [0, 1, 4]]))
    shared = (found.edges == torch.tensor([0, 1])).all(1)
    assert int(shared.sum()) == 2
    assert sorted(found.faces[shared].reshape(-1).tolist()) == [-1, 0, 1, 2]
    assert int(found.sign[shared].sum()) == 1


def test_a_closed_manifold_has_two_opposite_faces_everywhere():
    faces = SAMPLES["mug"]().faces
    found = topology(faces)
    assert len(found.edges) == len(faces) * 3 // 2
    assert bool((found.faces >= 0).all())
    assert bool((found.sign.sum(1) == 0).all())
    assert bool((found.edges[:, 0] < found.edges[:, 1]).all())
    assert len(torch.unique(found.edges, dim=0)) == len(found.edges)
    for column in (0, 1):  # each face really holds both ends
        corners = faces[found.faces[:, column]]
        for end in (0, 1):
            assert bool((corners == found.edges[:, end : end + 1]).any(1).all())


def test_every_half_edge_is_listed_once_in_a_random_soup():
    faces = torch.randint(0, 12, (200, 3), generator=torch.Generator().manual_seed(0))
    found = topology(faces)
    proper = sum(len({a, b}) == 2 for face in faces.tolist() for a, b in zip(face, face[1:] + face[:1], strict=True))
    assert int((found.sign != 0).sum()) == proper
    assert bool(((found.faces < 0) == (found.sign == 0)).all())
    ends = faces.roll(-1, 1)
    for column in (0, 1):
        real = found.faces[:, column] >= 0
        face, sign = found.faces[real, column], found.sign[real, column]
        start = torch.where(sign > 0, found.edges[real, 0], found.edges[real, 1])
        end = torch.where(sign > 0, found.edges[real, 1], found.edges[real, 0])
        assert bool(((faces[face] == start[:, None]) & (ends[face] == end[:, None])).any(1).all())


def test_nothing_and_degenerate_faces():
    assert entries([]) == set()
    assert entries([[3, 3, 3]]) == set()
    assert len(entries([[0, 0, 1]])) == 1
