"""Texture coordinates for a mesh, and the points of its surface that the texels of a texture stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from invrender import ops
from invrender.geometry.vectors import Floats, Ints, area_vectors, norm
from invrender.kernels import Backend

Tensor = torch.Tensor

SMALLEST, LARGEST = 64, 4096
USED = 0.6  # of a texture's area that charts typically cover
CHARTS, FACES = (6, 200), 400  # charts, at least, and faces in one: their time grows faster than their size
PADDING = 2  # texels between charts, so that bilinear look-ups do not mix them


@dataclass(frozen=True)
class Atlas:
    """Charts of a surface, packed into the unit square.

    Attributes:
        uv: [A,2] float64 in [0, 1]; v = 1 is the top row of a texture.
        faces: [F,3] int64 into the rows of `uv`; the faces of the mesh in their order.
        source: [A] int64, the vertex of each row.
    """

    uv: Tensor
    faces: Tensor
    source: Tensor


def texture_size(vertices: Floats, faces: Ints, texel: float) -> int:
    """The side of a texture whose texels are about `texel` wide on the surface: a power of two, within limits."""
    area = float(norm(area_vectors(vertices, faces)).sum()) / 2
    side = np.sqrt(area / USED) / texel
    return int(2 ** np.clip(np.ceil(np.log2(max(side, 1.0)) - 0.25), np.log2(SMALLEST), np.log2(LARGEST)))


def unwrap(vertices: Floats, faces: Ints, size: int) -> Atlas:
    """Cut a surface into charts and pack them for a texture of `size` texels a side (xatlas)."""
    import xatlas

    made = xatlas.Atlas()
    made.add_mesh(vertices.astype(np.float32), faces.astype(np.uint32))
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding, pack.bilinear = size, PADDING, True
    charts = xatlas.ChartOptions()
    charts.max_chart_area = float(norm(area_vectors(vertices, faces)).sum()) / 2 / np.clip(len(faces) / FACES, *CHARTS)
    made.generate(charts, pack)
    source, index, uv = made[0]
    return Atlas(
        torch.from_numpy(uv.astype(np.float64)),
        torch.from_numpy(index.astype(np.int64)),
        torch.from_numpy(source.astype(np.int64)),
    )


def texels(atlas: Atlas, attributes: Tensor, size: int, backend: Backend) -> tuple[Tensor, Tensor]:
    """What a surface has in the centres of a texture's texels: the charts are drawn like any mesh, flat.

    Args:
        atlas: of the mesh.
        attributes: [V,C] float64 of the mesh's vertices.
        size: texels a side.
        backend: what draws.

    Returns:
        Which texels [size,size] lie on the surface, row 0 at v = 1, and their values [T,C] float64, row by row.
    """
    flat = torch.cat([atlas.uv * 2 - 1, torch.zeros(len(atlas.uv), 1), torch.ones(len(atlas.uv), 1)], 1)
    clip = flat[None].float().to(backend.device)
    face_id, _ = ops.rasterize(backend, clip, atlas.faces, (size, size))
    values = attributes[atlas.source]
    middle = values.mean(0)  # float32 holds positions about it
    drawn = ops.interpolate(backend, (values - middle).float().to(backend.device), atlas.faces, face_id, clip)[0]
    inside = (face_id[0] >= 0).cpu()
    return inside, drawn.cpu()[inside].double() + middle


def spread(texture: Tensor, known: Tensor) -> Tensor:
    """A texture [h,w,C] whose unknown texels take the value of the nearest known one: seams are padded, holes filled.

    Args:
        texture: [h,w,C].
        known: [h,w] bool; at least one.
    """
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(~known.numpy(), return_distances=False, return_indices=True)
    return texture[torch.from_numpy(rows), torch.from_numpy(columns)]
