"""What progress.gif is made of: shots of the estimate, taken evenly while it forms, and cut together in the end.

Shots are plain arrays, so that they can be saved in checkpoints and restored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.images import write_gif
from invrender.run.folder import RunFolder
from invrender.solve.loop import Step

Picture = NDArray[np.uint8]
Shot = Mapping[str, NDArray[Any]]

FILM = "film."


@dataclass(frozen=True)
class Film:
    """How a method shows itself.

    Attributes:
        frames: how many shots, spread evenly over the steps.
        shoot: an estimate to what is kept of it.
        cut: all shots and the result to the pictures of each GIF, by its file's name.
        speed: pictures per second.
        opening: the estimate before the first step, if it is to be shown.
    """

    frames: int
    shoot: Callable[[Any], Shot]
    cut: Callable[[Sequence[Shot], Any], Mapping[str, Sequence[Picture]]]
    speed: float
    opening: Any = None


class Reel:
    """Collects the shots of a film; of none where there is to be no film."""

    def __init__(self, film: Film | None, shots: Sequence[Shot] = ()) -> None:
        self._film = film
        self.shots = tuple(shots)
        if film is not None and film.opening is not None and not self.shots:
            self.shots = (film.shoot(film.opening),)

    def step(self, step: Step) -> None:
        """Take a shot if one is due after this step."""
        if self._film is None:
            return
        frames = self._film.frames
        if (step.index + 1) * frames // step.total > step.index * frames // step.total:
            self.shots = (*self.shots, self._film.shoot(step.estimate))

    def write(self, run: RunFolder, result: Any) -> None:
        """Cut and write the GIFs."""
        if self._film is None:
            return
        for name, pictures in self._film.cut(self.shots, result).items():
            write_gif(run.file(name), list(pictures), self._film.speed)


def pack_shots(shots: Sequence[Shot]) -> dict[str, NDArray[Any]]:
    """Shots as named arrays."""
    return {f"{FILM}{i}.{name}": array for i, shot in enumerate(shots) for name, array in shot.items()}


def unpack_shots(arrays: Mapping[str, NDArray[Any]]) -> list[Shot]:
    """The shots among named arrays, in their order."""
    found: dict[int, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        if name.startswith(FILM):
            number, _, part = name.removeprefix(FILM).partition(".")
            found.setdefault(int(number), {})[part] = array
    return [found[number] for number in sorted(found)]
