"""The places in a scene that can be free: each has a path, by which it is called, and knows how to read and write.

    light.position  light.NAME.intensity  camera.pose  camera.NAME.fov  material.NAME.Kd  environment.colour  ambient

The name of a light or a camera can be left out where it is the only one. Only places that can show are there: a
Lambertian surface has no roughness, a point light no direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from invrender.nouns import Camera, DirectionalLight, Environment, Lights, Material, PointLight, Scene, SpotLight
from invrender.parameters.encodings import Encoding, above, bounded, direction, linear, polar, positive, rigid

Tensor = torch.Tensor
Read = Callable[[Scene], Any]
Write = Callable[[Scene, Tensor], Scene]

XYZ, RGB = ("x", "y", "z"), ("red", "green", "blue")
POSE = (*XYZ, "yaw", "pitch", "roll")
ANGLES, TWIST = ("along", "across"), ("turn x", "turn y", "turn z", "move x", "move y", "move z")
FAR = 1.5  # times half the scene's diagonal


@dataclass(frozen=True)
class Measures:
    """Lengths of a scene, in which places count.

    Attributes:
        centre: [3] float64, the middle of what is seen.
        size: half the diagonal of its box.
        distances: of what a camera looks at, by the camera's name.
    """

    centre: Tensor
    size: float
    distances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """One place in a scene.

    Attributes:
        path: as users call it; `kind`: without the name in it, such as light.position.
        owner: the name of the light, camera or material that it belongs to, if any.
        read: the value in a scene: a number, a tuple or a tensor.
        write: the scene with another value there.
        encoding: of a value (float64), in a scene's measures.
        labels: what the readable numbers are called; empty for a single one. `moves`: what the free numbers are, if
            they are others.
        readable: a value to the numbers that people are shown, [K].
        unit: of these.
        usual: whether the name of the owner alone means it too.
        slot: the attribute that it changes; two places of one slot cannot both be free.
    """

    path: str
    kind: str
    owner: str
    read: Read
    write: Write
    encoding: Callable[[Tensor, Measures], Encoding]
    labels: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    readable: Callable[[Tensor], Tensor] = lambda value: value.reshape(-1)
    unit: str = ""
    usual: bool = True
    slot: str = ""

    def value(self, scene: Scene) -> Tensor:
        """What stands there in a scene, float64."""
        return torch.as_tensor(self.read(scene), dtype=torch.float64).detach().cpu()


@dataclass(frozen=True)
class Owner:
    """What places belong to: one light, camera, material or the environment.

    Attributes:
        kind: light, camera, ...
        name: of it; empty where there is no choice.
        get, put: it in a scene, and the scene with another one in its place.
    """

    kind: str
    name: str
    get: Callable[[Scene], Any]
    put: Callable[[Scene, Any], Scene]

    def place(self, what: str, attribute: str, encoding: Callable[[Tensor, Measures], Encoding], **more: Any) -> Place:
        """Its place of one attribute."""
        path = ".".join(filter(None, (self.kind, self.name, what)))
        return Place(
            path,
            f"{self.kind}.{what}",
            self.name,
            lambda scene: getattr(self.get(scene), attribute),
            lambda scene, value: self.put(scene, replace(self.get(scene), **{attribute: value})),
            encoding,
            slot=f"{self.kind}.{self.name}.{attribute}",
            **more,
        )


def places(scene: Scene) -> dict[str, Place]:
    """All places of a scene by path, in the order in which they are listed; the only light's and camera's by kind."""
    found = [*_lights(scene), *_cameras(scene), *_materials(scene), *_surroundings(scene)]
    alone = {kind for kind in ("light", "camera") if len({p.owner for p in found if p.kind.startswith(kind)}) == 1}
    called = [replace(p, path=p.kind) if p.kind.partition(".")[0] in alone else p for p in found]
    return {each.path: each for each in called}


def _log(value: Tensor, measures: Measures) -> Encoding:
    del measures
    return positive(value)


def _share(value: Tensor, measures: Measures) -> Encoding:
    """Between 0 and 1; where a file goes beyond, anything positive."""
    return bounded(value, 0, 1) if bool((value <= 1).all()) else _log(value, measures)


def _angle(most: float) -> Callable[[Tensor, Measures], Encoding]:
    return lambda value, measures: bounded(value, 0, most, spread=1.0)


def is_far(value: Tensor, measures: Measures) -> bool:
    """Whether a place [3] is so far from the scene that it is better told by direction and distance."""
    return float((value - measures.centre).norm()) > FAR * measures.size


def _point(value: Tensor, measures: Measures) -> Encoding:
    """In units of the scene's size; from far away by direction and distance."""
    return polar(value, measures.centre) if is_far(value, measures) else linear(value, measures.size)


