"""What is in a scene: the facts that `invrender inspect` prints, and what looks wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from invrender.evaluate.medium_facts import MediumFacts, medium_facts, medium_findings
from invrender.evaluate.mesh_facts import MeshFacts, mesh_facts
from invrender.findings import Finding
from invrender.geometry.winding import solid_angle_share
from invrender.io.scenes.scene_toml import Described
from invrender.nouns import Camera, DirectionalLight, Environment, Light, Lights, Material, Mesh, Scene, SpotLight
from invrender.nouns.appearance import plain_colour

Point = tuple[float, float, float]


@dataclass(frozen=True)
class BodyFacts:
    """One mesh of a scene.

    Attributes:
        name: that of its table in the scene file, or of its material.
        kind: mesh, sphere, plane or box.
        file: the mesh file, or None.
        material: its name.
        facts: measured.
    """

    name: str
    kind: str
    file: str | None
    material: str
    facts: MeshFacts


@dataclass(frozen=True)
class SceneFacts:
    """Facts about a scene, in plain numbers.

    Attributes:
        bodies: its meshes.
        medium: what light passes through, or None.
        materials, lights, cameras: by name, the numbers of each; of a material also its kind.
        environment: its numbers, or None.
        background: linear RGB, or None where the environment is seen.
        low, high: corners of the box around everything.
        findings: what looks wrong.
    """

    bodies: tuple[BodyFacts, ...]
    materials: dict[str, dict[str, Any]]
    lights: dict[str, dict[str, Any]]
    cameras: dict[str, dict[str, Any]]
    environment: dict[str, Any] | None
    background: Point | None
    low: Point
    high: Point
    findings: tuple[Finding, ...]
    medium: MediumFacts | None = None


def scene_facts(described: Described) -> SceneFacts:
    """Measure a scene that was read."""
    scene = described.scene
    measured = [mesh_facts(mesh) for mesh in scene.meshes]
    bodies = tuple(
        BodyFacts(thing.name, thing.kind, None if thing.file is None else str(thing.file), mesh.material.name, facts)
        for thing, mesh, facts in zip(described.things, scene.meshes, measured, strict=True)
    )
    media = [medium_facts(medium) for medium in scene.media]
    corners = [(each.low, each.high) for each in measured] + [(each.low, each.high) for each in media]
    low, high = np.min([corner[0] for corner in corners], axis=0), np.max([corner[1] for corner in corners], axis=0)
    doubts = [finding for medium in scene.media for finding in medium_findings(medium)]
    return SceneFacts(
        bodies=bodies,
        materials={mesh.material.name: material_numbers(mesh.material) for mesh in scene.meshes},
        lights=_lights(scene.lights),
        cameras={camera.name: _camera(camera) for camera in scene.cameras},
        environment=None if scene.environment is None else _environment(scene.environment),
        background=None if scene.background is None else plain_colour(scene.background),
        low=_point(low),
        high=_point(high),
        findings=(*_shadowed(scene, bodies), *_open(bodies, scene), *_degenerate(bodies), *doubts),
        medium=media[0] if media else None,
    )


def material_kind(material: Material) -> str:
    """Which kind of surface a material is, in a word."""
    kinds = (
        ("unlit", material.unlit),
        ("dielectric", material.refracts),
        ("metallic-roughness", material.glossy),
        ("mirror", material.mirrors),
        ("highlighted", material.highlighted),
    )
    return next((name for name, true in kinds if true), "diffuse")


def material_numbers(material: Material) -> dict[str, Any]:
    """The kind of a material, and those of its numbers that are other than those of a plain one."""
    found: dict[str, Any] = {"kind": material_kind(material)}
    if not material.refracts:
        found["Kd"] = plain_colour(material.albedo)
    if material.highlighted:
        found |= {"Ks": plain_colour(material.specular), "Ns": float(material.shininess)}
    if material.mirrors:
        found["mirror"] = plain_colour(material.mirror)
    if material.glossy:
        rough = 1.0 if material.roughness is None else float(material.roughness)
        found |= {"roughness": rough, "metallic": float(material.metallic)}
    if material.refracts:
        found |= {"transmission": plain_colour(material.transmission), "ior": float(material.ior)}
    if material.emits:
        found["Ke"] = plain_colour(material.emission)
    if float(material.opacity) != 1:
        found["opacity"] = float(material.opacity)
    if material.texture is not None:
        found["texture"] = (material.texture.shape[1], material.texture.shape[0])
    if material.gloss is not None:
        found["gloss"] = (material.gloss.shape[1], material.gloss.shape[0])
    return found


def _lights(lights: Lights | Sequence[Light]) -> dict[str, dict[str, Any]]:
    if not isinstance(lights, Lights):
        return {light.name: {"type": _kind(light), **_numbers(light)} for light in lights}
    kind = "with the camera" if lights.direction is None else "plain"
    return {"plain": {"type": kind, **{name: _plain(value) for name, value in asdict(lights).items()}}}


def _kind(light: Light) -> str:
    return "directional" if isinstance(light, DirectionalLight) else "spot" if isinstance(light, SpotLight) else "point"


def _numbers(light: Light) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(light).items() if name != "name"}


def _camera(camera: Camera) -> dict[str, Any]:
    pose = camera.pose.detach().double()
    lens = {"fov": _plain(camera.fov)} if camera.extent is None else {"extent": _plain(camera.extent)}
    table = {"position": _point(pose[:3, 3]), "direction": _point(-pose[:3, 2]), "up": _point(pose[:3, 1]), **lens}
    if float(camera.aperture):
        table |= {"aperture": _plain(camera.aperture), "focus": _plain(camera.focus)}
    return table | {"size": None if camera.size is None else (camera.size[1], camera.size[0])}


def _environment(environment: Environment) -> dict[str, Any]:
    picture = environment.picture
    return {
        "colour": plain_colour(environment.colour),
        "picture": None if picture is None else (picture.shape[1], picture.shape[0]),
        "rotation": _plain(environment.rotation),
    }


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _point(values: Any) -> Point:
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z


def _shadowed(scene: Scene, bodies: Sequence[BodyFacts]) -> list[Finding]:
    """Lights that stand inside a closed body which no camera shares with them: nothing outside gets their light."""
    if isinstance(scene.lights, Lights):
        return []
    cameras = [_point(camera.pose[:3, 3]) for camera in scene.cameras]
    places = [(light, _point(light.position)) for light in scene.lights if not isinstance(light, DirectionalLight)]
    found = []
    for light, place in places:
        for body, mesh in zip(bodies, scene.meshes, strict=True):
            if _within(place, body, mesh) and not any(_within(eye, body, mesh) for eye in cameras):
                cause = f"the light '{light.name}' is inside '{body.name}', which keeps its light in"
                found.append(Finding(cause, "move one of them, or make that thing the lamp: give its material Ke"))
    return found


def _within(point: Point, body: BodyFacts, mesh: Mesh) -> bool:
    """Whether a point is inside a closed body; what is inside a room, whose faces point inwards, does not count."""
    facts = body.facts
    if not facts.watertight or not all(a < x < b for a, x, b in zip(facts.low, point, facts.high, strict=True)):
        return False
    return solid_angle_share(*mesh.numpy(), np.asarray(point)) > 0.5


def _open(bodies: Sequence[BodyFacts], scene: Scene) -> list[Finding]:
    """Glass that is no closed body: light that enters it never leaves."""
    return [
        Finding(
            f"'{body.name}' lets light through (material '{body.material}') and is open ({body.facts.boundary_edges} "
            "open edges): it bends light as if it were solid behind its surface",
            "close the mesh, or use opacity in place of transmission for a thin sheet",
        )
        for body, mesh in zip(bodies, scene.meshes, strict=True)
        if mesh.material.refracts and not body.facts.watertight
    ]


def _degenerate(bodies: Sequence[BodyFacts]) -> list[Finding]:
    return [
        Finding(f"'{body.name}' has {count} of {body.facts.faces} triangles without area", "they are never seen")
        for body in bodies
        if (count := body.facts.degenerate_faces)
    ]
