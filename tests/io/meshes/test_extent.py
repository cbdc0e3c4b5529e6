"""Coordinates that are too large, and stray vertices that would leave a picture blank."""

from __future__ import annotations

from pathlib import Path

import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh

BOX = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
QUADS = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
FACES = "".join(f"f {a} {b} {c} {d}\n" for a, b, c, d in QUADS)


def box(folder: Path, more: str = "", scale: float = 1, shift: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    rows = [[scale * c + s for c, s in zip(corner, shift, strict=True)] for corner in BOX]
    (folder / "a.obj").write_text("".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in rows) + FACES + more)
    return read_mesh(folder / "a.obj")


@pytest.mark.parametrize("far", [1e6, 1e11, -1e17])
def test_a_vertex_far_away_that_a_face_uses_is_refused(tmp_path, far):
    with pytest.raises(InputError, match=r"1 of 9 vertices lie far from all others.*smaller than a pixel") as error:
        box(tmp_path, f"v {far} 0 0\nf 1 2 9\n")
    assert f"({far:.6g}, 0, 0)" in error.value.cause
    assert "remove" in error.value.remedy


def test_two_objects_too_far_apart_are_refused(tmp_path):
    second = "".join(f"v {x + 1e11} {y} {z}\n" for x, y, z in BOX)
    faces = "".join(f"f {a + 8} {b + 8} {c + 8} {d + 8}\n" for a, b, c, d in QUADS)
    with pytest.raises(InputError, match="smaller than a pixel"):
        box(tmp_path, second + faces)


def test_faces_that_are_lines_are_refused_as_such(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 2 3\nv 2 4 6\nv 3 6 9\nf 1 2 3\nf 2 3 4\n")
    with pytest.raises(InputError, match="its faces have no area"):
        read_mesh(tmp_path / "a.obj")


def test_one_that_leaves_the_rest_tiny_is_told(tmp_path, caplog):
    assert len(box(tmp_path, "v 5000 0 0\nf 1 2 9\n").faces) == 13
    assert "a few pixels wide" in caplog.text


def test_a_huge_triangle_that_hides_the_rest_is_told(tmp_path, caplog):
    assert len(box(tmp_path, "v 1e11 0 0\nv 0 1e11 0\nf 1 9 10\n").faces) == 13
    assert "2 of 10 vertices lie far from all others" in caplog.text


@pytest.mark.parametrize("scale", [1e-7, 1, 1e9, 1e17])
@pytest.mark.parametrize("more", ["", "v 1e30 0 0\n"])
def test_any_scale_and_vertices_that_no_face_uses_are_fine(tmp_path, scale, more, caplog):
    mesh = box(tmp_path, more, scale)
    assert mesh.vertices.amax(dim=0).tolist() == pytest.approx([scale, 2 * scale, 3 * scale])
    assert not caplog.records


def test_a_small_thing_on_a_wide_plane_and_a_map_far_from_its_origin_are_fine(tmp_path, caplog):
    plane = "".join(f"v {x}e5 0 {z}e5\n" for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    assert len(box(tmp_path, plane + "f 9 10 11 12\n").faces) == 14
    mesh = box(tmp_path, shift=(500000.125, 5400000.5, 0))
    assert mesh.vertices[0].tolist() == [500000.125, 5400000.5, 0]
    assert not caplog.records


def test_coordinates_beyond_what_pictures_can_hold_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"coordinates up to 3e\+30"):
        box(tmp_path, scale=1e30)
