"""The places in a scene that can be free: each has a path, by which it is called, and knows how to read and write.

    light.position  light.NAME.intensity  camera.pose  camera.NAME.fov  material.NAME.Kd  environment.colour  ambient

The name of a light or a camera can be left out where it is the only one. Only places that can show are there: a
Lambertian surface has no roughness, a point light no direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from invrender.nouns import Camera, DirectionalLight, Environment, Lights, Material, PointLight, Scene, SpotLight
from invrender.parameters.encodings import Encoding, above, linear, rigid
from invrender.parameters.scene_place import (
    ANGLES,
    POSE,
    RGB,
    TWIST,
    XYZ,
    Measures,
    Owner,
    Place,
    angle,
    colour_labels,
    logarithms,
    point,
    share,
    unit_vector,
)

Tensor = torch.Tensor


def places(scene: Scene) -> dict[str, Place]:
    """All places of a scene by path, in the order in which they are listed; the only light's and camera's by kind."""
    found = [*_lights(scene), *_cameras(scene), *_materials(scene), *_surroundings(scene)]
    alone = {kind for kind in ("light", "camera") if len({p.owner for p in found if p.kind.startswith(kind)}) == 1}
    called = [replace(p, path=p.kind) if p.kind.partition(".")[0] in alone else p for p in found]
    return {each.path: each for each in called}


# --- lights -----------------------------------------------------------------------------------------------------------


def _lights(scene: Scene) -> Iterator[Place]:
    if isinstance(scene.lights, Lights):
        yield from _plain_lights(scene.lights)
        return
    names = distinct([light.name for light in scene.lights])
    for i, name in enumerate(names):
        yield from _light(Owner("light", name, _light_at(i), _with_light(i)), scene.lights[i])


def _light_at(i: int) -> Callable[[Scene], Any]:
    def get(scene: Scene) -> Any:
        assert not isinstance(scene.lights, Lights)
        return scene.lights[i]

    return get


def _with_light(i: int) -> Callable[[Scene, Any], Scene]:
    def put(scene: Scene, light: Any) -> Scene:
        assert not isinstance(scene.lights, Lights)
        return replace(scene, lights=(*scene.lights[:i], light, *scene.lights[i + 1 :]))

    return put


def _light(owner: Owner, light: PointLight | SpotLight | DirectionalLight) -> Iterator[Place]:
    if not isinstance(light, DirectionalLight):
        yield owner.place("position", "position", point, labels=XYZ)
    if not isinstance(light, PointLight):
        yield owner.place("direction", "direction", unit_vector, labels=XYZ, moves=ANGLES, readable=_normalised)
    unit = "W/m²" if isinstance(light, DirectionalLight) else "W/sr"
    yield owner.place("intensity", "intensity", logarithms, labels=colour_labels(light.intensity), unit=unit)
    if isinstance(light, SpotLight):
        yield owner.place("angle", "outer", angle(90.0), unit="°", usual=False)


def _plain_lights(lights: Lights) -> Iterator[Place]:
    owner = Owner("light", "", lambda scene: scene.lights, lambda scene, light: replace(scene, lights=light))
    if lights.direction is not None and torch.as_tensor(lights.direction).ndim == 1:
        yield owner.place("direction", "direction", unit_vector, labels=XYZ, moves=ANGLES, readable=_normalised)
    yield owner.place("intensity", "intensity", logarithms, labels=colour_labels(lights.intensity))
    everywhere = owner.place("ambient", "ambient", logarithms, labels=colour_labels(lights.ambient))
    yield replace(everywhere, path="ambient", kind="ambient")


def _normalised(value: Tensor) -> Tensor:
    unit: Tensor = value / value.norm()
    return unit


# --- cameras ----------------------------------------------------------------------------------------------------------


def _cameras(scene: Scene) -> Iterator[Place]:
    for i, name in enumerate(distinct([camera.name for camera in scene.cameras])):
        owner = Owner("camera", name, _camera_at(i), _with_camera(i))
        yield from _camera(owner, scene.cameras[i])


def _camera_at(i: int) -> Callable[[Scene], Camera]:
    return lambda scene: scene.cameras[i]


def _with_camera(i: int) -> Callable[[Scene, Any], Scene]:
    return lambda scene, camera: replace(scene, cameras=(*scene.cameras[:i], camera, *scene.cameras[i + 1 :]))


def _camera(owner: Owner, camera: Camera) -> Iterator[Place]:
    yield owner.place("pose", "pose", _pose(owner.name), labels=POSE, moves=TWIST, readable=angles)
    yield _camera_position(owner)
    if camera.extent is None:
        yield owner.place("fov", "fov", angle(180.0), unit="°", usual=False)
    else:
        yield owner.place("extent", "extent", logarithms, usual=False)
    if float(camera.aperture) > 0:
        yield owner.place("aperture", "aperture", logarithms, usual=False)
        yield owner.place("focus", "focus", logarithms, usual=False)


def _pose(name: str) -> Callable[[Tensor, Measures], Encoding]:
    def encoding(value: Tensor, measures: Measures) -> Encoding:
        away = float((value[:3, 3] - measures.centre).norm())
        return rigid(value, measures.distances.get(name, max(away, measures.size)))

    return encoding


def _camera_position(owner: Owner) -> Place:
    """Of a camera whose orientation is known."""

    def write(scene: Scene, value: Tensor) -> Scene:
        camera = owner.get(scene)
        pose = camera.pose.to(value)
        moved = torch.cat([pose[:, :3], torch.cat([value, pose[3:, 3]])[:, None]], 1)
        return owner.put(scene, replace(camera, pose=moved))

    at = owner.place("position", "pose", point, labels=XYZ, usual=False)
    return replace(at, read=lambda scene: owner.get(scene).pose[:3, 3], write=write)


def angles(pose: Tensor) -> Tensor:
    """Where a camera stands and which way it looks, [6]: position; yaw, pitch and roll in degrees.

    At yaw 0 it looks along -Z, and to the left of that at 90; it looks up where pitch is positive; roll turns it
    counter-clockwise.
    """
    right, up, back = pose[:3, :3].unbind(1)
    yaw = torch.atan2(back[0], back[2])
    pitch = torch.atan2(-back[1], torch.hypot(back[0], back[2]))
    roll = torch.atan2(right[1], up[1])
    return torch.cat([pose[:3, 3], torch.rad2deg(torch.stack([yaw, pitch, roll]))])


# --- materials --------------------------------------------------------------------------------------------------------


def _materials(scene: Scene) -> Iterator[Place]:
    for name in dict.fromkeys(mesh.material.name for mesh in scene.meshes):
        of = next(i for i, mesh in enumerate(scene.meshes) if mesh.material.name == name)
        owner = Owner("material", name, _material_of(of), _with_material(name))
        yield from _material(owner, scene.meshes[of].material)


def _material_of(mesh: int) -> Callable[[Scene], Material]:
    return lambda scene: scene.meshes[mesh].material


def _with_material(name: str) -> Callable[[Scene, Material], Scene]:
    def put(scene: Scene, material: Material) -> Scene:
        meshes = (replace(each, material=material) if each.material.name == name else each for each in scene.meshes)
        return replace(scene, meshes=tuple(meshes))

    return put


def _material(owner: Owner, material: Material) -> Iterator[Place]:
    if material.refracts:
        yield owner.place("transmission", "transmission", share, labels=RGB)
        yield owner.place("ior", "ior", lambda value, _: above(value, 1.0))
    else:
        yield owner.place("Kd", "albedo", share, labels=RGB)
    if material.glossy:
        yield owner.place("roughness", "roughness", share)
        yield owner.place("metallic", "metallic", share, usual=False)
    elif not (material.unlit or material.refracts):
        yield owner.place("Ks", "specular", share, labels=RGB, usual=material.highlighted)
        yield owner.place("Ns", "shininess", logarithms, usual=material.highlighted)
        yield owner.place("mirror", "mirror", share, labels=RGB, usual=material.mirrors)
    yield owner.place("emission", "emission", logarithms, labels=RGB, usual=material.emits)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _surroundings(scene: Scene) -> Iterator[Place]:
    if scene.environment is not None:
        owner = Owner(
            "environment", "", lambda scene: scene.environment, lambda scene, new: replace(scene, environment=new)
        )
        yield owner.place("colour", "colour", logarithms, labels=RGB)
        if float(torch.as_tensor(scene.environment.colour).sum()) > 0:
            yield _brightness(owner)
        if scene.environment.picture is not None:
            turn = owner.place("rotation", "rotation", lambda value, _: linear(value, 180 / torch.pi), unit="°")
            yield replace(turn, usual=False)
    if scene.background is not None:
        yield Place(
            "background", "background", "", lambda scene: scene.background,
            lambda scene, value: replace(scene, background=value), logarithms, RGB,
        )  # fmt: skip


def _brightness(owner: Owner) -> Place:
    """How bright an environment is, its hue kept: the mean of its colour."""

    def read(scene: Scene) -> Tensor:
        return torch.as_tensor(owner.get(scene).colour, dtype=torch.float64).mean()

    def write(scene: Scene, value: Tensor) -> Scene:
        environment: Environment = owner.get(scene)
        colour = torch.as_tensor(environment.colour, dtype=torch.float64)
        return owner.put(scene, replace(environment, colour=colour / colour.mean() * value))

    return replace(owner.place("intensity", "colour", logarithms, usual=False), read=read, write=write)


def distinct(names: list[str]) -> list[str]:
    """The names, with a number behind those that were there before."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return result
