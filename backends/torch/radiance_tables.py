"""What light transport picks at random: faces that emit, and texels of the environment's picture.

Probabilities are float32 whatever the scene's precision, so that all backends pick the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.kernels.radiance import EMISSION, SceneArrays

Tensor = torch.Tensor


@dataclass(frozen=True)
class Emitters:
    """Faces that emit.

    Attributes:
        faces: [E] int64.
        cumulative: [E] float32, of the probabilities: area times luminance.
        density: [F] float32 per area with which a point of a face is picked, 0 for faces that do not emit.
    """

    faces: Tensor
    cumulative: Tensor
    density: Tensor


@dataclass(frozen=True)
class Sky:
    """The environment's picture [h,w], by the luminance of its texels.

    Attributes:
        rows: [h] float32, cumulative.
        columns: [h,w] float32, cumulative in each row.
        density: [h,w] float32 per solid angle.
    """

    rows: Tensor
    columns: Tensor
    density: Tensor


def emitters(scene: SceneArrays) -> Emitters | None:
    """Those of a scene; None where there are none."""
    power = scene.materials.detach()[:, EMISSION : EMISSION + 3].double().mean(1)
    faces = (power[scene.face_material] > 0).nonzero()[:, 0]
    if not len(faces):
        return None
    a, b, c = scene.vertices.detach().double()[scene.faces[faces]].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=1) / 2
    share = (area * power[scene.face_material[faces]]).nan_to_num(0, 0, 0)
    if not float(share.sum()) > 0:
        return None
    cumulative, probability = _cumulative(share)
    density = torch.zeros(len(scene.faces), dtype=torch.float32, device=faces.device)
    density[faces] = torch.where(area > 0, probability / area, 0).float()
    return Emitters(faces, cumulative, density)


def sky(environment: Tensor) -> Sky | None:
    """The tables of an environment [h,w,3]; None where it is the same everywhere or black.

    A texel's luminance is that of the picture between the texels' centres over its own area, so that no light arrives
    from where none is looked for.
    """
    height, width = environment.shape[:2]
    if height * width <= 1:
        return None
    light = _blurred(environment.detach().double().mean(2).clamp(min=0))
    edges = torch.cos(torch.linspace(0, math.pi, height + 1, dtype=torch.float64, device=light.device))
    solid = (edges[:-1] - edges[1:])[:, None] * (2 * math.pi / width)
    share = light * solid
    if not float(share.sum()) > 0:
        share = solid.expand_as(light)
    rows, row = _cumulative(share.sum(1))
    columns, column = _cumulative(torch.where(share.sum(1, keepdim=True) > 0, share, 1))
    return Sky(rows, columns, (row[:, None] * column / solid).float())


def _cumulative(share: Tensor) -> tuple[Tensor, Tensor]:
    """Cumulative probabilities [...,K], rounded to float32, and the probabilities that the rounded ones give."""
    total = share.cumsum(-1)
    rounded = (total / total[..., -1:]).float()
    return rounded, torch.diff(rounded.double(), dim=-1, prepend=torch.zeros_like(total[..., :1]))


def _blurred(light: Tensor) -> Tensor:
    """Means [h,w] over each texel of the bilinear picture; it repeats sideways and ends at the poles."""
    across = (light.roll(1, 1) + 6 * light + light.roll(-1, 1)) / 8
    padded = torch.cat([across[:1], across, across[-1:]])
    return (padded[:-2] + 6 * padded[1:-1] + padded[2:]) / 8
