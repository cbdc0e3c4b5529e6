"""What is in a medium: the facts that `invrender inspect` prints of a scene that holds one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from invrender.errors import InputError
from invrender.findings import Finding
from invrender.nouns import Scene, Volume
from invrender.nouns.medium import Medium
from invrender.render.scene_checks import findings
from invrender.render.scene_medium import check_medium
from invrender.render.volume_scene import axis_depths

Point = tuple[float, float, float]
Span = tuple[float, float]


@dataclass(frozen=True)
class MediumFacts:
    """Facts about a medium, in plain numbers.

    Attributes:
        name: of the medium.
        samples: of its extinction along x, y, z.
        channels: 1, or 3 for red, green and blue.
        low, high: corners of its box.
        least, greatest: extinction per unit of length.
        empty: share of the samples that are 0.
        depth_greatest, depth_mean: optical depth along x, y and z, through the whole box.
        albedo, asymmetry, emission: the least and the greatest value of each.
        inside: faces of the closed mesh that bounds it, or None.
    """

    name: str
    samples: tuple[int, int, int]
    channels: int
    low: Point
    high: Point
    least: float
    greatest: float
    empty: float
    depth_greatest: Point
    depth_mean: Point
    albedo: Span
    asymmetry: Span
    emission: Span
    inside: int | None


def medium_facts(medium: Medium) -> MediumFacts:
    """Measure a medium."""
    grid = medium.extinction
    depth, height, width = grid.shape
    least, greatest = _span(grid)
    depths = axis_depths(grid)
    return MediumFacts(
        name=medium.name,
        samples=(width, height, depth),
        channels=len(grid.values),
        low=_point(grid.bounds[0].tolist()),
        high=_point(grid.bounds[1].tolist()),
        least=least,
        greatest=greatest,
        empty=float((grid.values == 0).all(0).double().mean()),
        depth_greatest=_point([each[0] for each in depths]),
        depth_mean=_point([each[1] for each in depths]),
        albedo=_span(medium.albedo),
        asymmetry=_span(medium.asymmetry),
        emission=_span(medium.emission),
        inside=None if medium.inside is None else len(medium.inside.faces),
    )


def medium_findings(medium: Medium) -> Iterator[Finding]:
    """What is wrong with a medium, or looks so."""
    try:
        check_medium(medium)
    except InputError as error:
        yield Finding(error.cause, error.remedy)
    yield from findings(Scene(media=medium), [])


def _span(value: object) -> Span:
    numbers = value.values if isinstance(value, Volume) else torch.as_tensor(value)
    least, greatest = torch.aminmax(numbers.detach().double())
    return float(least), float(greatest)


def _point(values: list[float]) -> Point:
    x, y, z = values
    return x, y, z
