"""Where the solver sets out: the start that the scene gives, and others spread over where lights may be.

A picture is linear in how strong lights are. At every start they are therefore set as the targets ask for, with two
pictures, before anything is compared; else a good place with a light that is far too weak would look bad.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from invrender.methods.scene.misfit import Misfit
from invrender.parameters.scene_place import Place
from invrender.parameters.scene_values import SceneValues
from invrender.solve.protocol import Params

Tensor = torch.Tensor

LINEAR = ("light.intensity", "ambient", "environment.colour", "environment.intensity", "material.emission")
"""What pictures are linear in."""

SOMEWHERE = ("light.position", "light.direction")
"""What is looked for all around the scene."""

DARK = -60.0  # of a logarithm: nothing
_REACHES = (1.0, 0.5, 2.0)  # distances of lights from the scene, relative to the first
_TILT = 0.15  # by how much cameras are turned and moved, standard deviation
_GOLDEN = (math.sqrt(5) - 1) / 2


def levelled(misfit: Misfit, params: Params) -> tuple[Params, float]:
    """The numbers with all lights stronger or weaker by the factor that explains the targets best, and the loss there.

    Args:
        misfit: what is compared, by the kernels.
        params: free numbers.
    """
    bright = [place.path for place in misfit.values.places if place.kind in LINEAR]
    lit = misfit.residual(params)
    loss = float(lit.square().sum()) / 2
    if not bright:
        return params, loss
    dark = {name: torch.full_like(raw, DARK) if name in bright else raw for name, raw in params.items()}
    unlit = misfit.residual(dark)
    added = lit - unlit
    power = float(added.square().sum())
    factor = -float((added * unlit).sum()) / power if power > 0 else 0.0
    if not (math.isfinite(factor) and factor > 0):
        return params, loss
    raised = {name: raw + math.log(factor) if name in bright else raw for name, raw in params.items()}
    return raised, float((unlit + factor * added).square().sum()) / 2


def candidates(values: SceneValues, count: int, seed: int) -> list[Params]:
    """The start, and others in which lights are elsewhere and cameras slightly off."""
    generator = torch.Generator().manual_seed(seed)
    first = values.encode()
    return [first, *(_other(values, first, k, count, generator) for k in range(1, count))]


def _other(values: SceneValues, first: Params, k: int, count: int, generator: torch.Generator) -> Params:
    scene = values.scene
    moved = dict(first)
    for place, encoding in zip(values.places, values.encodings, strict=True):
        if place.kind in SOMEWHERE:
            moved[place.path] = encoding.encode(_elsewhere(values, place, k, count, generator))
        elif place.kind == "camera.pose":
            shift = torch.randn(first[place.path].shape, generator=generator, dtype=torch.float64)
            moved[place.path] = encoding.encode(place.value(scene)) + _TILT * shift
    return moved


def _elsewhere(values: SceneValues, place: Place, k: int, count: int, generator: torch.Generator) -> Tensor:
    """A direction all around, or a place in it; those of one light are spread evenly (Fibonacci's sphere)."""
    turn = float(torch.rand((), generator=generator, dtype=torch.float64))
    height = 1 - 2 * (k - 0.5) / max(count - 1, 1)
    azimuth = 2 * math.pi * (k * _GOLDEN + turn)
    aside = math.sqrt(max(0.0, 1 - height * height))
    towards = torch.tensor([aside * math.sin(azimuth), height, aside * math.cos(azimuth)], dtype=torch.float64)
    if place.kind == "light.direction":
        return towards
    centre = values.measures.centre
    away = float((place.value(values.scene) - centre).norm()) or 2 * values.measures.size
    return centre + away * _REACHES[k % len(_REACHES)] * towards


def screened(misfit: Misfit, count: int, tried: int, seed: int) -> list[Params]:
    """The start and the best of some others, each with its lights levelled; those that explain most first.

    Args:
        misfit: what is compared, at a small size.
        count: how many to keep.
        tried: how many to look at.
        seed: of the others.
    """
    found = [levelled(misfit, params) for params in candidates(misfit.values, tried, seed)]
    best = sorted(range(1, len(found)), key=lambda k: found[k][1])[: count - 1]
    return [found[k][0] for k in (0, *best)]


def looked_for(places: Sequence[Place]) -> bool:
    """Whether something is free that may be anywhere."""
    return any(place.kind in SOMEWHERE for place in places)
