"""What is wrong with a scene before light is followed through it: what is refused, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import torch

from invrender.errors import InputError
from invrender.findings import Finding
from invrender.geometry.winding import solid_angle_share
from invrender.nouns import Camera, Lights, Material, Mesh
from invrender.nouns.light import DirectionalLight, Light
from invrender.nouns.scene import Scene
from invrender.nouns.topology import topology
from invrender.render.scene_arrays import check_meshes
from invrender.render.scene_medium import check_medium, the_medium
from invrender.shading.surface import equal_rows

Tensor = torch.Tensor

_NO_NEGATIVE = ("albedo", "specular", "shininess", "mirror", "emission", "transmission", "ior", "roughness", "opacity")


def check_scene(scene: Scene) -> None:
    """
    Raises:
        InputError: nothing shines in the scene; a number of a light or material is none, or below 0 where that cannot
            be; there are several media; or the meshes or the medium cannot be drawn.
    """
    check_meshes(scene.meshes, scene.media)
    medium = the_medium(scene.media)
    if medium is not None:
        check_medium(medium)
    if not isinstance(scene.lights, Lights):
        for light in scene.lights:
            _check_light(light)
    elif _wrong(scene.lights.intensity) or _wrong(scene.lights.ambient):
        raise InputError("the lights have an intensity that is negative or no number", "use numbers from 0")
    for mesh in scene.meshes:
        _check_material(mesh.material)
    _check_surroundings(scene)
    if not _shines(scene):
        raise InputError(
            "the scene has no light: no lamp, no environment that is not black, and nothing that emits",
            "add a light, an environment, or an emission",
        )


def findings(scene: Scene, cameras: list[Camera]) -> Iterator[Finding]:
    """What looks wrong: an empty medium, glass that is open, lights inside objects that the cameras are not in."""
    for medium in scene.media:
        if not bool(medium.extinction.values.detach().any()):
            yield Finding(f"the medium '{medium.name}' is empty: its extinction is 0 everywhere", "give it a density")
    for mesh in scene.meshes:
        if mesh.material.refracts and not closed(mesh):
            yield Finding(
                f"the refractive mesh {mesh.material.name!r} is open, so that rays lose track of what is inside",
                "close its surface, or give it opacity instead of transmission",
            )
    if isinstance(scene.lights, Lights):
        return
    solid = [mesh for mesh in scene.meshes if closed(mesh)]
    for light in scene.lights:
        if isinstance(light, DirectionalLight):
            continue
        for mesh in solid:
            eyes = [inside(mesh, camera.pose.detach()[:3, 3]) for camera in cameras]
            if inside(mesh, torch.as_tensor(light.position).detach()) and not any(eyes):
                yield Finding(
                    f"the light {light.name!r} is inside the object {mesh.material.name!r}, which blocks it",
                    "move it outside, or let the object emit light itself",
                )


def closed(mesh: Mesh) -> bool:
    """Whether every edge has two faces, where vertices at one place count as one."""
    if not len(mesh.faces):
        return False
    return bool((topology(equal_rows(mesh.vertices)[mesh.faces]).faces >= 0).all())


def inside(mesh: Mesh, point: Tensor) -> bool:
    """Whether a point [3] of the world is within a closed mesh, whichever way its faces are turned."""
    return abs(solid_angle_share(*mesh.numpy(), point.double().cpu().numpy())) > 0.5


def _check_light(light: Light) -> None:
    if _wrong(light.intensity):
        raise InputError(
            f"the light {light.name!r} has an intensity that is negative or no finite number", "use a number from 0"
        )
    places = [getattr(light, name) for name in ("position", "direction") if hasattr(light, name)]
    if not all(bool(torch.isfinite(torch.as_tensor(place)).all()) for place in places):
        raise InputError(f"the light {light.name!r} stands or points nowhere: NaN or infinity", "use finite numbers")
    direction = getattr(light, "direction", None)
    if direction is not None and not bool(torch.as_tensor(direction).any()):
        raise InputError(f"the light {light.name!r} has the direction 0, 0, 0", "point it somewhere, such as 0, -1, 0")


def _check_material(material: Material) -> None:
    for part in fields(Material):
        value = getattr(material, part.name)
        if value is None or isinstance(value, str | bool):
            continue
        if not bool(torch.isfinite(torch.as_tensor(value).detach()).all()):
            raise InputError(f"{part.name} of the material {material.name!r} is no finite number", "use finite numbers")
        if part.name in _NO_NEGATIVE and _wrong(value):
            raise InputError(f"{part.name} of the material {material.name!r} is negative", "use a number from 0")


def _check_surroundings(scene: Scene) -> None:
    environment = scene.environment
    if environment is not None:
        wrong = _wrong(environment.colour) or (environment.picture is not None and _wrong(environment.picture))
        if wrong:
            raise InputError("the environment has radiance that is negative or no number", "use numbers from 0")
    if scene.background is not None and _wrong(scene.background):
        raise InputError("the background has a colour that is negative or no number", "use numbers from 0")


def _wrong(value: object) -> bool:
    """Whether numbers are negative or not finite."""
    numbers = torch.as_tensor(value).detach()
    return not bool((torch.isfinite(numbers) & (numbers >= 0)).all())


def _shines(scene: Scene) -> bool:
    lights = scene.lights
    if isinstance(lights, Lights):
        plain = any(bool(torch.as_tensor(value).detach().any()) for value in (lights.intensity, lights.ambient))
        if plain or lights.sh is not None:
            return True
    elif any(bool(torch.as_tensor(light.intensity).detach().any()) for light in lights):
        return True
    if any(mesh.material.unlit or mesh.material.emits for mesh in scene.meshes):
        return True
    return _sky_shines(scene) or any(medium.glows for medium in scene.media)


def _sky_shines(scene: Scene) -> bool:
    """Whether there is an environment that is not black, unless it is being looked for."""
    environment = scene.environment
    if environment is None:
        return False
    parts = [torch.as_tensor(part) for part in (environment.colour, environment.picture) if part is not None]
    return all(bool(part.detach().any()) or part.requires_grad for part in parts)
