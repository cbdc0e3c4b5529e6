"""How a surface shines beyond its colour: highlight, mirroring, emission, and whether light matters to it at all.

One material has one finish. A mesh that was joined from several has a row of these numbers for each vertex.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import BLACK

Tensor = torch.Tensor

COLUMNS = 11  # of a row: specular, mirror, emission, shininess, lit


@dataclass(frozen=True)
class Finish:
    """Numbers [...,C] at points of a surface, or [C] for all of them.

    Attributes:
        specular: [...,3] Ks, linear RGB of the highlight.
        mirror: [...,3] the share of what a mirrored ray sees.
        emission: [...,3] Ke, linear RGB.
        shininess: [...,1] Ns, the exponent of the highlight.
        lit: [...,1] 1, or 0 where the colour is what is seen, whatever the light.
    """

    specular: Tensor
    mirror: Tensor
    emission: Tensor
    shininess: Tensor
    lit: Tensor

    def rows(self) -> Tensor:
        """[...,11], which `of_rows` takes apart."""
        return torch.cat([self.specular, self.mirror, self.emission, self.shininess, self.lit], -1)


def of_rows(rows: Tensor) -> Finish:
    """The finish of rows [...,11]."""
    return Finish(*torch.split(rows, [3, 3, 3, 1, 1], -1))


def of_material(material: Material, like: Tensor) -> Finish:
    """The finish of a whole material, with the dtype and device of another tensor."""

    def numbers(value: object) -> Tensor:
        return torch.as_tensor(value, dtype=like.dtype, device=like.device).reshape(-1)

    black = like.new_zeros(3)
    return Finish(
        numbers(material.specular) if material.highlighted else black,
        numbers(material.mirror) if material.mirrors else black,
        numbers(material.emission),
        numbers(material.shininess),
        numbers(0.0 if material.unlit else 1.0),
    )


def dull(mesh: Mesh) -> Mesh:
    """The mesh without gloss, highlights and mirrors, and lit throughout: Lambertian, with what it emits."""
    look = replace(mesh.material, roughness=None, metallic=0.0, gloss=None, unlit=False, specular=BLACK, mirror=BLACK)
    if mesh.finish is None:
        return replace(mesh, material=look)
    shine = of_rows(mesh.finish)
    black = torch.zeros_like(shine.emission)
    plain = replace(shine, specular=black, mirror=black, lit=torch.ones_like(shine.lit))
    return replace(mesh, material=look, finish=plain.rows())
