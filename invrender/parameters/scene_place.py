"""One place in a scene that can be free, and how the values of each kind are written as free numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from invrender.nouns import Scene
from invrender.parameters.encodings import Encoding, bounded, direction, linear, polar, positive

Tensor = torch.Tensor
Read = Callable[[Scene], Any]
Write = Callable[[Scene, Tensor], Scene]

XYZ, RGB = ("x", "y", "z"), ("red", "green", "blue")
POSE = (*XYZ, "yaw", "pitch", "roll")
ANGLES, TWIST = ("along", "across"), ("turn x", "turn y", "turn z", "move x", "move y", "move z")
FAR = 1.5  # times half the scene's diagonal


@dataclass(frozen=True)
class Measures:
    """Lengths of a scene, in which places count.

    Attributes:
        centre: [3] float64, the middle of what is seen.
        size: half the diagonal of its box.
        distances: of what a camera looks at, by the camera's name.
    """

    centre: Tensor
    size: float
    distances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """One place in a scene.

    Attributes:
        path: as users call it; `kind`: without the name in it, such as light.position.
        owner: the name of the light, camera or material that it belongs to, if any.
        read: the value in a scene: a number, a tuple or a tensor.
        write: the scene with another value there.
        encoding: of a value (float64), in a scene's measures.
        labels: what the readable numbers are called; empty for a single one. `moves`: what the free numbers are, if
            they are others.
        readable: a value to the numbers that people are shown, [K].
        unit: of these.
        usual: whether the name of the owner alone means it too.
        slot: the attribute that it changes; two places of one slot cannot both be free.
    """

    path: str
    kind: str
    owner: str
    read: Read
    write: Write
    encoding: Callable[[Tensor, Measures], Encoding]
    labels: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    readable: Callable[[Tensor], Tensor] = lambda value: value.reshape(-1)
    unit: str = ""
    usual: bool = True
    slot: str = ""

    def value(self, scene: Scene) -> Tensor:
        """What stands there in a scene, float64."""
        return torch.as_tensor(self.read(scene), dtype=torch.float64).detach().cpu()


@dataclass(frozen=True)
class Owner:
    """What places belong to: one light, camera, material or the environment.

    Attributes:
        kind: light, camera, ...
        name: of it; empty where there is no choice.
        get, put: it in a scene, and the scene with another one in its place.
    """

    kind: str
    name: str
    get: Callable[[Scene], Any]
    put: Callable[[Scene, Any], Scene]

    def place(self, what: str, attribute: str, encoding: Callable[[Tensor, Measures], Encoding], **more: Any) -> Place:
        """Its place of one attribute."""
        path = ".".join(filter(None, (self.kind, self.name, what)))
        return Place(
            path,
            f"{self.kind}.{what}",
            self.name,
            lambda scene: getattr(self.get(scene), attribute),
            lambda scene, value: self.put(scene, replace(self.get(scene), **{attribute: value})),
            encoding,
            slot=f"{self.kind}.{self.name}.{attribute}",
            **more,
        )


def logarithms(value: Tensor, measures: Measures) -> Encoding:
    """For what is positive."""
    del measures
    return positive(value)


def share(value: Tensor, measures: Measures) -> Encoding:
    """Between 0 and 1; where a file goes beyond, anything positive."""
    return bounded(value, 0, 1) if bool((value <= 1).all()) else logarithms(value, measures)


def angle(most: float) -> Callable[[Tensor, Measures], Encoding]:
    """Between 0 and so many degrees."""
    return lambda value, measures: bounded(value, 0, most, spread=1.0)


def is_far(value: Tensor, measures: Measures) -> bool:
    """Whether a place [3] is so far from the scene that it is better told by direction and distance."""
    return float((value - measures.centre).norm()) > FAR * measures.size


def point(value: Tensor, measures: Measures) -> Encoding:
    """In units of the scene's size; from far away by direction and distance."""
    return polar(value, measures.centre) if is_far(value, measures) else linear(value, measures.size)


def unit_vector(value: Tensor, measures: Measures) -> Encoding:
    """A direction of any length."""
    del measures
    return direction(value)


def colour_labels(value: Any) -> tuple[str, ...]:
    """Labels of a grey number or a colour."""
    return RGB if torch.as_tensor(value).numel() == len(RGB) else ()
