"""The materials of a mesh whose vertices shine differently, for formats that give each face a material."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import plain_colour
from invrender.shading.finish import of_rows


@dataclass(frozen=True)
class Looks:
    """Materials, and which one each face has.

    Attributes:
        materials: none where the mesh has the default material.
        of_face: [F] int64.
    """

    materials: list[Material]
    of_face: NDArray[np.int64]


def looks_of(mesh: Mesh) -> Looks:
    """The mesh's one material; or one for each different row of its finish, a face having that of its first corner."""
    if mesh.finish is None or not len(mesh.faces):
        materials = [] if mesh.material.is_default else [mesh.material]
        return Looks(materials, np.zeros(len(mesh.faces), np.int64))
    rows = mesh.finish.detach().cpu().double().numpy()[mesh.faces[:, 0].cpu().numpy()]
    different, of_face = np.unique(rows, axis=0, return_inverse=True)
    materials = [_look(mesh.material, row, k) for k, row in enumerate(torch.from_numpy(different))]
    return Looks(materials, of_face.reshape(-1))


def _look(material: Material, row: torch.Tensor, number: int) -> Material:
    shine = of_rows(row)
    return replace(
        material,
        name=f"{material.name}_{number + 1}",
        specular=plain_colour(shine.specular),
        shininess=float(shine.shininess),
        mirror=plain_colour(shine.mirror),
        emission=plain_colour(shine.emission),
        unlit=bool(shine.lit == 0),
    )
