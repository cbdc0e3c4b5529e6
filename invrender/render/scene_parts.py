"""Meshes that were joined from several materials, taken apart again for rays, which know one material a mesh."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.errors import InputError
from invrender.nouns import Mesh
from invrender.nouns.appearance import plain_colour
from invrender.shading.finish import of_rows

Tensor = torch.Tensor


def parts_of(mesh: Mesh) -> list[Mesh]:
    """One mesh for each finish (`shading.finish`) of a joined one; a mesh without finish as it is.

    Raises:
        InputError: a face has several.
    """
    if mesh.finish is None:
        return [mesh]
    rows, number = torch.unique(mesh.finish.detach(), dim=0, return_inverse=True)
    of_face = number[mesh.faces]
    if bool((of_face != of_face[:, :1]).any()):
        raise InputError(
            "the mesh shines differently at the corners of one face, which rays through scenes do not follow",
            "give each face one material",
        )
    return [_part(mesh, of_face[:, 0] == k, row, int(k)) for k, row in enumerate(rows) if bool((of_face == k).any())]


def _part(mesh: Mesh, chosen: Tensor, row: Tensor, number: int) -> Mesh:
    """The chosen faces [F] of a mesh, with their finish as the material's."""
    shine, whole = of_rows(row), mesh.material
    material = replace(
        whole,
        name=f"{whole.name} {number}",
        unlit=whole.unlit or not bool(shine.lit > 0.5),
        specular=plain_colour(shine.specular),
        shininess=float(shine.shininess),
        mirror=plain_colour(shine.mirror),
        emission=plain_colour(shine.emission),
    )
    return replace(mesh, faces=mesh.faces[chosen], material=material, finish=None)
