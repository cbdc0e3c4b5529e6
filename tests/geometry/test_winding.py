"""Solid angles: what is known of closed surfaces and of the sides of a cube."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from invrender.geometry.winding import solid_angle_share


@pytest.mark.parametrize(("point", "share"), [((0.2, -0.3, 0.4), 1), ((0.9, 0.1, 0), 0), ((3, 4, 5), 0)])
def test_closed_surfaces_fill_all_directions_or_none(point: tuple[float, float, float], share: float) -> None:
    box = trimesh.creation.box()
    assert solid_angle_share(box.vertices, box.faces, np.asarray(point)) == pytest.approx(share, abs=1e-12)
    inside_out = solid_angle_share(box.vertices, box.faces[:, ::-1], np.asarray(point))
    assert inside_out == pytest.approx(-share, abs=1e-12)


def test_a_side_of_a_cube_fills_a_sixth() -> None:
    corners = np.array([[1, -1, -1], [1, 1, -1], [1, 1, 1], [1, -1, 1]], np.float64)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    assert solid_angle_share(corners, faces, np.zeros(3)) == pytest.approx(1 / 6)
    assert solid_angle_share(corners * 1e9, faces, np.zeros(3)) == pytest.approx(1 / 6)


def test_a_torus_is_hollow_in_the_middle() -> None:
    torus = trimesh.creation.torus(1.0, 0.25)
    assert solid_angle_share(torus.vertices, torus.faces, np.zeros(3)) == pytest.approx(0, abs=1e-9)
    assert solid_angle_share(torus.vertices, torus.faces, np.array([1.0, 0, 0])) == pytest.approx(1)
