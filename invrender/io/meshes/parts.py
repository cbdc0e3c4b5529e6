"""What readers hand over: the parts of a file, each with its own material; and how they become one mesh.

A `Mesh` has one material. Parts that share one keep it; several flat ones become vertex colours; and where textures are
among several, all are packed into one picture (`atlas.py`). Highlights, mirroring and emission that differ become a row
for each vertex (`shading.finish`); of roughness and metallic they keep what is the same in all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.meshes.atlas import Region, pack
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import PLAIN, Colour
from invrender.shading.finish import of_material

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
_WHITE: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Part:
    """One body of a mesh file, placed in the world.

    Attributes:
        vertices: [V,3] float64.
        faces: [F,3] int64, counter-clockwise seen from outside.
        uv: [V,2] float64, or None; row 0 of a texture is at v = 1, and textures repeat.
        colours: [V,3] float64 linear RGB in [0, 1], or None.
        material: None where the file gives none. Parts that share one should hold the same object.
    """

    vertices: Array
    faces: NDArray[np.int64]
    uv: Array | None = None
    colours: Array | None = None
    material: Material | None = None

    @property
    def used(self) -> NDArray[np.bool_]:
        """[V] whether a face uses each vertex."""
        used = np.zeros(len(self.vertices), bool)
        used[self.faces] = True
        return used

    @property
    def textured(self) -> bool:
        """Whether a texture is seen on it."""
        return self.uv is not None and self.material is not None and self.material.texture is not None

    @property
    def base(self) -> Colour:
        """What its texture and vertex colours are multiplied by; colours stand alone where there is no material."""
        if self.material is not None:
            return self.material.rgb
        return PLAIN if self.colours is None else _WHITE


def join(parts: Sequence[Part]) -> Mesh:
    """One mesh of all parts, in their order; vertices and faces keep theirs.

    Only where a texture of several repeats many times over a part, vertices are doubled (at their positions) so that
    its faces fit into the common picture.

    Args:
        parts: at least one; texture coordinates are finite.
    """
    colours = _colours(parts)
    if not any(part.textured for part in parts):
        return _flat(parts, colours)
    if _alike(parts):
        return _mesh(parts, [part.uv for part in parts], colours, parts[0].material)
    return _atlas(parts)


def _alike(parts: Sequence[Part]) -> bool:
    """Whether all parts show the same texture under the same albedo, or the same albedo without one, equally glossy."""
    looks = {(part.textured, part.textured and id(_texture(part)), part.base, *_gloss(part)) for part in parts}
    return len(looks) == 1


def _look(part: Part) -> Material:
    return part.material or Material()


def _gloss(part: Part) -> tuple[object, ...]:
    """What makes two materials equally glossy: all of it but the colours."""
    return (*_roughness(_look(part)), *_shine(_look(part)))


def _roughness(look: Material) -> tuple[object, ...]:
    return look.roughness, look.metallic, id(look.gloss)


def _shine(look: Material) -> tuple[object, ...]:
    return look.specular, look.shininess, look.mirror, look.emission, look.unlit


def _joined(parts: Sequence[Part], texture: torch.Tensor | None, name: str) -> Material:
    """The white material of several parts, as rough as all of them; where they differ, not at all, which is said.

    Highlights and the like are those of all of them, or none (and `_rows` has them).
    """
    plain, looks = Material(_WHITE, texture, name), [_look(part) for part in parts]
    if len({_shine(look) for look in looks}) == 1:
        one = looks[0]
        plain = replace(
            plain,
            specular=one.specular,
            shininess=one.shininess,
            mirror=one.mirror,
            emission=one.emission,
            unlit=one.unlit,
        )
    lit = [look for look in looks if not look.unlit]
    if not any(look.glossy for look in lit):
        return plain
    if len({_roughness(look) for look in lit}) == 1 and lit[0].gloss is None:
        return replace(plain, roughness=lit[0].roughness, metallic=lit[0].metallic)
    log.warning("The materials differ in gloss: all are shown without any roughness or metallic.")
    return plain


def _rows(parts: Sequence[Part], looks: Sequence[Material]) -> torch.Tensor | None:
    """[V,11] how each vertex shines, of the materials that parts had; None where all shine alike."""
    if len({_shine(look) for look in looks}) == 1:
        return None
    like = torch.zeros(1, dtype=torch.float64)
    rows = [of_material(look, like).rows() for look in looks]
    return torch.cat([row.expand(len(part.vertices), -1) for row, part in zip(rows, parts, strict=True)])


def _texture(part: Part) -> torch.Tensor | None:
    return part.material.texture if part.textured and part.material is not None else None


def _flat(parts: Sequence[Part], colours: list[Array] | None) -> Mesh:
    """Without textures: the one material that all share, or each part's albedo as vertex colours."""
    uv = [part.uv for part in parts]
    if _alike(parts) and len({part.material is None for part in parts}) == 1:
        return _mesh(parts, uv, colours, parts[0].material)
    baked = [np.tile(np.asarray(part.base, np.float64), (len(part.vertices), 1)) for part in parts]
    if colours is not None:
        baked = [base * own for base, own in zip(baked, colours, strict=True)]
    joined = _mesh(parts, uv, baked, _joined(parts, None, "baked"))
    return replace(joined, finish=_rows(parts, [_look(part) for part in parts]))


def _colours(parts: Sequence[Part]) -> list[Array] | None:
    """The vertex colours of each part, white where it has none, or None where no part has any."""
    if all(part.colours is None for part in parts):
        return None
    return [np.ones((len(part.vertices), 3)) if part.colours is None else part.colours for part in parts]


def _atlas(parts: Sequence[Part]) -> Mesh:
    regions = [
        Region(part.faces, len(part.vertices), part.uv if part.textured else None, _texture(part), part.base)
        for part in parts
    ]
    picture, placed = pack(regions)
    moved = [
        Part(part.vertices[each.source], each.faces, None, None if part.colours is None else part.colours[each.source])
        for part, each in zip(parts, placed, strict=True)
    ]
    material = _joined(parts, torch.from_numpy(picture), "atlas")
    joined = _mesh(moved, [each.uv for each in placed], _colours(moved), material)
    return replace(joined, finish=_rows(moved, [_look(part) for part in parts]))


def _mesh(
    parts: Sequence[Part], uv: Sequence[Array | None], colours: Sequence[Array] | None, material: Material | None
) -> Mesh:
    """The parts one after the other; texture coordinates only where all have them."""
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)])
    every = [each for each in uv if each is not None]
    return Mesh(
        torch.from_numpy(np.concatenate([part.vertices for part in parts])),
        torch.from_numpy(np.ascontiguousarray(faces)),
        torch.from_numpy(np.concatenate(every)) if len(every) == len(parts) else None,
        None if colours is None else torch.from_numpy(np.concatenate(colours)),
        material or Material(),
    )
