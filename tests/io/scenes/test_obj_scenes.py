"""Wavefront .obj files as scenes: their parts stay apart, and light goes through glass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.io.scenes.read import read_scene
from invrender.nouns import Material
from tests.io.scenes.made import squares

BLACK, WHITE = (0, 0, 0), (1, 1, 1)
SHINY = "Kd 0.1 0.2 0.3\nKs 0.5 0.4 0.3\nNs 250\n"


def look(folder: Path, text: str) -> Material:
    """The material of a file with these statements."""
    return read_scene(squares(folder, SHINY + text)).mesh.material


@pytest.mark.parametrize(
    ("text", "transmission", "ior"),
    [
        ("illum 4\nd 0.25\nNi 1.5", (0.75, 0.75, 0.75), 1.5),
        ("illum 9\nTr 0.75\nNi 1.45", (0.75, 0.75, 0.75), 1.45),
        ("illum 6\nTf 0.9 0.8 0.7\nNi 1.33\nd 0.66", (0.9, 0.8, 0.7), 1.33),
        ("illum 7\nNi 1.5", WHITE, 1.5),
        ("illum 7\nTf 1\nNi 1.5\nd 0", WHITE, 1.5),
        ("illum 4\nTf 1 1 1\nNi 1.5", WHITE, 1.5),
        ("illum 7\nPr 0.1\nTf 1 1 1\nNi 1.5", WHITE, 1.5),
        ("d 0.25\nNi 2.4\nillum 4", (0.75, 0.75, 0.75), 2.4),  # in any order
    ],
)
def test_glass(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, transmission: object, ior: float) -> None:
    glass = look(tmp_path, text)
    assert glass.refracts
    assert (glass.transmission, glass.ior) == (transmission, ior)
    assert not glass.highlighted and not glass.mirrors and not glass.glossy and glass.opacity == 1
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "opacity"),
    [
        ("illum 4\nTf 1 1 1\nNi 1.0", 1.0),  # what Maya gives every surface
        ("illum 2\nNi 1.45\nd 1", 1.0),  # and Blender
        ("illum 2\nNi 1.45\nd 0.25", 0.25),
        ("illum 4\nd 0.25", 0.25),  # nothing says how it bends light
        ("illum 7\nTf 0 0 0\nNi 1.5", 1.0),
        ("illum 7\nPr 0.1\nTf 0 0 0\nNi 1.5\nd 0.5", 0.5),
        ("illum 9\nNi 1.5\nd 1", 1.0),
    ],
)
def test_what_is_no_glass(tmp_path: Path, text: str, opacity: float) -> None:
    material = look(tmp_path, text)
    assert not material.refracts
    assert material.opacity == opacity


def test_mirrors_by_the_model(tmp_path: Path) -> None:
    assert look(tmp_path, "illum 5\nNi 1.5").mirror == (0.5, 0.4, 0.3)
    assert look(tmp_path, "illum 3").mirror == (0.5, 0.4, 0.3)
    assert look(tmp_path, "illum 2").mirror == BLACK


def test_as_one_mesh_glass_stays_opaque_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    material = read_mesh(squares(tmp_path, SHINY + "illum 4\nd 0.25\nNi 1.5")).material
    assert not material.refracts and material.opacity == 1 and material.highlighted and material.mirrors
    assert "lets light through (opacity 0.25): shown opaque" in caplog.text


def test_parts_keep_their_materials(tmp_path: Path) -> None:
    found = read_scene(squares(tmp_path, "Kd 1 0 0", SHINY, "Kd 0 0 1\nKe 3 2 1", "Kd 0 1 0\nPr 0.5\nPm 1"))
    names = [mesh.material.name for mesh in found.meshes]
    assert names == ["m0", "m1", "m2", "m3"]
    assert [len(mesh.vertices) for mesh in found.meshes] == [4, 4, 4, 4]
    assert found.meshes[1].material.specular == (0.5, 0.4, 0.3)
    assert found.meshes[2].material.emission == (3, 2, 1)
    assert found.meshes[3].material.glossy


@pytest.mark.parametrize(
    "material",
    [
        Material((0.8, 0.8, 0.8), name="glass", transmission=(0.9, 0.8, 0.7), ior=1.33),
        Material((0.8, 0.8, 0.8), name="glass", transmission=(0.5, 0.5, 0.5), ior=1.5),
        Material((0.1, 0.2, 0.3), name="veil", opacity=0.25, specular=(0.5, 0.5, 0.5), shininess=9.0),
        Material((0.1, 0.2, 0.3), name="steel", mirror=(0.5, 0.5, 0.5), opacity=0.5),
    ],
)
def test_written_files_say_the_same(tmp_path: Path, material: Material) -> None:
    mesh = read_mesh(squares(tmp_path, "Kd 1 0 0"))
    write_mesh(tmp_path / "b.obj", replace(mesh, material=material))
    assert read_scene(tmp_path / "b.obj").mesh.material == material
