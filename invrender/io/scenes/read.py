"""Reading scenes: scene.toml, and every mesh file as a scene of its own.

A mesh file is a scene of its bodies, each with its own material, and of the cameras and lights in it (glTF). Where
there is no light of any kind, a light moves with the camera, as for meshes everywhere.
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from invrender.errors import InputError
from invrender.io.files.paths import check_extension, is_folder, shown
from invrender.io.meshes.read import MESH_EXTENSIONS, read_meshes
from invrender.io.scenes.gltf import Staged, read_staged
from invrender.io.scenes.names import named_apart
from invrender.io.scenes.scene_toml import Described, described, things_of
from invrender.io.scenes.things import bounds
from invrender.io.scenes.toml_file import read_toml
from invrender.nouns import Scene

log = logging.getLogger(__name__)

SCENE_EXTENSION = ".toml"
_FINEST = 5e4  # times smaller than its scene, a thing still has the shadows that it should have


def is_scene_path(path: str | Path) -> bool:
    """Whether a path is called as a scene file is; mesh files, which `read_scene` takes as well, are not."""
    return Path(path).suffix.lower() == SCENE_EXTENSION


def holds_medium(path: str | Path) -> bool:
    """Whether a scene.toml has a [medium].

    Raises:
        InputError: it is missing or no TOML.
    """
    return "medium" in read_toml(Path(path), "scene")


def read_scene(path: str | Path) -> Scene:
    """Read a scene.toml (`io.scenes.scene_toml` says what stands in it), or a mesh file as a scene.

    Raises:
        InputError: the file is missing or damaged, names what is missing, or holds what cannot be.
    """
    return read_described(path).scene


def read_described(path: str | Path) -> Described:
    """A scene, and what its file calls the things in it.

    Raises:
        InputError: as for `read_scene`.
    """
    source = Path(path)
    if is_folder(source):
        raise InputError(f"{shown(source)} is a folder, not a scene file", "name the scene.toml or mesh file in it")
    check_extension(source, (SCENE_EXTENSION, *MESH_EXTENSIONS), "scene")
    found = described(source) if is_scene_path(source) else _of_mesh_file(source)
    _tell_lost(found)
    return found


def _tell_lost(found: Described) -> None:
    """Say where a thing is so small in its scene that its shadows get lost: rays there have seven digits."""
    if not found.scene.meshes:
        return
    boxes = torch.stack([bounds(mesh) for mesh in found.scene.meshes])
    whole = float((boxes[:, 1].amax(0) - boxes[:, 0].amin(0)).max())
    widths = (boxes[:, 1] - boxes[:, 0]).amax(1)
    small = int(widths.argmin())
    if whole > _FINEST * float(widths[small]):
        log.warning(
            "%s: '%s' is %.2g times smaller than the whole scene: light and shadow on it will be wrong. Make what is "
            "wide smaller, such as a [[plane]].",
            shown(found.path), shown(found.things[small].name), whole / max(float(widths[small]), 1e-300),
        )  # fmt: skip


def _of_mesh_file(path: Path) -> Described:
    meshes = named_apart(read_meshes(path))
    staged = read_staged(path) if path.suffix.lower() in (".glb", ".gltf") else Staged((), ())
    lit = bool(staged.lights) or any(mesh.material.emits for mesh in meshes)
    scene = Scene(meshes, staged.lights if lit else None, cameras=staged.cameras)
    return Described(scene, path, things_of(path, meshes), {mesh.material.name: mesh.material for mesh in meshes}, {})
