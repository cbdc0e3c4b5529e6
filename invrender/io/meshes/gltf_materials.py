"""Materials of glTF 2.0: base colour, its texture and where that lies, and gloss (`gltf_gloss`).

Emission is shown where a material is black otherwise. Source: specification, section 3.9; KHR_texture_transform;
KHR_materials_pbrSpecularGlossiness (its diffuse part); KHR_materials_emissive_strength.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.files.paths import shown
from invrender.io.meshes.gltf_file import Document
from invrender.io.meshes.gltf_glass import clear_of
from invrender.io.meshes.gltf_gloss import gloss_info, gloss_of, with_gloss
from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.gltf_opacity import Opacity, read_opacity
from invrender.io.meshes.gltf_pictures import Picture, Pictures
from invrender.io.meshes.gltf_wrap import NEAREST, REPEAT, Axis, axis, continued, unblended
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, Colour

log = logging.getLogger(__name__)

_BRIGHTEST = 1e6  # of emission: what float32 can compute with

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """A material, and how its texture lies on a primitive.

    Attributes:
        material: as for repeating textures.
        number: of the set of texture coordinates.
        transform: [2,3] from stored to used coordinates, v down.
        wrap: the modes of u and v.
        opacity: what is seen of it.
    """

    material: Material
    opacity: Opacity
    number: int = 0
    transform: Array = field(default_factory=lambda: np.eye(2, 3))
    wrap: tuple[int, int] = (REPEAT, REPEAT)

    def used(self, stored: Array) -> Array:
        """Texture coordinates [V,2] in the picture, v down, from those stored."""
        with np.errstate(over="ignore", invalid="ignore"):
            result: Array = stored @ self.transform[:, :2].T + self.transform[:, 2]
        return result


class Surfaces:
    """The materials of a document, each made once, so that parts share them."""

    def __init__(self, document: Document, clear: bool) -> None:
        self._document = document
        self._clear = clear
        self._pictures = Pictures(document)
        self._surfaces: dict[int, Surface] = {}
        self._unblended: dict[int, torch.Tensor] = {}
        self._continued: dict[tuple[int, Axis, Axis], Material] = {}

    def of(self, primitive: Item) -> Surface | None:
        """The surface of a primitive, or None where it names no material."""
        if not primitive.has("material"):
            return None
        materials = self._document.all("materials")
        number = primitive.index("material", len(materials), "materials")
        if number not in self._surfaces:
            self._surfaces[number] = self._read(materials[number])
        return self._surfaces[number]

    def placed(self, surface: Surface, used: Array) -> tuple[Array, Material]:
        """Texture coordinates [V,2] of a `Mesh` (v up) from those in the picture, and the material they are for."""
        material = surface.material
        if material.texture is not None and np.isfinite(used).all():
            height, width = material.texture.shape[:2]
            u, columns = axis(used[:, 0], width, surface.wrap[0])
            v, rows = axis(used[:, 1], height, surface.wrap[1])
            used = np.stack([u, v], axis=1)
            if columns[0] != REPEAT or rows[0] != REPEAT:
                key = (id(material), rows, columns)
                if key not in self._continued:
                    texture = continued(material.texture, rows, columns)
                    gloss = None if material.gloss is None else continued(material.gloss, rows, columns)
                    self._continued[key] = replace(material, texture=texture, gloss=gloss)
                material = self._continued[key]
        return np.stack([used[:, 0], 1 - used[:, 1]], axis=1), material

    def _read(self, source: Item) -> Surface:
        name = shown(source.text("name") or "default")
        factor, info, emits = (*_base(source), False) if self._clear else self._seen(source, name)
        if max(factor[:3]) > 1.001:
            log.warning("%s: material '%s': its colour is above 1, and cut off there", source.path.name, name)
        red, green, blue = (min(max(value, 0.0), 1.0) for value in factor[:3])
        plain = Material((red, green, blue), None, name)
        plain = plain if emits else with_gloss(replace(plain, emission=self._light(source, name)), source)
        if self._clear:
            plain, factor = clear_of(plain, source, factor)
        glossy = gloss_info(plain, source)
        lies = info if info is not None else glossy
        texture = self._texture(info)
        picture = None if texture is None else self._pictures.of(texture)
        if lies is None or (picture is None and glossy is None):
            return Surface(plain, read_opacity(source, name, factor[3], None, (REPEAT, REPEAT)))
        number, transform = _transform(lies)
        wrap = self._wrap(self._texture(lies))
        opacity = read_opacity(source, name, factor[3], None if picture is None else picture.alpha, wrap)
        if texture is not None and picture is not None:
            plain = replace(plain, texture=self._sampled(texture, picture))
        return Surface(self._glossy(plain, glossy, lies), opacity, number, transform, wrap)

    def _glossy(self, material: Material, info: Item | None, lies: Item) -> Material:
        """The material with its gloss texture, at the size of its colours; its mean, where it lies differently."""
        texture = self._texture(info)
        picture = None if texture is None else self._pictures.of(texture)
        if info is None or picture is None:
            return material
        placed = [_transform(each) for each in (info, lies)]
        alike = placed[0][0] == placed[1][0] and np.array_equal(placed[0][1], placed[1][1])
        if not alike or self._wrap(texture) != self._wrap(self._texture(lies)):
            log.warning(
                "%s: material '%s': its gloss has other texture coordinates than its colour: the mean is shown",
                info.path.name, material.name,
            )  # fmt: skip
            mean = gloss_of(picture.texture, (1, 1))
            if material.texture is None:
                return replace(material, texture=torch.ones(1, 1, 3), gloss=mean)
            return replace(material, gloss=mean)
        size = picture.texture.shape[:2] if material.texture is None else material.texture.shape[:2]
        height, width = size
        own = torch.ones(height, width, 3) if material.texture is None else material.texture
        return replace(material, texture=own, gloss=gloss_of(picture.texture, (height, width)))

    def _sampled(self, texture: Item, picture: Picture) -> torch.Tensor:
        """The picture, or one that looks like it with NEAREST, the magnification of pixel art and palettes."""
        if not texture.has("sampler"):
            return picture.texture
        sampler = self._document.referred(texture, "sampler", "samplers")
        if sampler.integer("magFilter", 0) != NEAREST:
            return picture.texture
        key = id(picture.texture)
        if key not in self._unblended:
            self._unblended[key] = unblended(picture.texture)
        return self._unblended[key]

    def _seen(self, source: Item, name: str) -> tuple[list[float], Item | None, bool]:
        """The base colour; or, where that is black, the light that the material sends out, and True."""
        factor, info = _base(source)
        light, lamp = _emission(source)
        if not self._bright(light, lamp):
            return factor, info, False
        if self._bright(factor[:3], info):
            if lamp is not None:
                log.warning("%s: material '%s': the light that it sends out is not shown", source.path.name, name)
            return factor, info, False
        log.warning("%s: material '%s' is black: the light that it sends out is its colour", source.path.name, name)
        return [*light, 1.0], lamp, True

    def _light(self, source: Item, name: str) -> Colour:
        """What the surface sends out, where it is the same all over; of a lamp in a scene its mean, which is said."""
        light, lamp = _emission(source)
        if lamp is None or not self._clear or max(light) <= 0:
            return _limited(light) if lamp is None else BLACK
        texture = self._texture(lamp)
        picture = None if texture is None else self._pictures.of(texture)
        if picture is None:
            return BLACK
        log.warning("%s: material '%s': of the picture of its light the mean is shown", source.path.name, name)
        return _limited([a * b for a, b in zip(light, picture.texture.mean((0, 1)).tolist(), strict=True)])

    def _bright(self, factor: list[float], info: Item | None) -> bool:
        """Whether a factor times a texture is more than black somewhere."""
        if max(factor) <= 0:
            return False
        texture = self._texture(info)
        picture = None if texture is None else self._pictures.of(texture)
        return picture is None or bool((picture.texture > 0).any())

    def _texture(self, info: Item | None) -> Item | None:
        textures = self._document.all("textures")
        return None if info is None else textures[info.index("index", len(textures), "textures")]

    def _wrap(self, texture: Item | None) -> tuple[int, int]:
        if texture is None or not texture.has("sampler"):
            return REPEAT, REPEAT
        sampler = self._document.referred(texture, "sampler", "samplers")
        return sampler.integer("wrapS", REPEAT), sampler.integer("wrapT", REPEAT)


def _base(source: Item) -> tuple[list[float], Item | None]:
    """The factor, linear RGBA, and the textureInfo of the base colour, or of the older extension's diffuse colour."""
    white = [1.0, 1.0, 1.0, 1.0]
    base = source.item("pbrMetallicRoughness")
    older = source.extension("KHR_materials_pbrSpecularGlossiness")
    stated = base is not None and (base.has("baseColorFactor") or base.has("baseColorTexture"))
    poorer = base is not None and older is not None and older.has("diffuseTexture") and not base.has("baseColorTexture")
    if older is not None and (poorer or not stated):
        return older.numbers("diffuseFactor", white), older.item("diffuseTexture")
    return (white, None) if base is None else (base.numbers("baseColorFactor", white), base.item("baseColorTexture"))


