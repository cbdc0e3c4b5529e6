"""Connected components."""

from __future__ import annotations

import numpy as np

from invrender.geometry.groups import groups


def test_chains_and_rings_are_groups_numbered_by_their_first_members() -> None:
    # 0-4-2, 1 alone, 3-5-6-3, listed in any order and direction
    a, b = np.array([4, 6, 5, 2]), np.array([0, 3, 6, 4])
    assert groups(a, b, 7).tolist() == [0, 1, 0, 2, 0, 2, 2]


def test_a_long_chain_in_random_order_is_one_group() -> None:
    order = np.random.default_rng(2).permutation(20_000)
    a, b = order[:-1], order[1:]
    keep = np.ones(len(a), bool)
    assert groups(a, b, len(order)).max() == 0
    keep[7_000] = False
    found = groups(a[keep], b[keep], len(order))
    assert found[0] == 0
    assert np.unique(found).tolist() == [0, 1]
    assert len(np.unique(found[order[:7_001]])) == len(np.unique(found[order[7_001:]])) == 1


def test_nothing_is_connected_without_edges() -> None:
    none = np.zeros(0, np.int64)
    assert groups(none, none, 3).tolist() == [0, 1, 2]
    assert len(groups(none, none, 0)) == 0
