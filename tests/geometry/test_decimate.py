"""Fewer triangles: sound meshes stay sound, and what cannot be had is not forced."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.evaluate.distances import Solid, distances
from invrender.geometry.connectivity import components, genus, is_closed_manifold, is_watertight
from invrender.geometry.decimate import decimated
from invrender.geometry.intersections import self_intersections
from invrender.samples import SAMPLES


@pytest.mark.parametrize(("name", "handles"), [("mug", 1), ("torus-knot", 1), ("sphere", 0)])
@pytest.mark.parametrize("target", [1000, 150])
def test_closed_bodies_stay_closed_with_their_handles(name: str, handles: int, target: int) -> None:
    v, f = SAMPLES[name]().numpy()
    found = decimated(v, f, target)
    assert found.reached
    assert target - 2 <= len(found.faces) <= target
    assert is_closed_manifold(found.faces)
    assert genus(found.faces) == handles
    assert len(self_intersections(found.vertices, found.faces)) == 0


def test_the_surface_stays_where_it_was() -> None:
    """To a fraction of an edge, and at any place and scale; flat parts lose their triangles first."""
    v, f = SAMPLES["torus-knot"]().numpy()
    for scale, shift in ((1.0, 0.0), (1e-4, 50.0), (1e5, -1e6)):
        far = v * scale + shift
        found = decimated(far, f, 2000)
        assert distances(Solid(found.vertices, found.faces), Solid(far, f), 2000, 0).chamfer < 1e-3
    side = np.linspace(0, 1, 20)
    x, y = np.meshgrid(side, side)
    sheet = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    corner = (np.arange(19)[:, None] * 20 + np.arange(19)).ravel()
    cells = np.concatenate(
        [np.stack([corner, corner + 1, corner + 21], 1), np.stack([corner, corner + 21, corner + 20], 1)]
    )
    flat = decimated(sheet, cells, 60)
    assert len(flat.faces) <= 60
    assert np.abs(flat.vertices[:, 2]).max() == 0


def test_what_would_tear_is_not_done_and_the_fewest_are_told() -> None:
    """Two tori need triangles enough for both handles; four faces hold no handle."""
    v, f = SAMPLES["torus-knot"]().numpy()
    two = np.concatenate([v, v + 3 * np.ptp(v, axis=0)]), np.concatenate([f, f + len(v)])
    found = decimated(*two, 4)
    assert not found.reached
    assert 14 < len(found.faces) < 600
    assert is_watertight(found.faces)
    assert (components(found.faces).max() + 1, genus(found.faces)) == (2, 2)
    assert len(self_intersections(found.vertices, found.faces)) == 0


def test_few_enough_is_left_as_it_is() -> None:
    v, f = SAMPLES["sphere"]().numpy()
    found = decimated(v, f, len(f))
    assert found.reached
    assert found.vertices is v
    assert found.faces is f