def _emission(source: Item) -> tuple[list[float], Item | None]:
    """The factor, linear RGB, and the textureInfo of the emission (section 3.9.3; KHR_materials_emissive_strength)."""
    extension = source.extension("KHR_materials_emissive_strength")
    strength = 1.0 if extension is None else extension.number("emissiveStrength", 1.0)
    factor = source.numbers("emissiveFactor", [0.0, 0.0, 0.0])
    return [strength * value for value in factor], source.item("emissiveTexture")


def _limited(light: list[float]) -> Colour:
    red, green, blue = (min(max(value, 0.0), _BRIGHTEST) for value in light)
    return red, green, blue


def _transform(info: Item) -> tuple[int, Array]:
    """The set of texture coordinates, and [2,3] of KHR_texture_transform.

    The extension's text and its sample models turn the coordinates counter-clockwise as seen in the picture (v down);
    its GLSL turns them the other way, which is a known mistake (KhronosGroup/glTF, issue 1563).
    """
    number = info.integer("texCoord", 0)
    extension = info.extension("KHR_texture_transform")
    if extension is None:
        return number, np.eye(2, 3)
    angle = math.remainder(extension.number("rotation", 0.0), math.tau)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    linear = turn * np.array(extension.numbers("scale", [1.0, 1.0]))
    offset = np.array(extension.numbers("offset", [0.0, 0.0]))
    return extension.integer("texCoord", number), np.concatenate([linear, offset[:, None]], axis=1)
