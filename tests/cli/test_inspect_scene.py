"""`invrender inspect` of scenes, and reading and writing them from Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

import invrender
from invrender.cli.app import run
from invrender.nouns import Mesh, PointLight, Scene

SCENE = """
[environment]
colour = 0.25
[[camera]]
name = "front"
position = [0, 0, 9]
target = [0, 0, 0]
size = [64, 48]
[[light]]
type = "point"
name = "lamp"
position = [0, 3, 0]
intensity = [3, 2, 1]
[[mesh]]
file = "box.obj"
name = "crate"
material = "wood"
[[sphere]]
center = [3, 0, 0]
material = "glass"
[material.wood]
texture = "wood.png"
roughness = 0.5
[material.glass]
transmission = 1
"""


def write(folder: Path, text: str = SCENE) -> Path:
    """The scene above with its files."""
    trimesh.creation.box((2, 2, 2)).export(folder / "box.obj")
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(folder / "wood.png")
    (folder / "scene.toml").write_text(text)
    return folder / "scene.toml"


def facts(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:  # type: ignore[type-arg]
    """What `--json` tells."""
    assert run(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_a_scene_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(write(tmp_path))]) == 0
    shown = capsys.readouterr().out
    for words in (
        "meshes: 2 of 20492 faces",
        "crate   box.obj, 8 vertices, 12 faces, 2 x 2 x 2, closed, material 'wood'",
        "wood   metallic-roughness, Kd (1, 1, 1), roughness 0.5, metallic 0, texture 3 x 2",
        "glass  dielectric, transmission (1, 1, 1), ior 1.5",
        "lamp  point, position (0, 3, 0), intensity (3, 2, 1)",
        "front  position (0, 0, 9), direction (0, 0, -1), up (0, 1, 0), fov 45",
        "size 64 x 48",
        "environment: colour (0.25, 0.25, 0.25)",
        "background: the environment",
    ):
        assert words in shown


def test_a_scene_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(write(tmp_path), capsys)
    assert (found["kind"], [mesh["name"] for mesh in found["meshes"]]) == ("scene", ["crate", "sphere"])
    assert found["meshes"][0]["facts"]["volume"] == pytest.approx(8)
    assert found["lights"]["lamp"]["intensity"] == [3, 2, 1]
    assert found["materials"]["wood"]["texture"] == [3, 2]
    assert found["cameras"]["front"]["size"] == [64, 48]
    assert found["environment"]["colour"] == [0.25, 0.25, 0.25]
    assert found["background"] is None
    assert found["findings"] == []
    assert "no texture coordinates" in found["warnings"][0]


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("position = [0, 3, 0]", "position = [0, 0.5, 0]", "the light 'lamp' is inside 'crate'"),
        ("position = [0, 3, 0]", "position = [3, 0.5, 0]", "the light 'lamp' is inside 'sphere'"),
        ("[[sphere]]\ncenter = [3, 0, 0]", "[[plane]]", "'plane' lets light through (material 'glass') and is open"),
        ("size = [64, 48]", "[[mesh]]\nfile = 'flat.obj'", "'flat' has 1 of 2 triangles without area"),
    ],
)
def test_what_looks_wrong_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, cause: str
) -> None:
    (tmp_path / "flat.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 2 0 0\nf 1 2 3\nf 1 2 4\n")
    path = write(tmp_path, SCENE.replace(before, after))
    assert cause in facts(path, capsys)["findings"][0]["cause"]
    assert run(["inspect", str(path)]) == 0
    assert f"warning: {cause}" in " ".join(capsys.readouterr().err.split())
    assert run(["inspect", str(path), "--strict"]) == 3


def test_lights_in_rooms_and_beside_cameras_are_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = SCENE.replace("position = [0, 3, 0]", "position = [0, 0.5, 0]")
    seen = inside.replace("position = [0, 0, 9]", "position = [0, 0.5, 0.5]")
    assert facts(write(tmp_path, seen), capsys)["findings"] == []
    room = trimesh.creation.box((2, 2, 2))
    room.invert()
    write(tmp_path)
    room.export(tmp_path / "box.obj")
    (tmp_path / "scene.toml").write_text(inside)
    assert facts(tmp_path / "scene.toml", capsys)["findings"] == []


def test_mesh_files_show_what_is_in_them_besides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl g\nf 1 2 3\n")
    (tmp_path / "a.mtl").write_text("newmtl g\nillum 7\nNi 1.5\n")
    found = facts(tmp_path / "a.obj", capsys)
    assert (found["kind"], found["faces"]) == ("mesh", 1)
    assert found["scene"]["materials"]["g"]["kind"] == "dielectric"
    assert run(["inspect", str(tmp_path / "a.obj")]) == 0
    assert "as a scene:" in capsys.readouterr().out
    (tmp_path / "a.mtl").write_text("newmtl g\nKd 1 0 0\n")
    assert "scene" not in facts(tmp_path / "a.obj", capsys)


def test_a_scene_that_cannot_be_ends_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(write(tmp_path, SCENE.replace("intensity", "intensty")))]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "[[light]] 'lamp' has 'intensty'" in said and "did you mean 'intensity'?" in said
    assert "Traceback" not in said


def test_scenes_from_python(tmp_path: Path) -> None:
    found = invrender.read(write(tmp_path))
    assert isinstance(found, Scene) and len(found.meshes) == 2
    square = Mesh.from_numpy(np.eye(3), np.array([[0, 1, 2]]))
    written = invrender.write(tmp_path / "new" / "mine.toml", Scene([square], [PointLight((1, 2, 3), 4.0)]))
    assert [path.name for path in written] == ["mine.toml", "mine-1.obj"]
    again = invrender.read(tmp_path / "new" / "mine.toml")
    assert isinstance(again, Scene) and again.lights == (PointLight((1, 2, 3), 4.0),)
