"""Whether any pixel depends on a value at all: of what does not show, no picture can tell anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.starts import candidates, looked_for
from invrender.methods.scene.targets import Target
from invrender.parameters.scene_place import Place
from invrender.parameters.scene_values import SceneValues
from invrender.solve.protocol import Params

Tensor = torch.Tensor

LARGEST = 96  # pixels of the longer side of the pictures that are looked at first
FAINT = 1e-9  # of the greatest value of a picture: what is less is no change
_ELSEWHERE = 8  # places from which a light is looked for
_SHARE = 0.5  # of the prior's standard deviation, by which values are changed


def unseen(values: SceneValues, targets: Sequence[Target], renderer: Renderer) -> list[str]:
    """The paths of places on which no picture depends, be it at the start or with lights elsewhere."""
    bases = candidates(values, _ELSEWHERE if looked_for(values.places) else 1, seed=0)
    lost = list(values.places)
    for longest in (LARGEST, max(max(target.size) for target in targets)):
        sizes = [_size(target, longest) for target in targets]
        for base in bases:
            if lost:
                shown = _pictures(values, base, targets, sizes, renderer)
                lost = [
                    place
                    for place in lost
                    if not any(
                        _differ(shown, _pictures(values, other, targets, sizes, renderer))
                        for other in _changed(values, base, place)
                    )
                ]
    return [place.path for place in lost]


def _changed(values: SceneValues, base: Params, place: Place) -> Iterator[Params]:
    """The base with all numbers of a place larger, and smaller."""
    encoding = values.encodings[values.places.index(place)]
    for sign in (1, -1):
        yield {**base, place.path: base[place.path] + sign * _SHARE * encoding.spread}


def _pictures(
    values: SceneValues, params: Params, targets: Sequence[Target], sizes: Sequence[tuple[int, int]], renderer: Renderer
) -> list[Tensor]:
    scene = values.decode(params)
    with torch.no_grad():
        return [renderer.picture(scene, each.camera, size) for each, size in zip(targets, sizes, strict=True)]


def _differ(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    pairs = zip(some, others, strict=True)
    return any(float((a - b).abs().max()) > FAINT * float(a.abs().max()) for a, b in pairs)


def _size(target: Target, longest: int) -> tuple[int, int]:
    factor = min(1.0, longest / max(target.size))
    height, width = (max(1, round(side * factor)) for side in target.size)
    return height, width