def _unit_vector(value: Tensor, measures: Measures) -> Encoding:
    del measures
    return direction(value)


def _numbers(value: Any) -> tuple[str, ...]:
    """Labels of a grey number or a colour."""
    return RGB if torch.as_tensor(value).numel() == len(RGB) else ()


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
        yield owner.place("position", "position", _point, labels=XYZ)
    if not isinstance(light, PointLight):
        yield owner.place("direction", "direction", _unit_vector, labels=XYZ, moves=ANGLES, readable=_normalised)
    unit = "W/m²" if isinstance(light, DirectionalLight) else "W/sr"
    yield owner.place("intensity", "intensity", _log, labels=_numbers(light.intensity), unit=unit)
    if isinstance(light, SpotLight):
        yield owner.place("angle", "outer", _angle(90.0), unit="°", usual=False)


def _plain_lights(lights: Lights) -> Iterator[Place]:
    owner = Owner("light", "", lambda scene: scene.lights, lambda scene, light: replace(scene, lights=light))
    if lights.direction is not None and torch.as_tensor(lights.direction).ndim == 1:
        yield owner.place("direction", "direction", _unit_vector, labels=XYZ, moves=ANGLES, readable=_normalised)
    yield owner.place("intensity", "intensity", _log, labels=_numbers(lights.intensity))
    everywhere = owner.place("ambient", "ambient", _log, labels=_numbers(lights.ambient))
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
        yield owner.place("fov", "fov", _angle(180.0), unit="°", usual=False)
    else:
        yield owner.place("extent", "extent", _log, usual=False)
    if float(camera.aperture) > 0:
        yield owner.place("aperture", "aperture", _log, usual=False)
        yield owner.place("focus", "focus", _log, usual=False)


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

    at = owner.place("position", "pose", _point, labels=XYZ, usual=False)
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
        yield owner.place("transmission", "transmission", _share, labels=RGB)
        yield owner.place("ior", "ior", lambda value, _: above(value, 1.0))
    else:
        yield owner.place("Kd", "albedo", _share, labels=RGB)
    if material.glossy:
        yield owner.place("roughness", "roughness", _share)
        yield owner.place("metallic", "metallic", _share, usual=False)
    elif not (material.unlit or material.refracts):
        yield owner.place("Ks", "specular", _share, labels=RGB, usual=material.highlighted)
        yield owner.place("Ns", "shininess", _log, usual=material.highlighted)
        yield owner.place("mirror", "mirror", _share, labels=RGB, usual=material.mirrors)
    yield owner.place("emission", "emission", _log, labels=RGB, usual=material.emits)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _surroundings(scene: Scene) -> Iterator[Place]:
    if scene.environment is not None:
        owner = Owner(
            "environment", "", lambda scene: scene.environment, lambda scene, new: replace(scene, environment=new)
        )
        yield owner.place("colour", "colour", _log, labels=RGB)
        if float(torch.as_tensor(scene.environment.colour).sum()) > 0:
            yield _brightness(owner)
        if scene.environment.picture is not None:
            turn = owner.place("rotation", "rotation", lambda value, _: linear(value, 180 / torch.pi), unit="°")
            yield replace(turn, usual=False)
    if scene.background is not None:
        yield Place(
            "background", "background", "", lambda scene: scene.background,
            lambda scene, value: replace(scene, background=value), _log, RGB,
        )  # fmt: skip


def _brightness(owner: Owner) -> Place:
    """How bright an environment is, its hue kept: the mean of its colour."""

    def read(scene: Scene) -> Tensor:
        return torch.as_tensor(owner.get(scene).colour, dtype=torch.float64).mean()

    def write(scene: Scene, value: Tensor) -> Scene:
        environment: Environment = owner.get(scene)
        colour = torch.as_tensor(environment.colour, dtype=torch.float64)
        return owner.put(scene, replace(environment, colour=colour / colour.mean() * value))

    return replace(owner.place("intensity", "colour", _log, usual=False), read=read, write=write)


def distinct(names: list[str]) -> list[str]:
    """The names, with a number behind those that were there before."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return result
