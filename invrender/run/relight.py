"""Which light falls on each picture of a mesh: `--light`, and turntables on which the light goes round."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from invrender.errors import UsageError
from invrender.io.lights import read_lights
from invrender.nouns import Cameras, Lights
from invrender.shading.lights import fixed, turned

Tensor = torch.Tensor
Turn = Literal["camera", "light", "both"]


@dataclass(frozen=True)
class Relight:
    """The light of pictures.

    Attributes:
        lights: as they stand in the first picture.
        turn: what goes round from picture to picture. "camera": it alone. "light": the light, about the vertical axis,
            while the first camera stays. "both": the light twice as fast as the camera, so that it goes once round what
            the camera sees.
    """

    lights: Lights = field(default_factory=Lights)
    turn: Turn = "camera"

    def over(self, cameras: Cameras) -> tuple[Cameras, list[Lights] | None]:
        """The camera and the lights of each picture; None where `lights` are those of all."""
        if self.turn == "camera":
            return cameras, None
        start, count = fixed(self.lights, cameras), len(cameras)
        times = 1 if self.turn == "light" else 2
        lights = [turned(start, about_up(times * 2 * math.pi * k / count)) for k in range(count)]
        return (cameras[[0] * count] if self.turn == "light" else cameras), lights


def about_up(angle: float) -> Tensor:
    """The rotation [3,3] about +Y that takes +Z towards +X, as an orbit's cameras go."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.tensor([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], dtype=torch.float64)


def parse_light(text: str) -> Lights:
    """The lights that `--light` names: 'camera', a direction 'X,Y,Z' with or without an intensity, or a file.

    Raises:
        UsageError: it is none of them, or the numbers are no direction.
        InputError: the file is none of lights.
    """
    if text == "camera":
        return Lights()
    if text.lower().endswith(".json"):
        return read_lights(Path(text))
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 4) or not all(math.isfinite(number) for number in numbers):
        raise UsageError(
            f"--light is {text!r}",
            "use studio, three-point, camera, a direction such as 1,2,0.5 (or 1,2,0.5,INTENSITY), or a file.json",
        )
    if not any(numbers[:3]):
        raise UsageError("--light has the direction 0,0,0", "point it towards the light, such as 0,1,1")
    if numbers[3:] and numbers[3] < 0:
        raise UsageError(f"--light has the intensity {numbers[3]:g}", "use one from 0")
    direction = (numbers[0], numbers[1], numbers[2])
    return Lights(direction, numbers[3]) if numbers[3:] else Lights(direction)
