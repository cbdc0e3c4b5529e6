"""glTF files as scenes, written by other programs: cameras, lights, glass, and what is there in part."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
import torch
import trimesh

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.io.scenes.read import read_scene
from invrender.io.scenes.write import write_scene
from invrender.nouns import DirectionalLight, Lights, PointLight, Scene, SpotLight

TURN = [0.0, math.sin(math.pi / 4), 0.0, math.cos(math.pi / 4)]  # a quarter about +Y: -Z becomes -X


def document(folder: Path, **material: Any) -> pygltflib.GLTF2:
    """A ball by trimesh, with one material."""
    trimesh.creation.icosphere(1).export(folder / "ball.glb")
    found = pygltflib.GLTF2().load(str(folder / "ball.glb"))
    assert found is not None
    found.materials = [pygltflib.Material(name="m", **material)]
    found.meshes[0].primitives[0].material = 0
    return found


def add(found: pygltflib.GLTF2, **node: Any) -> None:
    """One more node at the top of the scene."""
    found.nodes.append(pygltflib.Node(**node))
    found.scenes[found.scene or 0].nodes.append(len(found.nodes) - 1)


def lit(found: pygltflib.GLTF2, *lights: dict[str, Any]) -> None:
    """The lights of a file."""
    found.extensions = {"KHR_lights_punctual": {"lights": list(lights)}}
    found.extensionsUsed = ["KHR_lights_punctual"]


def shines(number: int) -> dict[str, Any]:
    """That a node has that light."""
    return {"KHR_lights_punctual": {"light": number}}


def read(folder: Path, found: pygltflib.GLTF2) -> Scene:
    """The file, written and read."""
    found.save(str(folder / "scene.glb"))
    return read_scene(folder / "scene.glb")


def test_cameras_stand_where_their_nodes_put_them(tmp_path: Path) -> None:
    found = document(tmp_path)
    wide = pygltflib.Perspective(yfov=math.radians(30), aspectRatio=1.5, znear=0.1)
    flat = pygltflib.Orthographic(xmag=3, ymag=2, znear=0.1, zfar=9)
    found.cameras = [
        pygltflib.Camera(type="perspective", perspective=wide),
        pygltflib.Camera(type="orthographic", orthographic=flat, name="plan"),
    ]
    add(found, camera=0, name="front", translation=[0, 1, 5])
    add(found, camera=1, rotation=TURN, scale=[2, 2, 2], translation=[7, 0, 0])
    add(found, camera=0, name="front", scale=[-1, 1, 1])
    front, plan, mirrored = read(tmp_path, found).cameras
    assert front.fov == pytest.approx(30) and front.size == (512, 768) and front.extent is None
    assert front.pose[:3, 3].tolist() == [0, 1, 5]
    assert (plan.name, plan.extent, plan.size) == ("plan", 4, (512, 768))
    assert plan.pose[:3, 2].tolist() == pytest.approx([1, 0, 0])  # it looks along -X
    assert plan.pose[:3, 3].tolist() == [7, 0, 0]
    assert mirrored.name == "front2"
    assert torch.allclose(mirrored.pose, torch.eye(4).double())


def test_lights_shine_as_their_nodes_are_turned(tmp_path: Path) -> None:
    found = document(tmp_path)
    lit(
        found,
        {"type": "point", "intensity": 8, "color": [1, 0.5, 0.25], "range": 3, "name": "lamp"},
        {"type": "spot", "spot": {"innerConeAngle": math.radians(10), "outerConeAngle": math.radians(20)}},
        {"type": "directional", "intensity": 3},
    )
    found.nodes.append(pygltflib.Node(extensions=shines(0), translation=[1, 0, 0]))
    add(found, translation=[0, 2, 0], rotation=TURN, scale=[3, 3, 3], children=[len(found.nodes) - 1])
    add(found, extensions=shines(1), rotation=TURN, translation=[5, 0, 0])
    add(found, extensions=shines(2), rotation=TURN, name="sun")
    lamp, spot, sun = sorted(read(tmp_path, found).lights, key=lambda light: light.name)  # type: ignore[arg-type]
    assert isinstance(lamp, PointLight) and lamp.intensity == (8, 4, 2)
    assert lamp.position == pytest.approx((0, 2, -3))
    assert isinstance(spot, SpotLight) and (spot.inner, spot.outer) == pytest.approx((10, 20))
    assert spot.direction == pytest.approx((-1, 0, 0))
    assert isinstance(sun, DirectionalLight) and sun.name == "sun" and sun.intensity == 3
    assert sun.direction == pytest.approx((1, 0, 0))  # towards it


def test_glass(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    surface = pygltflib.PbrMetallicRoughness(baseColorFactor=[1, 0.5, 0.5, 1], roughnessFactor=0.0, metallicFactor=0.0)
    glass = {"KHR_materials_transmission": {"transmissionFactor": 1}, "KHR_materials_ior": {"ior": 1.33}}
    material = read(tmp_path, document(tmp_path, pbrMetallicRoughness=surface, extensions=glass)).mesh.material
    assert (material.transmission, material.ior, material.glossy) == ((1, 0.5, 0.5), 1.33, False)
    assert not caplog.records
    assert not read_mesh(tmp_path / "scene.glb").material.refracts
    surface.roughnessFactor = 0.5
    glass = {"KHR_materials_transmission": {"transmissionFactor": 0.5}}
    glass["KHR_materials_volume"] = {"attenuationColor": [1, 0.5, 1], "attenuationDistance": 1}  # type: ignore[dict-item]
    material = read(tmp_path, document(tmp_path, pbrMetallicRoughness=surface, extensions=glass)).mesh.material
    assert (material.transmission, material.ior) == ((0.5, 0.25, 0.25), 1.5)
    assert "shown smooth and without what it reflects diffusely and without the colour of its depth" in caplog.text
    surface.metallicFactor = 1.0
    assert not read(tmp_path, document(tmp_path, pbrMetallicRoughness=surface, extensions=glass)).mesh.material.refracts


def test_alpha_is_a_share_of_the_surface_where_it_blends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    veil = pygltflib.PbrMetallicRoughness(baseColorFactor=[1, 1, 1, 0.25])
    blended = read(tmp_path, document(tmp_path, pbrMetallicRoughness=veil, alphaMode="BLEND"))
    assert blended.mesh.material.opacity == 0.25
    assert not caplog.records
    assert read(tmp_path, document(tmp_path, pbrMetallicRoughness=veil)).mesh.material.opacity == 1
    assert read_mesh(tmp_path / "scene.glb").material.opacity == 1


def test_surfaces_that_send_out_light_are_lamps(tmp_path: Path) -> None:
    black = pygltflib.PbrMetallicRoughness(baseColorFactor=[0, 0, 0, 1])
    strong = {"KHR_materials_emissive_strength": {"emissiveStrength": 5}}
    found = document(tmp_path, pbrMetallicRoughness=black, emissiveFactor=[1, 0.5, 0], extensions=strong)
    scene = read(tmp_path, found)
    assert scene.mesh.material.emission == (5, 2.5, 0)
    assert scene.mesh.material.albedo == (0, 0, 0)
    assert scene.lights == ()
    assert isinstance(read(tmp_path, document(tmp_path)).lights, Lights)


def test_they_become_scene_files(tmp_path: Path) -> None:
    found = document(tmp_path, pbrMetallicRoughness=pygltflib.PbrMetallicRoughness(roughnessFactor=0.5))
    found.cameras = [pygltflib.Camera(type="perspective", perspective=pygltflib.Perspective(yfov=1.0, znear=0.1))]
    add(found, camera=0, name="front", translation=[0, 1, 5], rotation=TURN)
    lit(found, {"type": "point", "intensity": 8})
    add(found, extensions=shines(0), name="lamp")
    scene = read(tmp_path, found)
    write_scene(tmp_path / "out.toml", scene, tmp_path / "scene.glb")
    again = read_scene(tmp_path / "out.toml")
    assert again.lights == scene.lights
    assert torch.allclose(again.cameras[0].pose, scene.cameras[0].pose, atol=1e-12)
    assert torch.equal(again.mesh.vertices, scene.mesh.vertices)
    assert again.mesh.material == scene.mesh.material


@pytest.mark.parametrize(
    ("light", "cause"),
    [
        ({"type": "area"}, "unknown type 'area'"),
        ({"type": "point", "intensity": -1}, "negative color or intensity"),
        ({"type": "spot", "spot": {"innerConeAngle": 1.0, "outerConeAngle": 0.5}}, "has the angles 1 and 0.5"),
    ],
)
def test_lights_that_cannot_be(tmp_path: Path, light: dict[str, Any], cause: str) -> None:
    found = document(tmp_path)
    lit(found, light)
    add(found, extensions=shines(0))
    with pytest.raises(InputError, match=cause):
        read(tmp_path, found)


def test_what_a_node_names_must_be_there(tmp_path: Path) -> None:
    found = document(tmp_path)
    lit(found, {"type": "point"})
    add(found, extensions=shines(3))
    with pytest.raises(InputError, match="names lights 3, but there are 1"):
        read(tmp_path, found)
    found = document(tmp_path)
    found.cameras = [pygltflib.Camera(type="perspective", perspective=pygltflib.Perspective(yfov=4.0, znear=0.1))]
    add(found, camera=0)
    with pytest.raises(InputError, match="yfov of 229"):
        read(tmp_path, found)
    found.cameras = [pygltflib.Camera(type="perspective")]
    with pytest.raises(InputError, match="without values of that type"):
        read(tmp_path, found)
    assert np.isfinite(read(tmp_path, document(tmp_path)).mesh.vertices.numpy()).all()
