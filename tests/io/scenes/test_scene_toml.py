"""Scene files: what is written in them is what the scene holds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from invrender.io.images import write_png
from invrender.io.meshes.write import write_obj
from invrender.io.scenes import scene_toml
from invrender.io.scenes.join import joined
from invrender.io.scenes.read import is_scene_path, read_scene
from invrender.io.scenes.shapes import ball
from invrender.nouns import DirectionalLight, Lights, Material, PointLight, SpotLight
from tests.io.scenes.made import refused, scene, squares

BALL = "[[sphere]]\n"
LAMP = '[[light]]\ntype = "point"\nposition = [0, 5, 0]\n'


def test_the_example_of_the_format_is_a_scene(tmp_path: Path) -> None:
    text = "\n".join(line for line in (scene_toml.__doc__ or "").splitlines() if line.startswith("    "))
    squares(tmp_path, "Kd 1 0 0", name="bunny")
    np.save(tmp_path / "sky.npy", np.full((4, 8, 3), 0.5, np.float32))
    Image.fromarray(np.full((2, 2, 3), 255, np.uint8)).save(tmp_path / "wood.png")
    np.savez(tmp_path / "cloud.npz", density=np.full((2, 3, 4), 0.5, np.float32))
    write_obj(tmp_path / "bottle.obj", ball(np.zeros(3), 1.0, np.eye(3), Material(), 1))
    found = scene(tmp_path, text.replace("sky.exr", "sky.npy"))
    assert [mesh.material.name for mesh in found.meshes] == ["porcelain", "glass", "floor", "default"]
    assert found.background == (1, 1, 1)
    assert found.environment is not None and found.environment.picture is not None
    assert found.environment.rotation == 30
    (camera,) = found.cameras
    assert (camera.name, camera.size, camera.aperture, camera.focus, camera.fov) == ("front", (480, 640), 0.02, 4.0, 45)
    assert found.lights == (PointLight((1, 3, 1), (20, 18, 15), "lamp"),)
    porcelain, glass, floor, _ = (mesh.material for mesh in found.meshes)
    assert (porcelain.albedo, porcelain.specular, porcelain.shininess) == ((0.8, 0.8, 0.75), (0.2, 0.2, 0.2), 200)
    assert (porcelain.mirror, porcelain.opacity) == ((0.1, 0.1, 0.1), 1)
    assert glass.refracts and glass.transmission == (0.9, 1, 0.9)
    assert floor.glossy and (floor.roughness, floor.metallic) == (0.4, 1.0)
    (medium,) = found.media
    assert medium.extinction.values.shape == (1, 2, 3, 4) and float(medium.extinction.values.max()) == 4.0
    assert (medium.albedo, medium.asymmetry, medium.emission, medium.name) == (0.95, 0.5, (0, 0, 0), "cloud")
    assert medium.inside is not None and len(medium.inside.faces) == 80


def test_lights_of_every_kind(tmp_path: Path) -> None:
    lights = scene(
        tmp_path,
        BALL
        + '[[light]]\ntype = "point"\nposition = [1, 2, 3]\nintensity = 4\n'
        + '[[light]]\ntype = "spot"\nposition = [0, 3, 0]\ntarget = [0, 1, 1]\ninner = 10\nouter = 20\n'
        + '[[light]]\ntype = "directional"\nname = "sun"\ndirection = [0, 2, 0]\nintensity = [1, 2, 3]\n'
        + '[[light]]\ntype = "directional"\nposition = [5, 5, 0]\ntarget = [4, 5, 0]\n',
    ).lights
    assert lights == (
        PointLight((1, 2, 3), 4, "light"),
        SpotLight((0, 3, 0), (0, -2, 1), 1, 10, 20, "light2"),
        DirectionalLight((0, 2, 0), (1, 2, 3), "sun"),
        DirectionalLight((1, 0, 0), 1, "light3"),
    )


def test_plain_lights_are_those_of_light_files(tmp_path: Path) -> None:
    lights = scene(tmp_path, "[lights]\nambient = 0.25\ndirectional = [{direction = [0, 1, 1]}]\n" + BALL).lights
    assert isinstance(lights, Lights)
    assert torch.as_tensor(lights.direction).tolist() == [[0, 1, 1]]


def test_what_shines_where_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert scene(tmp_path, LAMP + BALL).background == (1, 1, 1)
    sky = scene(tmp_path, "[environment]\ncolour = [1, 2, 3]\nintensity = 2\n" + BALL)
    assert sky.environment is not None and sky.environment.colour == (2, 4, 6)
    assert sky.background is None and sky.lights == ()
    assert scene(tmp_path, 'background = "environment"\n[environment]\n' + BALL).background is None
    assert scene(tmp_path, BALL + "material = 'a'\n[material.a]\nemission = 3\n").lights == ()
    assert not caplog.records
    assert isinstance(scene(tmp_path, BALL).lights, Lights)
    assert "has no light: it is lit by one that moves with the camera" in caplog.text


def test_cameras_look_where_they_are_told(tmp_path: Path) -> None:
    first, second, third = scene(
        tmp_path,
        LAMP
        + BALL
        + "[[camera]]\nposition = [5, 0, 0]\ntarget = [1, 0, 0]\n"
        + "[[camera]]\nmatrix = [[1, 0, 0, 1], [0, 0, 1, 2], [0, -1, 0, 3], [0, 0, 0, 1]]\nextent = 3\n"
        + "[[camera]]\nposition = [0, 5, 0]\ndirection = [0, -2, 0]\nwidth = 3\nheight = 2\naperture = 1\nfocus = 7\n",
    ).cameras
    assert (first.pose[:3, :3] @ torch.tensor([0.0, 0, -1]).double()).tolist() == [-1, 0, 0]
    assert first.pose[:3, 1].tolist() == [0, 1, 0]
    assert (first.pose[:3, 3].tolist(), first.focus, first.fov, first.size) == ([5, 0, 0], 4, 45, None)
    assert second.extent == 3
    assert second.pose.tolist() == [[1, 0, 0, 1], [0, 0, 1, 2], [0, -1, 0, 3], [0, 0, 0, 1]]
    assert third.pose[:3, 2].tolist() == [0, 1, 0]  # straight down, the front (+Z) at the bottom
    assert third.pose[:3, 1].tolist() == [0, 0, -1]
    assert (third.size, third.aperture, third.focus) == ((2, 3), 1, 7)
    assert [camera.name for camera in (first, second, third)] == ["camera", "camera2", "camera3"]


def test_materials_of_mesh_files_are_changed_or_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    squares(tmp_path, "Kd 1 0 0\nKs 0.5 0.5 0.5\nNs 7", "Kd 0 1 0")
    text = LAMP + '[[mesh]]\nfile = "a.obj"\n[[mesh]]\nfile = "a.obj"\nmaterial = "paint"\ntranslate = [0, 0, 1]\n'
    text += "[material.m0]\nNs = 9\n[material.paint]\nKd = 0.25\n[material.m1]\nroughness = 0.5\n"
    meshes = scene(tmp_path, text).meshes
    assert [mesh.material.name for mesh in meshes] == ["m0", "m1", "paint", "paint"]
    red, green, paint, _ = (mesh.material for mesh in meshes)
    assert (red.albedo, red.specular, red.shininess) == ((1, 0, 0), (0.5, 0.5, 0.5), 9)
    assert (green.albedo, green.roughness) == ((0, 1, 0), 0.5)
    assert paint == Material((0.25, 0.25, 0.25), name="paint")
    assert meshes[2].material is meshes[3].material
    assert not caplog.records
    scene(tmp_path, text + "[material.pain]\nKd = 0\n")
    assert "nothing is made of the material 'pain' (did you mean 'paint'?)" in caplog.text


def test_materials_of_one_name_in_two_files_stay_apart(tmp_path: Path) -> None:
    squares(tmp_path, "Kd 1 0 0")
    squares(tmp_path, "Kd 0 1 0", name="b")
    squares(tmp_path, "Kd 1 0 0", name="c")
    files = "".join(f'[[mesh]]\nfile = "{name}.obj"\n' for name in "abc")
    meshes = scene(tmp_path, LAMP + files + "[material.m0_2]\nKs = 0.5\n").meshes
    assert [mesh.material.name for mesh in meshes] == ["m0", "m0_2", "m0"]
    assert (meshes[1].material.albedo, meshes[1].material.specular) == ((0, 1, 0), (0.5, 0.5, 0.5))


def test_a_table_decides_the_kind_of_surface(tmp_path: Path) -> None:
    squares(tmp_path, "Kd 1 0 0\nKs 0.5 0.5 0.5\nillum 3", "Pr 0.5\nPm 1", "Kd 1 1 1\nKs 1 1 1", "illum 0")
    text = LAMP + '[[mesh]]\nfile = "a.obj"\n[material.m0]\nroughness = 0.2\n[material.m1]\nKs = 0.1\n'
    text += "[material.m2]\ntransmission = 1\n[material.m3]\nKs = 0\n"
    rough, shiny, clear, lit = (mesh.material for mesh in scene(tmp_path, text).meshes)
    assert rough.glossy and not rough.mirrors and not rough.highlighted
    assert shiny.highlighted and not shiny.glossy
    assert clear.refracts and not clear.highlighted
    assert not lit.unlit


def test_meshes_without_materials_and_with_colours(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nf 1 2 3\n")
    (mesh,) = scene(tmp_path, LAMP + '[[mesh]]\nfile = "a.obj"\n').meshes
    assert mesh.colours is not None and mesh.material.albedo == (1, 1, 1)


def test_a_picture_without_texture_coordinates_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    squares(tmp_path, "Kd 1 0 0")
    Image.fromarray(np.full((2, 2, 3), 255, np.uint8)).save(tmp_path / "p.png")
    scene(tmp_path, LAMP + '[[mesh]]\nfile = "a.obj"\n[material.m0]\ntexture = "p.png"\n')
    assert "'m0' has no texture coordinates: its picture is not shown" in caplog.text


def test_things_lost_in_their_scene_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ball = LAMP + '[[sphere]]\nname = "pea"\n[[plane]]\nsize = '
    scene(tmp_path, ball + "1e4\n")
    assert not caplog.records
    scene(tmp_path, ball + "1e6\n")
    assert "'pea' is 5e+05 times smaller than the whole scene" in caplog.text


def test_words_may_be_spelled_as_in_america(tmp_path: Path) -> None:
    found = scene(tmp_path, "[environment]\ncolor = 2\n[[sphere]]\ncentre = [0, 3, 0]\n")
    assert found.environment is not None and found.environment.colour == (2, 2, 2)
    assert found.mesh.vertices.mean(0)[1] == pytest.approx(3)
    assert "has both 'color' and 'colour'" in refused(tmp_path, "[environment]\ncolor = 2\ncolour = 2\n" + BALL)


def test_mesh_files_are_scenes(tmp_path: Path) -> None:
    found = read_scene(squares(tmp_path, "Kd 1 0 0", "Kd 0 1 0", "Kd 0 0 1\nKe 2 2 2"))
    assert [mesh.material.name for mesh in found.meshes] == ["m0", "m1", "m2"]
    assert found.lights == ()  # the last one is a lamp
    assert isinstance(read_scene(squares(tmp_path, "Kd 1 0 0")).lights, Lights)
    assert is_scene_path("a/b.TOML") and not is_scene_path("a.obj")


def test_all_meshes_joined(tmp_path: Path) -> None:
    squares(tmp_path, "Kd 1 0 0", "Kd 0 1 0")
    found = scene(tmp_path, LAMP + '[[mesh]]\nfile = "a.obj"\n[[box]]\ncenter = [0, 0, 3]\n')
    mesh = joined(found)
    assert len(mesh.faces) == 2 + 2 + 12
    assert mesh.colours is not None
    seen = mesh.colours[mesh.faces[:, 0]]
    assert seen[[0, 2, 4]].tolist() == [[1, 0, 0], [0, 1, 0], [0.8, 0.8, 0.8]]
    assert joined(read_scene(squares(tmp_path, "Kd 1 0 0"))).material.albedo == (1, 0, 0)
    glass = joined(scene(tmp_path, LAMP + BALL + 'material = "g"\n[material.g]\ntransmission = 1\nopacity = 0.5\n'))
    assert not glass.material.refracts and glass.material.opacity == 1


@pytest.mark.parametrize("name", ["sky.hdr", "sky.exr", "sky.npy", "sky.png"])
def test_skies_of_every_format(tmp_path: Path, name: str) -> None:
    picture = np.zeros((2, 4, 3), np.float32)
    picture[0, 1] = [1, 0.5, 0.25]
    if name.endswith(".hdr"):
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
    elif name.endswith(".npy"):
        np.save(tmp_path / name, picture)
    elif name.endswith(".exr"):
        OpenEXR = pytest.importorskip("OpenEXR")
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGB": picture}).write(str(tmp_path / name))
    else:
        write_png(tmp_path / name, picture)
    found = scene(tmp_path, f'[environment]\npicture = "{name}"\n' + BALL).environment
    assert found is not None and found.picture is not None
    assert np.allclose(found.picture.numpy(), picture, atol=0.004)
