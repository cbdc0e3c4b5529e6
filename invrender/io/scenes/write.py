"""Writing scenes as scene.toml, so that reading it gives the same scene again.

What a scene was read from stays referred to: mesh files and pictures, by paths relative to the new file. Meshes and
pictures that are in no file are written beside it: meshes as .obj with all digits (vertex colours have four), pictures
as .png where 8 bits hold them, else as .exr (gloss as .npy), and the grids of a medium as .npz.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_write_text
from invrender.io.lights import table_of
from invrender.io.meshes.generator import GENERATOR
from invrender.io.meshes.looks import looks_of
from invrender.io.meshes.obj_write import write_obj
from invrender.io.scenes.pictures import Pictures, same_picture
from invrender.io.scenes.read import SCENE_EXTENSION, is_scene_path, read_described
from invrender.io.scenes.scene_toml import Described
from invrender.io.scenes.toml_file import read_toml, toml_text
from invrender.io.scenes.write_medium import medium_table, same_medium
from invrender.io.scenes.write_tables import camera_table, floats, light_table, material_table, plain
from invrender.nouns import Environment, Lights, Material, Mesh, Scene
from invrender.nouns.medium import Medium

_FILES = ("file", "texture", "gloss", "picture", "albedo", "g", "emission", "inside")  # keys that may name one
_SPELLINGS = {"color": "colour", "centre": "center"}


def write_scene(path: str | Path, scene: Scene, source: str | Path | None = None) -> list[Path]:
    """Write a scene.

    Args:
        path: of the new file, ending in .toml.
        scene: what to write; gradients are left behind.
        source: the file that the scene was read from, which may be a mesh file; None: it was made in Python. Where its
            meshes are others than those of that file they are written anew.

    Returns:
        The files written, the scene first.

    Raises:
        UsageError: the extension is another one, or the place cannot be written to.
        InputError: the source is missing or damaged.
    """
    target = Path(path)
    if not is_scene_path(target):
        raise UsageError(f"a scene cannot be written as '{target.name}'", f"name a {SCENE_EXTENSION} file")
    pictures = Pictures(target, source is not None)
    known = None if source is None else read_described(source)
    kept = known if known is not None and _same_things(scene, known) else None
    written: list[Path] = []
    meshes = list(scene.meshes) if kept is not None else _split(scene.meshes)
    things = _referred(kept, scene, target) if kept is not None else _written_meshes(target, meshes, written)
    blocks = [f"# {GENERATOR}\n", toml_text(_top(scene, known, pictures))]
    blocks += [f"[[camera]]\n{toml_text(camera_table(camera))}" for camera in scene.cameras]
    if not isinstance(scene.lights, Lights):
        blocks += [f"[[light]]\n{toml_text(light_table(light))}" for light in scene.lights]
    blocks += [f"[[{kind}]]\n{toml_text(table)}" for kind, table in things]
    blocks += [f"[medium]\n{toml_text(_medium(medium, known, target, written))}" for medium in scene.media]
    blocks += _material_blocks(meshes, known, kept, pictures)
    atomic_write_text(target, "\n".join(filter(None, blocks)))
    return [target, *written, *pictures.written]


def _same_things(scene: Scene, known: Described) -> bool:
    """Whether the meshes are those of the file, each of one material still."""
    ours, theirs = scene.meshes, known.scene.meshes
    if len(ours) != len(theirs) or any(mesh.finish is not None for mesh in ours):
        return False
    return all(_same_mesh(one, other) for one, other in zip(ours, theirs, strict=True))


def _same_mesh(one: Mesh, other: Mesh) -> bool:
    pairs = ((one.vertices, other.vertices), (one.faces, other.faces), (one.uv, other.uv), (one.colours, other.colours))
    return one.material.name == other.material.name and all(same_picture(first, second) for first, second in pairs)


def _referred(known: Described, scene: Scene, target: Path) -> list[tuple[str, dict[str, Any]]]:
    """The tables of the things in the source, their files named from the new place."""
    if not is_scene_path(known.path):
        return [("mesh", {"file": relative(known.path, target)})]
    raw = read_toml(known.path, "scene")
    things = []
    for kind in dict.fromkeys(thing.kind for thing in known.things):
        tables = raw[kind] if isinstance(raw[kind], list) else [raw[kind]]
        things += [(kind, moved(table, known.path, target)) for table in tables]
    return things


def moved(table: dict[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """A table whose files are named from the new place."""
    found = {}
    for key, value in table.items():
        named = key in _FILES and isinstance(value, str)
        found[_SPELLINGS.get(key, key)] = relative(source.parent / value.replace("\\", "/"), target) if named else value
    return found


def relative(file: Path, target: Path) -> str:
    """How the file `target` names another one."""
    try:
        return Path(os.path.relpath(file.resolve(), target.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return str(file.resolve())


def _split(meshes: Sequence[Mesh]) -> list[Mesh]:
    """The meshes, those whose vertices shine differently as one for each look."""
    result = []
    for mesh in meshes:
        if mesh.finish is None:
            result.append(mesh)
            continue
        looks = looks_of(mesh)
        for number, look in enumerate(looks.materials):
            faces = mesh.faces[torch.from_numpy(np.flatnonzero(looks.of_face == number))]
            result.append(replace(mesh, faces=faces, material=look, finish=None))
    return result


def _written_meshes(target: Path, meshes: Sequence[Mesh], written: list[Path]) -> list[tuple[str, dict[str, Any]]]:
    """Write meshes beside the new file; their materials stand in it."""
    things = []
    for number, mesh in enumerate(meshes, 1):
        file = target.with_name(f"{target.stem}-{number}.obj")
        write_obj(file, replace(mesh, material=Material()))
        written.append(file)
        named = {} if mesh.material.is_default else {"material": mesh.material.name}
        things.append(("mesh", {"file": file.name, **named}))
    return things


def _top(scene: Scene, known: Described | None, pictures: Pictures) -> dict[str, Any]:
    """The background, the environment, and plain lights."""
    table: dict[str, Any] = {}
    if scene.background is not None:
        table["background"] = floats(scene.background)
    elif scene.environment is not None:
        table["background"] = "environment"
    if scene.environment is not None:
        table["environment"] = _environment(scene.environment, known, pictures)
    lights = scene.lights
    dark = scene.environment is None and not any(plain(mesh.material).emits for mesh in scene.meshes)
    if isinstance(lights, Lights):
        table["lights"] = table_of(lights)
    elif not lights and dark:
        table["lights"] = {"ambient": 0.0}
    return table


def _medium(medium: Medium, known: Described | None, target: Path, written: list[Path]) -> dict[str, Any]:
    """The table of a medium: that of the source where it is the same, else of files written now."""
    before = () if known is None else known.scene.media
    if known is None or not before or not same_medium(medium, before[0]):
        return medium_table(medium, target, written)
    tables = read_toml(known.path, "scene")["medium"]
    return moved(tables[0] if isinstance(tables, list) else tables, known.path, target)


def _environment(environment: Environment, known: Described | None, pictures: Pictures) -> dict[str, Any]:
    table: dict[str, Any] = {"colour": floats(environment.colour)}
    if float(environment.rotation):
        table["rotation"] = float(environment.rotation)
    if environment.picture is None:
        return table
    before = None if known is None else known.scene.environment
    if known is not None and before is not None and same_picture(before.picture, environment.picture):
        raw = read_toml(known.path, "scene")["environment"]
        key = "sky" if "sky" in raw else "picture"
        return table | {key: moved({key: raw[key]}, known.path, pictures.target)[key]}
    return table | {"picture": pictures.write("environment", environment.picture)}


def _material_blocks(
    meshes: Sequence[Mesh], known: Described | None, kept: Described | None, pictures: Pictures
) -> list[str]:
    """The tables of materials: of those that the source states, and of those that are not what mesh files say."""
    blocks = []
    for material in {mesh.material.name: mesh.material for mesh in reversed(meshes)}.values():
        table = _material(material, known, kept, pictures)
        blocks += [toml_text({"material": {material.name: table}})] if table is not None else []
    return blocks[::-1]


def _material(
    material: Material, known: Described | None, kept: Described | None, pictures: Pictures
) -> dict[str, Any] | None:
    """The table of a material, or None where mesh files say all of it."""
    base = Material(name=material.name) if kept is None else kept.bases.get(material.name, Material(name=material.name))
    stated = {} if kept is None else kept.stated.get(material.name, {})
    table = material_table(plain(material), plain(base), frozenset(stated))
    for key, ours, theirs in (("texture", material.texture, base.texture), ("gloss", material.gloss, base.gloss)):
        if same_picture(ours, theirs):
            continue
        table[key] = False if ours is None else _picture(key, material, known, pictures)
    nothing = material.is_default if kept is None else material.name not in kept.stated
    return table if table or not nothing else None


def _picture(key: str, material: Material, known: Described | None, pictures: Pictures) -> str:
    """The name of a material's picture: that in the source where it is the same, else of one written now."""
    stated = {} if known is None else known.stated.get(material.name, {})
    ours = getattr(material, key)
    if known is not None and isinstance(stated.get(key), str):
        before = next((each.material for each in known.scene.meshes if each.material.name == material.name), None)
        if before is not None and same_picture(getattr(before, key), ours):
            return str(moved({key: stated[key]}, known.path, pictures.target)[key])
    return pictures.write(f"{material.name}-{key}" if key == "gloss" else material.name, ours)
