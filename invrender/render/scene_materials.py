"""The materials of a scene as rows of numbers, and their textures in one list of texels; see `kernels.radiance`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from invrender.kernels import radiance as seam
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import BLACK, WHITE
from invrender.render.derivatives import is_dual
from invrender.render.number_table import Table

Tensor = torch.Tensor


@dataclass(frozen=True)
class Textures:
    """Pictures on surfaces, one after another.

    Attributes:
        pictures: [h,w,3] or [h,w,2], each once.
        texels: [T,3] of all of them; a gloss texture's third column is 0.
        table: [K,3] int64: first row of `texels`, height, width.
    """

    pictures: tuple[Tensor, ...]
    texels: Tensor
    table: Tensor

    def current(self, meshes: Sequence[Mesh]) -> Textures:
        """The same for the materials that the meshes have now; packed anew where a picture is another tensor."""
        pictures = _pictures(meshes)
        alike = len(pictures) == len(self.pictures)
        if alike and all(a is b and _constant(a) for a, b in zip(pictures, self.pictures, strict=True)):
            return self
        return _packed(pictures, self.texels)

    def row(self, picture: Tensor | None) -> int:
        """Of a picture; -1 for none."""
        if picture is None:
            return -1
        return next(k for k, other in enumerate(self.pictures) if other is picture)


def pack_textures(meshes: Sequence[Mesh], device: torch.device, dtype: torch.dtype) -> Textures:
    """The textures of the materials of meshes that have texture coordinates."""
    return _packed(_pictures(meshes), torch.zeros(0, 3, dtype=dtype, device=device))


def material_rows(meshes: Sequence[Mesh], like: Tensor) -> Tensor:
    """[M,20] of the materials of M meshes, with the dtype and device of a tensor; differentiable in their numbers."""
    table = Table(len(meshes), seam.MATERIAL_COLUMNS)
    for row, mesh in enumerate(meshes):
        material = mesh.material
        table.put(row, seam.KD, WHITE if _bare(mesh) else material.albedo, 3)
        table.put(row, seam.KS, material.specular if _highlighted(material) else BLACK, 3)
        table.put(row, seam.NS, material.shininess)
        table.put(row, seam.MIRROR, material.mirror if material.mirrors else BLACK, 3)
        table.put(row, seam.EMISSION, material.emission, 3)
        table.put(row, seam.TRANSMISSION, material.transmission, 3)
        table.put(row, seam.IOR, material.ior)
        table.put(row, seam.ROUGHNESS, 1.0 if material.roughness is None else material.roughness)
        table.put(row, seam.METALLIC, material.metallic)
        table.put(row, seam.OPACITY, material.opacity)
    return table.tensor(like)


def material_kinds(meshes: Sequence[Mesh], textures: Textures, device: torch.device) -> Tensor:
    """[M,3] int64: kind, texture, gloss texture."""
    rows = []
    for mesh in meshes:
        texture, gloss = _pair(mesh)
        rows.append([_kind(mesh.material), textures.row(texture), textures.row(gloss)])
    return torch.tensor(rows, dtype=torch.int64, device=device).reshape(-1, 3)


def same_material(mesh: Mesh, other: Mesh) -> bool:
    """Whether two meshes have one material: of one name, with the same numbers, and used in the same way."""
    one, two = mesh.material, other.material
    if _bare(mesh) != _bare(other) or (_textured(one) and (mesh.uv is None) != (other.uv is None)):
        return False
    return one is two or all(_same(getattr(one, part.name), getattr(two, part.name)) for part in fields(Material))


def _same(one: object, two: object) -> bool:
    if not (isinstance(one, Tensor) or isinstance(two, Tensor)):
        return one == two
    if one is two:
        return True
    alike = isinstance(one, Tensor) and isinstance(two, Tensor) and _constant(one) and _constant(two)
    return alike and one.shape == two.shape and bool((one == two.to(one)).all())  # type: ignore[attr-defined]


def _constant(values: Tensor) -> bool:
    """Whether no derivative is asked for with a tensor, of either mode."""
    return not (values.requires_grad or is_dual(values))


def _bare(mesh: Mesh) -> bool:
    """Whether the vertex colours stand alone: the file names no material; see `shading.texture.albedo`."""
    return mesh.colours is not None and mesh.material.is_default


def _textured(material: Material) -> bool:
    return material.texture is not None or material.gloss is not None


def _highlighted(material: Material) -> bool:
    """Whether there is a highlight; a shininess of 0 means none (`shading.blinn_phong`)."""
    return material.highlighted and (isinstance(material.shininess, Tensor) or material.shininess > 0)


def _kind(material: Material) -> int:
    if material.unlit:
        return seam.UNLIT
    if material.refracts:
        return seam.DIELECTRIC
    return seam.GLOSSY if material.glossy else seam.CLASSIC


def _pair(mesh: Mesh) -> tuple[Tensor | None, Tensor | None]:
    """Texture and gloss of a mesh, where it has coordinates for them."""
    material = mesh.material
    return (None, None) if mesh.uv is None else (material.texture, material.gloss)


def _pictures(meshes: Sequence[Mesh]) -> tuple[Tensor, ...]:
    """The textures in use, each tensor once."""
    found: dict[int, Tensor] = {}
    for mesh in meshes:
        for picture in _pair(mesh):
            if picture is not None:
                found.setdefault(id(picture), picture)
    return tuple(found.values())


def _packed(pictures: tuple[Tensor, ...], like: Tensor) -> Textures:
    rows, start = [], 0
    for picture in pictures:
        height, width = picture.shape[:2]
        rows.append([start, height, width])
        start += height * width
    table = torch.tensor(rows, dtype=torch.int64, device=like.device).reshape(-1, 3)
    texels = [_texels(picture).to(like) for picture in pictures]
    return Textures(pictures, torch.cat(texels) if texels else like.new_zeros(0, 3), table)


def _texels(picture: Tensor) -> Tensor:
    """[h w, 3]."""
    return torch.nn.functional.pad(picture.reshape(-1, picture.shape[2]), (0, 3 - picture.shape[2]))
