"""Which cameras see a scene: its own, or some that are placed around it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from invrender.cameras.lens import camera_of
from invrender.errors import UsageError
from invrender.io.scenes.shapes import box
from invrender.nouns import Camera, Material, Mesh, Volume
from invrender.nouns.medium import Medium
from invrender.nouns.scene import Scene
from invrender.render.scene_arrays import middle_of
from invrender.run.memory import check_pictures
from invrender.run.placement import CameraPlacement
from invrender.run.relight import about_up

Tensor = torch.Tensor

SIZE = 512  # pixels, of pictures whose camera names none
_AT_WORK = 3  # pictures' worth of memory beside those that are held: sums, in float64
VAST = 4.0  # times as large as all the rest: a ground


def cameras_for(
    scene: Scene,
    placement: CameraPlacement | None,
    name: str | None,
    asked: tuple[int, int] | None,
    default: int,
    whole: bool = False,
) -> tuple[list[Camera], tuple[int, int]]:
    """Cameras, and (H, W) of their pictures.

    Args:
        scene: whose cameras are taken, unless others are placed.
        placement: around the scene; None: the scene's camera, or where it has none, an orbit.
        name: of the scene's camera; None: its first.
        asked: (H, W) of pictures in pixels; None: as the camera has it. A square is the longer side of a picture of the
            camera's own shape.
        default: how many, unless the placement says it; a camera of the scene goes round its middle.
        whole: whether placed cameras look at all of it, as they do for meshes, and not at its `subject` alone.

    Raises:
        UsageError: there is no camera of that name.
    """
    if placement is not None or not scene.cameras:
        _check_name(scene, name)
        around = replace(placement or CameraPlacement(), size=asked or (SIZE, SIZE))
        check_pictures(around.count(default), around.size, at_work=_AT_WORK)
        cameras = around.cameras(_whole(scene) if whole or not scene.meshes else subject(scene), default)
        return [camera_of(cameras, k) for k in range(len(cameras))], cameras.size
    camera = scene.cameras[0] if name is None else _named(scene, name)
    size = scaled(camera.size, asked)
    check_pictures(default, size, at_work=_AT_WORK)
    return _turning(camera, middle_of(solids(scene)), default), size


def subject(scene: Scene) -> Mesh:
    """The faces that placed cameras look at: without a ground or walls far larger than all the rest.

    A medium counts as its box.
    """
    meshes = sorted((mesh for mesh in solids(scene) if len(mesh.faces)), key=_extent)
    while len(meshes) > 1 and _extent(meshes[-1]) > VAST * _extent(_together(meshes[:-1])):
        meshes.pop()
    return _together(meshes)


def solids(scene: Scene) -> list[Mesh]:
    """The meshes, and the boxes of the media."""
    return [*scene.meshes, *(_box(medium) for medium in scene.media)]


def _box(medium: Medium) -> Mesh:
    """A medium's box, or as much of it as is around the mesh that bounds it."""
    low, high = medium.extinction.bounds.detach().double().cpu()
    if medium.inside is not None:
        inner = torch.stack(torch.aminmax(medium.inside.vertices.detach().double().cpu(), dim=0))
        low, high = torch.maximum(low, inner[0]), torch.minimum(high, inner[1])
    return box(((low + high) / 2).numpy(), (high - low).clamp(min=0).numpy(), np.eye(3), Material())


def _whole(scene: Scene) -> Mesh | Volume:
    """All that placed cameras look at; a medium alone is looked at as volumes are."""
    if len(scene.media) == 1 and not scene.meshes:
        return scene.media[0].extinction
    return _together(solids(scene))


def _together(meshes: Sequence[Mesh]) -> Mesh:
    """Meshes as one, without materials."""
    starts = [sum(len(mesh.vertices) for mesh in meshes[:k]) for k in range(len(meshes))]
    faces = torch.cat([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)])
    return Mesh(torch.cat([mesh.vertices.detach().double() for mesh in meshes]), faces)


def _extent(mesh: Mesh) -> float:
    """The longest side of its box."""
    used = mesh.vertices.detach()[mesh.faces.reshape(-1)]
    return float((used.amax(0) - used.amin(0)).max())


def scaled(size: tuple[int, int] | None, asked: tuple[int, int] | None) -> tuple[int, int]:
    """(H, W) as asked for, or of a size; of a square that is asked for, the size whose longer side has its pixels."""
    if size is None or asked is None:
        return asked or size or (SIZE, SIZE)
    if asked[0] != asked[1]:
        return asked
    height, width = (max(1, round(asked[0] * length / max(size))) for length in size)
    return height, width


def _turning(camera: Camera, middle: Tensor, count: int) -> list[Camera]:
    """A camera that goes once round the vertical axis through a point [3] in `count` steps."""
    cameras = []
    for k in range(count):
        turn = about_up(2 * math.pi * k / count).to(camera.pose)
        pose = camera.pose.clone()
        pose[:3, :3] = turn @ camera.pose[:3, :3]
        pose[:3, 3] = turn @ (camera.pose[:3, 3] - middle.to(pose)) + middle.to(pose)
        cameras.append(replace(camera, pose=pose))
    return cameras


def _named(scene: Scene, name: str) -> Camera:
    _check_name(scene, name)
    return next(camera for camera in scene.cameras if camera.name == name)


def _check_name(scene: Scene, name: str | None) -> None:
    names = [camera.name for camera in scene.cameras]
    if name is None or name in names:
        return
    if not names:
        raise UsageError(f"there is no camera {name!r}: the scene has none", "leave --camera out")
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no camera {name!r} in the scene", f"{hint}it has {', '.join(names)}")
