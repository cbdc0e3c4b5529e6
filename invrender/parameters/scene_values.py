"""The free values of a scene as named tensors of free numbers, and back, with what people are told of them.

values = SceneValues.of(scene, ["light.position", "material.floor.Kd"], measures)
params = values.encode()
scene = values.decode(params)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch

from invrender.nouns import Scene
from invrender.parameters.encodings import Encoding
from invrender.parameters.scene_paths import chosen_places
from invrender.parameters.scene_place import Measures, Place, is_far
from invrender.solve.protocol import Params

Tensor = torch.Tensor

SLIGHT = 1e-12  # derivatives of readable numbers that are rounding


@dataclass(frozen=True)
class SceneValues:
    """What is free in a scene; everything else stays as it is there.

    Attributes:
        scene: where the free numbers start.
        places: what is free.
        measures: in which places count.
    """

    scene: Scene
    places: tuple[Place, ...]
    measures: Measures

    @staticmethod
    def of(scene: Scene, names: Sequence[str], measures: Measures) -> SceneValues:
        """Those that are called so (`scene_paths.chosen_places`).

        Raises:
            UsageError: there is no such value.
        """
        return SceneValues(scene, chosen_places(scene, names), measures)

    @cached_property
    def encodings(self) -> tuple[Encoding, ...]:
        """Of each place."""
        return tuple(place.encoding(place.value(self.scene), self.measures) for place in self.places)

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """Where the numbers of each place stand among all of them, joined in the places' order."""
        sizes = [len(numbers) for numbers in self.encode().values()]
        ends = torch.tensor([0, *sizes]).cumsum(0).tolist()
        return tuple(slice(first, last) for first, last in pairwise(ends))

    @cached_property
    def arriving(self) -> Mapping[str, str]:
        """The path of a light's position by that of its intensity, where a free light is far from the scene.

        What arrives is then free instead of the intensity, or every step would have to change both together: a stronger
        light that is as much farther away shows the same.
        """
        far = {
            (place.kind.partition(".")[0], place.owner): place.path
            for place in self.places
            if place.kind == "light.position" and is_far(place.value(self.scene), self.measures)
        }
        lit = ((place, far.get(("light", place.owner))) for place in self.places if place.kind == "light.intensity")
        return {place.path: position for place, position in lit if position is not None}

    def encode(self, scene: Scene | None = None) -> Params:
        """The free numbers [K] of each place by its path, float64; of the start, unless a scene is given."""
        given = self.scene if scene is None else scene
        pairs = zip(self.places, self.encodings, strict=True)
        return self._coupled({place.path: encoding.encode(place.value(given)) for place, encoding in pairs}, -1)

    def _coupled(self, params: Params, sign: int) -> Params:
        """Logarithms of what arrives to those of intensities (sign 1), or back (-1): r^2 lies between them."""
        return {
            path: numbers + sign * 2 * params[self.arriving[path]][2] if path in self.arriving else numbers
            for path, numbers in params.items()
        }

    def decode(self, params: Params) -> Scene:
        """The scene with the values that free numbers stand for, as tensors; differentiable, in forward mode too."""
        scene = self.scene
        for place, value in zip(self.places, self.decoded(params), strict=True):
            scene = place.write(scene, value)
        return scene

    def decoded(self, params: Params) -> list[Tensor]:
        """The values alone."""
        plain = self._coupled(params, 1) if self.arriving else params
        pairs = zip(self.places, self.encodings, strict=True)
        return [encoding.decode(plain[place.path]) for place, encoding in pairs]

    def readable(self, params: Params) -> dict[str, Tensor]:
        """The numbers [K] that people are shown of each place."""
        pairs = zip(self.places, self.decoded(params), strict=True)
        return {place.path: place.readable(value) for place, value in pairs}

    def errors(self, params: Params, covariance: Tensor) -> dict[str, Tensor]:
        """Standard errors of the readable numbers, from the covariance [n,n] of all plain numbers (delta method).

        Infinite where the covariance is; see `plain`.
        """

        def shown(numbers: Tensor) -> Tensor:
            return torch.cat(list(self.readable(self.split(numbers)).values()))

        slope: Tensor = torch.func.jacfwd(shown)(self.joined(params).detach()) @ torch.linalg.inv(self.plain())
        endless = torch.isinf(covariance)
        known = (slope @ torch.where(endless, 0.0, covariance) @ slope.T).diagonal().clamp(min=0).sqrt()
        lost = (slope.abs() > SLIGHT).double() @ torch.isinf(covariance.diagonal()).double() > 0
        joined = torch.where(lost, torch.inf, known)
        sizes = [len(value) for value in self.readable(params).values()]
        return dict(zip([place.path for place in self.places], joined.split(sizes), strict=True))

    def plain(self) -> Tensor:
        """[n,n] that takes free numbers to those of each place by itself: what arrives from lights to intensities."""
        count = self.columns[-1].stop
        mixed = torch.eye(count, dtype=torch.float64)
        where = {place.path: own for place, own in zip(self.places, self.columns, strict=True)}
        for intensity, position in self.arriving.items():
            mixed[where[intensity], where[position].start + 2] = 2.0
        return mixed

    def joined(self, params: Params) -> Tensor:
        """All free numbers [n]."""
        return torch.cat([params[place.path].reshape(-1) for place in self.places])

    def split(self, numbers: Tensor) -> Params:
        """Named tensors of all free numbers [n]."""
        return {place.path: numbers[own] for place, own in zip(self.places, self.columns, strict=True)}

    def spreads(self) -> Tensor:
        """Standard deviations [n] of the weak prior around the start."""
        start = self.encode()
        pairs = zip(self.places, self.encodings, strict=True)
        return torch.cat([torch.full_like(start[place.path], each.spread) for place, each in pairs])

    def names(self) -> list[str]:
        """What each readable number is called, all places' joined."""
        return [name for place in self.places for name in component_names(place)]

    def free_names(self) -> list[str]:
        """What each free number is called, all places' joined."""
        return [name for place in self.places for name in number_names(place)]

    def moved_from_bounds(self) -> Mapping[str, Tensor]:
        """Readable values at the start of places whose value lies on a bound, by path: they start a little inside."""
        inside = self.readable(self.encode())
        return {
            place.path: inside[place.path]
            for place in self.places
            if not torch.allclose(inside[place.path], place.readable(place.value(self.scene)), rtol=1e-6, atol=1e-9)
        }


def component_names(place: Place) -> list[str]:
    """What the readable numbers of a place are called."""
    return [f"{place.path}.{label}" for label in place.labels] or [place.path]


def number_names(place: Place) -> list[str]:
    """What the free numbers of a place are called."""
    return [f"{place.path}.{label}" for label in place.moves or place.labels] or [place.path]
