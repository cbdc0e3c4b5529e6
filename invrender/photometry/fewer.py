"""A mesh with fewer triangles that looks the same: colours are carried over, and textures are made anew.

Texture coordinates do not survive a decimation: charts have borders that the new triangles cross. So the new surface is
cut into charts of its own, and each texel takes the colour of the closest point of the old surface.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.geometry.attributes import barycentric, transferred
from invrender.geometry.closest import Surface
from invrender.geometry.connectivity import merge_vertices
from invrender.geometry.decimate import decimated
from invrender.geometry.vectors import Floats, Ints, norm, vertex_normals
from invrender.kernels import Backend
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import WHITE
from invrender.photometry.atlas import LARGEST, spread, texels, unwrap
from invrender.shading.texture import albedo

MERGE = 1e-9  # of the extent: corners this close are one
AT_ONCE = 1 << 20  # texels
SMALLEST = 256  # texels a side of a texture that is made anew


@dataclass(frozen=True)
class Fewer:
    """A mesh with fewer triangles.

    Attributes:
        mesh: the result.
        reached: whether it has as few as were asked for; else fewer would not have been sound.
        notes: what did not come along, for people.
    """

    mesh: Mesh
    reached: bool
    notes: tuple[str, ...] = ()


def fewer_faces(mesh: Mesh, target: int, backend: Backend) -> Fewer:
    """Reduce a mesh to `target` triangles, or to as few as leave it sound; see `geometry.decimate`.

    Args:
        mesh: any; corners at one place are joined first.
        target: how many triangles.
        backend: draws the texels of a texture.
    """
    if len(mesh.faces) <= target:
        return Fewer(mesh, True)
    v, f = mesh.numpy()
    joined, corners = merge_vertices(v, f, MERGE * float(np.ptp(v, axis=0).max()))
    found = decimated(joined, corners, target)
    notes = [f"{found.crumbs} parts of less than a thousandth of the surface left out"] if found.crumbs else []
    if mesh.material.gloss is not None and mesh.uv is not None:
        notes.append("the texture of roughness and metallic does not come along: both are as their factors say")
    plain = Mesh.from_numpy(found.vertices, found.faces)
    textured = mesh.uv is not None and mesh.material.texture is not None
    look = replace(mesh.material, gloss=None)
    if textured:
        return Fewer(_painted(mesh, look, found.vertices, found.faces, backend), found.reached, tuple(notes))
    rows = [part for part in (mesh.colours, mesh.finish) if part is not None]
    if not rows:
        return Fewer(Mesh(plain.vertices, plain.faces, material=look), found.reached, tuple(notes))
    values = torch.cat([part.detach().cpu().double() for part in rows], 1).numpy()
    moved = torch.from_numpy(transferred(values, v, f, found.vertices, found.faces)).float()
    colours = None if mesh.colours is None else moved[:, :3].clamp(0, 1)
    finish = None if mesh.finish is None else moved[:, -mesh.finish.shape[1] :].to(mesh.finish)
    return Fewer(
        Mesh(plain.vertices, plain.faces, colours=colours, material=look, finish=finish), found.reached, tuple(notes)
    )


def _painted(mesh: Mesh, look: Material, vertices: Floats, faces: Ints, backend: Backend) -> Mesh:
    """New triangles with charts of their own and the old colours on them."""
    texture = mesh.material.texture
    assert texture is not None
    size = int(np.clip(2 ** np.ceil(np.log2(max(texture.shape[:2]))), SMALLEST, LARGEST))
    atlas = unwrap(vertices, faces, size)
    attributes = np.concatenate([vertices, vertex_normals(vertices, faces)], 1)
    inside, values = texels(atlas, torch.from_numpy(attributes), size, backend)
    picture = torch.zeros(size, size, 3)
    picture[inside] = _colours_at(mesh, values[:, :3].numpy(), values[:, 3:].numpy())
    white = replace(look, albedo=WHITE, texture=spread(picture, inside))
    source = atlas.source.numpy()
    return Mesh(torch.from_numpy(vertices[source]), atlas.faces, atlas.uv, material=white)


def _colours_at(mesh: Mesh, points: Floats, normals: Floats) -> torch.Tensor:
    """[T,3] linear colours of the closest points of a textured mesh, on the side that the normals [T,3] face."""
    v, f = mesh.numpy()
    lengths = norm(v[f] - v[f[:, [1, 2, 0]]])
    surface = Surface(v, f, normal_weight=float(np.median(lengths)))
    found = []
    for start in range(0, len(points), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        unit = normals[part] / np.maximum(norm(normals[part])[:, None], 1e-300)
        feet, _, face = surface.closest(points[part], unit)
        weights = torch.from_numpy(barycentric(feet, v[f[face]]))[..., None]
        corners = torch.from_numpy(f[face])
        assert mesh.uv is not None
        uv = (mesh.uv.double()[corners] * weights).sum(1)
        colours = None if mesh.colours is None else (mesh.colours.double()[corners] * weights).sum(1)
        found.append(albedo(mesh.material, uv, colours).float())
    return torch.cat(found)
