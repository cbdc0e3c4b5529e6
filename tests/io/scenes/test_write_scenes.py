"""Writing scenes: reading them again gives the same, wherever they were read from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from invrender.errors import UsageError
from invrender.io.scenes.read import read_scene
from invrender.io.scenes.write import write_scene
from invrender.nouns import (
    Camera,
    DirectionalLight,
    Environment,
    Lights,
    Material,
    Mesh,
    PointLight,
    Scene,
    SpotLight,
)
from tests.io.scenes.made import scene, squares

EVERYTHING = """
background = [0.1, 0.2, 0.3]
[environment]
color = [0.5, 0.6, 0.7]
picture = "sub/sky.npy"
rotation = 12.5
intensity = 2
[[camera]]
name = "far"
position = [1e6, 2, 3]
target = [1e6, 1, 1.5]
fov = 33.3
size = [64, 48]
[[camera]]
matrix = [[0, 0, 1, 5], [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]]
extent = 2.5
[[light]]
type = "spot"
name = "key"
position = [1, 2, 3]
target = [0, 0.1, 0]
intensity = 123.456
inner = 7
[[light]]
type = "directional"
direction = [3, 1, 2]
[[mesh]]
file = 'sub\\a.obj'
scale = 0.1
rotate = [10, 20, 30]
[[mesh]]
file = "sub/a.obj"
material = "clear"
matrix = [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]
[[sphere]]
centre = [0, 1, 0]
material = "paint"
[[plane]]
[[box]]
material = "m1"
[material.m0]
Ks = 0.25
Ns = 50
[material.clear]
transmission = [0.9, 0.8, 0.7]
ior = 1.33
[material.paint]
texture = "sub/paint.png"
roughness = 0.3
[material."odd name.001"]
Kd = 0.1
"""


def close(first: object, second: object) -> bool:
    """Whether two things hold the same numbers, to nine digits."""
    if isinstance(first, torch.Tensor | float | int) or isinstance(second, torch.Tensor | float | int):
        if first is None or second is None:
            return False
        plain = [each.detach() if isinstance(each, torch.Tensor) else each for each in (first, second)]
        one, other = (np.asarray(each, np.float64) for each in plain)
        return bool(np.allclose(one, other, rtol=1e-9, atol=0))
    if isinstance(first, tuple):
        return len(first) == len(second) and all(close(a, b) for a, b in zip(first, second, strict=True))  # type: ignore[arg-type]
    if hasattr(first, "__dataclass_fields__"):
        return type(first) is type(second) and all(close(getattr(first, k), getattr(second, k)) for k in vars(first))
    return first == second


def folder(tmp_path: Path) -> Scene:
    """The scene above with its files."""
    (tmp_path / "sub").mkdir()
    squares(tmp_path / "sub", "Kd 0.5 0.1 0.1\nKs 0 0 0\nNs 3", "Kd 0.3 0.4 0.5\nPr 0.3\nPm 0.5")
    np.save(tmp_path / "sub" / "sky.npy", np.random.default_rng(0).random((4, 8, 3)) * 3)
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "sub" / "paint.png")
    return scene(tmp_path, EVERYTHING)


def test_what_was_read_is_referred_to(tmp_path: Path) -> None:
    found = folder(tmp_path)
    target = tmp_path / "runs" / "one" / "scene.toml"
    assert write_scene(target, found, tmp_path / "scene.toml") == [target]
    assert [path.name for path in target.parent.iterdir()] == ["scene.toml"]
    assert 'file = "../../sub/a.obj"' in target.read_text()
    again = read_scene(target)
    assert close(again, found)
    write_scene(tmp_path / "again.toml", again, target)
    assert close(read_scene(tmp_path / "again.toml"), found)


def test_values_that_were_found_are_written(tmp_path: Path) -> None:
    found = folder(tmp_path)
    red = torch.tensor([0.123456789, 0.2, 0.3], dtype=torch.float64, requires_grad=True)
    meshes = [
        replace(mesh, material=replace(mesh.material, albedo=red)) if mesh.material.name == "m1" else mesh
        for mesh in found.meshes
    ]
    key = replace(found.lights[0], intensity=red.sum(), position=red)  # type: ignore[index]
    camera = replace(found.cameras[0], fov=torch.tensor(12.25))
    sky = replace(found.environment, colour=red, rotation=torch.tensor(5.0))  # type: ignore[type-var]
    changed = Scene(meshes, [key, *found.lights[1:]], None, sky, [camera, *found.cameras[1:]])  # type: ignore[index]
    write_scene(tmp_path / "out.toml", changed, tmp_path / "scene.toml")
    assert close(read_scene(tmp_path / "out.toml"), changed)
    assert (tmp_path / "out.toml").read_text().count("[material.") == 4  # the odd one is not used


@pytest.mark.parametrize("wanted", ["paint", "clear", "m0", "m1", "glow"])
@pytest.mark.parametrize("before", ["paint", "clear", "m0", "m1", "glow"])
def test_materials_become_those_of_another_kind(tmp_path: Path, before: str, wanted: str) -> None:
    kinds = {
        "paint": Material((0.1, 0.2, 0.3), None, "m", specular=(0.5, 0.5, 0.5), shininess=9, mirror=(0.1, 0.1, 0.1)),
        "clear": Material((0.1, 0.2, 0.3), None, "m", transmission=(1, 1, 0.5), ior=1.2),
        "m0": Material((0.4, 0.2, 0.3), None, "m", opacity=0.5),
        "m1": Material((0.1, 0.2, 0.3), None, "m", roughness=0.5, metallic=0.25, emission=(1, 2, 3)),
        "glow": Material((0.1, 0.2, 0.3), None, "m", unlit=True),
    }
    square = Mesh.from_numpy(np.eye(3), np.array([[0, 1, 2]]))
    lamp = [PointLight((1, 2, 3))]
    write_scene(tmp_path / "a.toml", Scene(replace(square, material=kinds[before]), lamp))
    write_scene(tmp_path / "b.toml", Scene(read_scene(tmp_path / "a.toml").meshes, lamp), tmp_path / "a.toml")
    again = read_scene(tmp_path / "b.toml")
    assert close(again.mesh.material, kinds[before])
    changed = replace(again, meshes=[replace(again.mesh, material=kinds[wanted])])
    write_scene(tmp_path / "c.toml", changed, tmp_path / "b.toml")
    assert close(read_scene(tmp_path / "c.toml").mesh.material, kinds[wanted])


def test_a_mesh_file_becomes_a_scene(tmp_path: Path) -> None:
    path = squares(tmp_path, "Kd 0.5 0.1 0.1", "Kd 0.3 0.4 0.5")
    found = read_scene(path)
    green = replace(found.meshes[1], material=replace(found.meshes[1].material, albedo=(0.0, 1.0, 0.0)))
    changed = replace(found, meshes=[found.meshes[0], green], lights=[DirectionalLight((0, 0, 1), name="sun")])
    write_scene(tmp_path / "out.toml", changed, path)
    text = (tmp_path / "out.toml").read_text()
    assert 'file = "a.obj"' in text and "[material.m1]" in text and "[material.m0]" not in text
    assert close(read_scene(tmp_path / "out.toml"), changed)


def made() -> Scene:
    """A scene made in Python, of which nothing is in a file."""
    rng = np.random.default_rng(1)
    ball = trimesh.creation.icosphere(1)
    uv = torch.from_numpy(rng.random((len(ball.vertices), 2)))
    wood = Material((1, 1, 1), torch.from_numpy(rng.random((3, 5, 3), np.float32)), "wood", roughness=0.25)
    painted = replace(wood, name="my paint", gloss=torch.rand(3, 5, 2), texture=torch.zeros(3, 5, 3))
    return Scene(
        [
            replace(Mesh.from_numpy(ball.vertices / 3 + 1e5, ball.faces), uv=uv, material=wood),
            replace(Mesh.from_numpy(rng.random((3, 3)), np.array([[0, 1, 2]])), uv=uv[:3], material=painted),
            Mesh.from_numpy(rng.random((3, 3)), np.array([[0, 1, 2]])),
        ],
        [PointLight(torch.rand(3), 3.5), SpotLight((0, 1, 0), (0, -1, 0), (1, 2, 3), 5, 10, "spot")],
        None,
        Environment((1, 2, 3), torch.rand(2, 4, 3) * 5),
        [Camera(torch.eye(4, dtype=torch.float64), 30.0, None, 0.1, 2.0, (3, 4), "c")],
    )


def test_a_scene_made_in_python_brings_its_files(tmp_path: Path) -> None:
    found = made()
    written = write_scene(tmp_path / "made.toml", found)
    assert {path.suffix for path in written} == {".toml", ".obj", ".png", ".npy", ".exr"}
    assert all(path.is_file() for path in written)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    again = read_scene(tmp_path / "made.toml")
    for ours, theirs in zip(again.meshes, found.meshes, strict=True):
        assert torch.equal(ours.vertices[ours.faces], theirs.vertices[theirs.faces])
        assert close(ours.material, theirs.material)
    assert close(replace(again, meshes=()), replace(found, meshes=()))


def test_meshes_that_changed_are_written_anew(tmp_path: Path) -> None:
    path = squares(tmp_path, "Kd 0.5 0.1 0.1")
    found = read_scene(path)
    moved = replace(found, meshes=[replace(found.mesh, vertices=found.mesh.vertices + 1)])
    assert len(write_scene(tmp_path / "out.toml", moved, path)) == 2
    assert close(read_scene(tmp_path / "out.toml"), moved)


def test_dark_scenes_and_plain_lights_stay(tmp_path: Path) -> None:
    square = Mesh.from_numpy(np.eye(3), np.array([[0, 1, 2]]))
    write_scene(tmp_path / "a.toml", Scene(square, ()))
    dark = read_scene(tmp_path / "a.toml").lights
    assert isinstance(dark, Lights) and float(torch.as_tensor(dark.intensity).sum()) == 0
    lights = Lights(torch.tensor([[0.1, 1, 0], [0, 0, 1]]).double(), torch.rand(2, 3), torch.rand(3), torch.rand(9, 3))
    write_scene(tmp_path / "b.toml", Scene(square, lights))
    assert close(read_scene(tmp_path / "b.toml").lights, lights)


def test_places_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written as 'a.obj'"):
        write_scene(tmp_path / "a.obj", made())
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write_scene(tmp_path / "file" / "a.toml", Scene(()))


def test_pictures_of_the_source_are_never_replaced(tmp_path: Path) -> None:
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "a-paint.png")
    before = (tmp_path / "a-paint.png").read_bytes()
    (tmp_path / "a.toml").write_text(
        '[[plane]]\nmaterial = "paint"\n[material.paint]\ntexture = "a-paint.png"\nKe = 1\n'
    )
    found = read_scene(tmp_path / "a.toml")
    for texture in (torch.zeros(2, 2, 3), torch.rand(2, 2, 3)):  # what 8 bits hold, and what they do not
        changed = replace(found, meshes=[replace(found.mesh, material=replace(found.mesh.material, texture=texture))])
        (extra,) = write_scene(tmp_path / "a.toml", changed, tmp_path / "a.toml")[1:]
        assert close(read_scene(tmp_path / "a.toml"), changed)
        assert extra.name in ("a-paint-2.png", "a-paint.exr")
    assert (tmp_path / "a-paint.png").read_bytes() == before
