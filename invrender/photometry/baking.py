"""Colours of a surface from photographs: one per vertex, or a texture."""

from __future__ import annotations

import torch

from invrender.colour import srgb_to_linear
from invrender.geometry.vectors import Floats, Ints, vertex_normals
from invrender.kernels import Backend
from invrender.nouns import Material, Mesh
from invrender.nouns.topology import topology
from invrender.photometry.atlas import LARGEST, spread, texels, texture_size, unwrap
from invrender.photometry.blend import blended, filled
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import depth_buffer, look_at_points

Tensor = torch.Tensor

POINTS_AT_ONCE = 1 << 22  # samples: points times photographs
FINENESS = 0.7  # of a pixel of the photographs: the width of a texel
DARKEST = 0.02  # shade below which a photograph tells nothing of an albedo
TRUSTED = 0.15  # weight (a cosine) from which on a photograph tells a colour; below, neighbours do


def point_colours(points: Tensor, normals: Tensor, photos: Photos, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Colours [P,3] sRGB-encoded of points of the surface, and which of them [P] a photograph shows well.

    Args:
        points, normals: [P,3] float64.
        photos: what is asked.
        depth: [N,H,W], the surface's depth buffers.
    """
    step = max(1, POINTS_AT_ONCE // max(len(photos), 1))
    colours, known = [], []
    for begin in range(0, len(points), step):
        samples = look_at_points(points[begin : begin + step], normals[begin : begin + step], photos, depth)
        colours.append(blended(samples))
        known.append(samples.weight.amax(0) > TRUSTED)
    return torch.cat(colours), torch.cat(known)


def vertex_colours(vertices: Floats, faces: Ints, photos: Photos, backend: Backend) -> Tensor:
    """Colours [V,3] sRGB-encoded; vertices that no photograph shows take those of their neighbours."""
    points, triangles = torch.from_numpy(vertices), torch.from_numpy(faces)
    depth = depth_buffer(points, triangles, photos.clip_from_object, photos.size, backend)
    normals = torch.from_numpy(vertex_normals(vertices, faces))
    colours, known = point_colours(points, normals, photos, depth)
    return filled(colours, known, topology(triangles))


def textured(
    vertices: Floats,
    faces: Ints,
    photos: Photos,
    backend: Backend,
    size: int | None = None,
    fallback: Tensor | None = None,
    shade: Tensor | None = None,
) -> Mesh:
    """The surface with a texture from photographs, in the photographs' normalised frame.

    Args:
        vertices, faces: [V,3], [F,3].
        photos: of it.
        backend: what draws depth buffers and charts.
        size: of the texture; None: so that texels are a little finer than the photographs' pixels.
        fallback: colours [V,3] sRGB-encoded, for texels that no photograph shows; None: those of the neighbours.
        shade: linear light [V,3] that a white surface shows at the vertices, by which colours are divided: the texture
            is then an albedo. None: the texture holds the colours that were photographed.

    Returns:
        A mesh whose vertices are repeated along the seams of the charts; the material's texture is linear RGB.
    """
    texel = FINENESS * float(photos.pixel.min())
    side = min(size or texture_size(vertices, faces, texel), LARGEST)
    atlas = unwrap(vertices, faces, side)
    points, normals = torch.from_numpy(vertices), torch.from_numpy(vertex_normals(vertices, faces))
    depth = depth_buffer(points, torch.from_numpy(faces), photos.clip_from_object, photos.size, backend)
    if fallback is None:
        fallback = vertex_colours(vertices, faces, photos, backend)
    extra = torch.ones_like(points) if shade is None else shade
    inside, values = texels(atlas, torch.cat([points, normals, fallback, extra], 1), side, backend)
    unit = torch.nn.functional.normalize(values[:, 3:6], dim=1)
    colours, known = point_colours(values[:, :3], unit, photos, depth)
    texture = torch.zeros(side, side, 3)
    coded = torch.where(known[:, None], colours.double(), values[:, 6:9]).clamp(0, 1)
    linear = torch.from_numpy(srgb_to_linear(coded.numpy())) / values[:, 9:].clamp(min=DARKEST)
    texture[inside] = linear.clamp(0, 1).float()
    material = Material(albedo=(1.0, 1.0, 1.0), texture=spread(texture, inside), name="photographs")
    return Mesh(points[atlas.source], atlas.faces, atlas.uv, None, material)
