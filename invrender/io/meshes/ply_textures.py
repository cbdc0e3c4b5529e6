"""The textures of a .ply file: `comment TextureFile`, and coordinates at vertices or at the corners of faces."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.ply_data import Table
from invrender.io.meshes.ply_header import AGAIN, Header
from invrender.io.meshes.polygons import Triangles
from invrender.io.meshes.references import find_file
from invrender.io.meshes.text import Integers
from invrender.io.meshes.texture import TextureReader, texture_reader
from invrender.nouns import Material

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_UV = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"), ("tx", "ty"))


class Wedges(NamedTuple):
    """Texture coordinates [F,3,2] at the corners of triangles, and the number [F] of the texture of each."""

    uv: Floats
    texture: Integers


def textures(path: Path, header: Header) -> list[Material | None]:
    """The materials that the comments name, in their order; None for a picture that is missing or damaged, as is said.

    Raises:
        InputError: a picture is too large.
    """
    names = [text.partition(" ")[2].strip() for text in header.comments if text.lower().startswith("texturefile ")]
    found = [find_file(name, [path.parent]) for name in names]
    read = texture_reader(filter(None, found))
    return [_material(path, name, file, read) for name, file in zip(names, found, strict=True)]


def tell_unshown(path: Path, pictures: list[Material | None], uv: bool, wedges: Wedges | None) -> None:
    """Say which textures nothing shows: there are no coordinates, or faces name textures that the file does not."""
    if any(pictures) and not uv and wedges is None:
        log.warning("%s names a picture, but has no texture coordinates: shown in plain grey.", shown(path.name))
    if wedges is not None and pictures and (wedges.texture >= len(pictures)).any():
        number = int(wedges.texture.max())
        log.warning(
            "%s has faces of texture %d, but names %d: shown in plain grey.", shown(path.name), number, len(pictures)
        )


def _material(path: Path, name: str, found: Path | None, read: TextureReader) -> Material | None:
    texture = None if found is None else read(found)
    if texture is None:
        trouble = "missing" if found is None else "damaged or of an unknown kind (PNG and JPEG are safe)"
        log.warning(
            "%s names the picture %s, which is %s: shown in plain grey.", shown(path.name), shown(name), trouble
        )
        return None
    return Material((1.0, 1.0, 1.0), texture, Path(name.replace("\\", "/")).stem or "default")


def vertex_uv(vertex: Table) -> Floats | None:
    """[V,2] texture coordinates of the vertices, or None."""
    names = next((names for names in _UV if all(n in vertex and vertex[n].sizes is None for n in names)), None)
    return None if names is None else np.stack([doubles(vertex[name].values) for name in names], axis=1)


def find_wedges(path: Path, face: Table, corners: Integers, triangles: Triangles | None) -> Wedges | None:
    """The texture coordinates at the corners of faces, or None where they have none.

    Args:
        path: for messages.
        face: the columns of the faces.
        corners: [P] how many corners each face has.
        triangles: how the faces are cut.

    Raises:
        InputError: a face has coordinates for another number of corners than it has.
    """
    column = face.get("texcoord")
    if triangles is None or column is None or column.sizes is None or not len(column.values):
        return None
    given = column.sizes > 0
    if (column.sizes != 2 * corners)[given].any():
        raise InputError(f"{path} has faces with texture coordinates for another number of corners", AGAIN)
    pairs = np.zeros((int(corners.sum()), 2))  # (0, 0) where a face has none
    pairs[np.repeat(given, corners)] = column.values.reshape(-1, 2)
    number = face.get("texnumber")
    texture = np.zeros(len(corners)) if number is None or number.sizes is not None else number.values
    if not (np.abs(texture) < 2**31).all():
        raise InputError(f"{path} has faces whose texture number is none", AGAIN)
    return Wedges(pairs[triangles.corners], texture[triangles.polygon].astype(np.int64))


def cut_at_wedges(faces: Integers, uv: Floats) -> tuple[Integers, Integers, Floats]:
    """Vertices once for each of their texture coordinates: which each is a copy of [V'], faces [F,3], and uv [V',2]."""
    keys = np.concatenate([faces.reshape(-1, 1), uv.reshape(-1, 2)], axis=1)
    kept, index = np.unique(keys, axis=0, return_inverse=True)
    return kept[:, 0].astype(np.int64), index.reshape(-1, 3), kept[:, 1:]
