"""Cameras and lights of glTF 2.0, where the node tree puts them.

Source: specification, section 3.10 (cameras); KHR_lights_punctual. Both look along -Z of their nodes, and scale does
nothing to them. The intensities of lights are photometric in glTF (candela, lux); numbers stay as they are, as those of
emission do, so that the two keep their relation. The range of a light, a cut for speed, is passed over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.meshes.gltf_file import Document, open_document
from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.gltf_nodes import read_tree
from invrender.io.scenes.names import free
from invrender.nouns import Camera, DirectionalLight, Light, PointLight, SpotLight
from invrender.nouns.appearance import Colour

Array = NDArray[np.float64]

EXTENSION = "KHR_lights_punctual"
_HEIGHT = 512  # in pixels, of cameras that have an aspect ratio


@dataclass(frozen=True)
class Staged:
    """The cameras and lights that the default scene of a file shows, in the order of its nodes."""

    cameras: tuple[Camera, ...]
    lights: tuple[Light, ...]


def read_staged(path: Path) -> Staged:
    """Read a .glb or .gltf.

    Raises:
        InputError: it is damaged.
    """
    document = open_document(path)
    nodes, tree = document.all("nodes"), read_tree(document)
    cameras: list[Camera] = []
    lights: list[Light] = []
    for number in tree.shown:
        node, world = nodes[number], tree.worlds[number]
        if node.has("camera"):
            camera = _camera(document, node, world)
            cameras.append(replace(camera, name=free(camera.name, {each.name for each in cameras})))
        if node.extension(EXTENSION) is not None:
            light = _light(document, node, world)
            lights.append(replace(light, name=free(light.name, {each.name for each in lights})))
    return Staged(tuple(cameras), tuple(lights))


def _camera(document: Document, node: Item, world: Array) -> Camera:
    source = document.referred(node, "camera", "cameras")
    kind = source.text("type")
    name = node.text("name") or source.text("name") or "camera"
    lens = source.item(kind) if kind in ("perspective", "orthographic") else None
    if lens is None:
        raise source.wrong(f"is a camera of the type '{kind}' without values of that type")
    pose = _rigid(node, world)
    if kind == "perspective":
        fov = math.degrees(_positive(lens, "yfov"))
        if fov >= 180:
            raise lens.wrong(f"has a yfov of {fov:g} degrees")
        return Camera(pose, fov=fov, size=_size(lens), name=name)
    height = 2 * _positive(lens, "ymag")
    return Camera(pose, extent=height, size=_sides(2 * _positive(lens, "xmag") / height), name=name)


def _positive(item: Item, name: str) -> float:
    value = item.number(name, 0.0)
    if value <= 0:
        raise item.wrong(f"has no '{name}' above 0")
    return value


def _size(lens: Item) -> tuple[int, int] | None:
    return _sides(_positive(lens, "aspectRatio")) if lens.has("aspectRatio") else None


def _sides(aspect: float) -> tuple[int, int] | None:
    """(H, W) of that aspect ratio; None where it is square, or beyond all sense."""
    return (_HEIGHT, round(_HEIGHT * aspect)) if 0.1 < aspect < 10 and abs(aspect - 1) > 1e-3 else None


def _rigid(node: Item, world: Array) -> torch.Tensor:
    """[4,4] of a node without its scale."""
    left, stretch, right = np.linalg.svd(world[:3, :3])
    turn = left @ right
    if not stretch[2] > 0 or not np.isfinite(world).all():
        raise node.wrong("makes its camera or light flat", "give it a scale other than 0")
    if np.linalg.det(turn) < 0:  # a mirrored camera shows the world as it is
        turn[:, 0] = -turn[:, 0]
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, world[:3, 3]
    return torch.from_numpy(pose)


def _light(document: Document, node: Item, world: Array) -> Light:
    extension, root = node.extension(EXTENSION), document.root.extension(EXTENSION)
    sources = [] if root is None else root.items("lights")
    assert extension is not None
    source = sources[extension.index("light", len(sources), "lights")]
    pose = _rigid(node, world)
    x, y, z = pose[:3, 2].tolist()
    position = (float(world[0, 3]), float(world[1, 3]), float(world[2, 3]))
    name, kind = node.text("name") or source.text("name") or "light", source.text("type")
    if kind == "directional":
        return DirectionalLight((x, y, z), _intensity(source), name)
    if kind == "point":
        return PointLight(position, _intensity(source), name)
    if kind != "spot":
        raise source.wrong(f"is a light of the unknown type '{kind}'", "use point, spot or directional")
    spot = source.item("spot") or Item(source.path, source.where, {})
    inner, outer = spot.number("innerConeAngle", 0.0), spot.number("outerConeAngle", math.pi / 4)
    if not 0 <= inner < outer <= math.pi / 2 + 1e-6:
        raise spot.wrong(f"has the angles {inner:g} and {outer:g}", "use 0 <= innerConeAngle < outerConeAngle <= pi/2")
    outer = min(outer, math.pi / 2)
    return SpotLight(position, (-x, -y, -z), _intensity(source), math.degrees(inner), math.degrees(outer), name)


def _intensity(source: Item) -> float | Colour:
    strength = source.number("intensity", 1.0)
    colour = source.numbers("color", [1.0, 1.0, 1.0])
    if strength < 0 or min(colour) < 0:
        raise source.wrong("has a negative color or intensity", "light cannot be: use numbers from 0")
    if not source.has("color"):
        return strength
    red, green, blue = (strength * value for value in colour)
    return red, green, blue
