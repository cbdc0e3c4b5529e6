"""Primitives of glTF 2.0: the triangles of a mesh, with morph targets applied. Source: specification, section 3.7."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.gltf_accessors import Rows, floats, integers, length
from invrender.io.meshes.gltf_draco import unpacked
from invrender.io.meshes.gltf_file import Document
from invrender.io.meshes.gltf_json import AGAIN, Item
from invrender.io.meshes.gltf_materials import Surfaces
from invrender.io.meshes.gltf_skins import Binding, read_binding
from invrender.io.meshes.parts import Part

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
Faces = NDArray[np.int64]

TRIANGLES, STRIP, FAN = 4, 5, 6
_OTHERS = {0: "points", 1: "lines", 2: "lines", 3: "lines"}


@dataclass(frozen=True)
class Body:
    """A primitive in the frame of its mesh.

    Attributes:
        part: its vertices and all else that is drawn.
        binding: what ties it to joints, or None.
    """

    part: Part
    binding: Binding | None


def read_primitive(
    document: Document, surfaces: Surfaces, primitive: Item, weights: list[float], shared: bool
) -> Body | str:
    """One primitive.

    Args:
        document: the file.
        surfaces: its materials.
        primitive: an element of `mesh.primitives`.
        weights: of its morph targets.
        shared: other primitives use its positions as well: keep only those that its faces use.

    Returns:
        The body, or what it holds instead of faces that show ('points', 'lines', 'transparent surfaces', 'no surface').

    Raises:
        InputError: it is damaged, or compressed without a decoder here.
    """
    mode = primitive.integer("mode", TRIANGLES)
    if mode in _OTHERS:
        return _OTHERS[mode]
    if mode not in (TRIANGLES, STRIP, FAN):
        raise primitive.wrong(f"has the unknown mode {mode}")
    primitive = unpacked(document, primitive)
    mode = primitive.integer("mode", TRIANGLES)
    attributes = primitive.item("attributes")
    if attributes is None or not attributes.has("POSITION"):
        return "no surface"
    count = length(document, attributes, "POSITION")
    faces = _faces(document, primitive, mode, count)
    if not len(faces):
        return "no surface"
    rows = Rows(count)
    if shared:
        used, faces = np.unique(faces, return_inverse=True)
        rows, faces = Rows(count, used), faces.reshape(-1, 3)
    return _body(document, surfaces, primitive, attributes, _Morph(document, primitive, weights, rows), faces)


def _body(
    document: Document, surfaces: Surfaces, primitive: Item, attributes: Item, morph: _Morph, faces: Faces
) -> Body | str:
    vertices = morph.values(attributes, "POSITION", (3,))
    surface = surfaces.of(primitive)
    name = f"TEXCOORD_{0 if surface is None else surface.number}"
    material = None if surface is None else surface.material
    uv = used = alpha = None
    if attributes.has(name):
        used = _finite(morph.values(attributes, name, (2,)), faces, attributes, name)
        used = used if surface is None else surface.used(used)
        uv = np.stack([used[:, 0], 1 - used[:, 1]], axis=1)
    elif material is not None and material.texture is not None:
        log.warning("%s: %s has a texture but no %s: it is shown without", document.path.name, primitive.where, name)
    colours = _colours(attributes, morph, faces)
    if colours is not None and colours.shape[1] == 4:
        colours, alpha = colours[:, :3], colours[:, 3]
    if surface is not None and not surface.opacity.shows(faces, used, alpha):
        return "transparent surfaces"
    if surface is not None and used is not None:
        uv, material = surfaces.placed(surface, used)
    return Body(Part(vertices, faces, uv, colours, material), read_binding(document, attributes, morph.rows))


def _colours(attributes: Item, morph: _Morph, faces: Faces) -> Array | None:
    """[V,3|4] in [0, 1], or None."""
    if not attributes.has("COLOR_0"):
        return None
    colours = _finite(morph.values(attributes, "COLOR_0", (3, 4), scale=True), faces, attributes, "COLOR_0")
    highest = colours[faces].max()
    if highest > 1.01:
        log.warning(
            "%s: %s holds COLOR_0 up to %.4g: above 1 all is cut off", attributes.path.name, attributes.where, highest
        )
    return colours.clip(0, 1)


def _finite(values: Array, faces: Faces, attributes: Item, name: str) -> Array:
    """The values, 0 where they are no numbers but no face shows that; else an error."""
    bad = np.asarray(~np.isfinite(values).all(axis=1))
    if bad[faces].any():
        raise attributes.wrong(f"hold {name} that are NaN or infinite", "repair them in the program that made them")
    return np.where(bad[:, None], 0.0, values)


@dataclass(frozen=True)
class _Morph:
    """Morph targets under their weights, and the rows of all accessors that are wanted."""

    document: Document
    primitive: Item
    weights: list[float]
    rows: Rows

    def values(self, attributes: Item, name: str, widths: tuple[int, ...], scale: bool = False) -> Array:
        """An attribute plus the weighted differences that the targets hold."""
        result = floats(self.document, attributes, name, widths, self.rows, scale)
        for target, weight in zip(self.primitive.items("targets"), self.weights, strict=False):
            if weight and target.has(name):
                difference = floats(self.document, target, name, widths, self.rows, scale)
                width = min(result.shape[1], difference.shape[1])
                with np.errstate(over="ignore", invalid="ignore"):
                    result[:, :width] += weight * difference[:, :width]
        return result


def _faces(document: Document, primitive: Item, mode: int, count: int) -> Faces:
    """[F,3] from the indices, or from the vertices in their order."""
    order = integers(document, primitive, "indices", (1,))[:, 0] if primitive.has("indices") else np.arange(count)
    faces = _triangles(order, mode)
    if mode == TRIANGLES and len(order) % 3:
        log.warning("%s: %s ends in %d corners too many", document.path.name, primitive.where, len(order) % 3)
    if len(faces) and faces.max() >= count:
        bad = int((faces >= count).any(axis=1).sum())
        raise primitive.wrong(
            f"has {bad} of {len(faces)} faces that point at vertices that do not exist (there are {count})", AGAIN
        )
    return faces


def _triangles(order: NDArray[np.int64], mode: int) -> Faces:
    """Corners of lists, strips and fans (section 3.7.2.1); the faces without area that join strips are left out."""
    if mode == TRIANGLES:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    start = np.arange(max(len(order) - 2, 0))
    odd = start % 2
    if mode == STRIP:
        faces = np.stack([order[start], order[start + 1 + odd], order[start + 2 - odd]], axis=1)
    else:
        faces = np.stack([order[start + 1], order[start + 2], np.broadcast_to(order[:1], start.shape)], axis=1)
    a, b, c = faces.T
    kept: Faces = faces[(a != b) & (b != c) & (c != a)]
    return kept
