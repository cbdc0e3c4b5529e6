"""What progress.gif is made of: pictures of the estimate, drawn evenly while it forms, and what the result looks like.

A shot is its finished picture, packed as PNG: small in checkpoints, and the latest one is the run folder's current.png.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.io.files.atomic import atomic_path
from invrender.io.gif import write_gif
from invrender.io.video import write_mp4
from invrender.run.folder import RunFolder
from invrender.solve.loop import Step
from invrender.solve.protocol import Terms

Picture = NDArray[np.uint8]
Packed = NDArray[np.uint8]

FILM, CURRENT = "film.", "current.png"
HOLD = 6  # pictures for which one view of the input is shown
LAST = 2.0  # seconds for which the last picture stays
COARSE = 3  # sRGB steps between colours of a GIF
PACKING = 1  # of zlib: three times as fast as the usual level, and a fifth larger


@dataclass(frozen=True)
class Moment:
    """When a picture is drawn.

    Attributes:
        number: of the picture, from 0.
        title: of the phase; '' before the first step.
        step, total: how many steps were taken, of how many.
        terms: losses and qualities of the last one.
    """

    number: int = 0
    title: str = ""
    step: int = 0
    total: int = 0
    terms: Terms = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """For people."""
        return f"{self.title}: step {self.step} of {self.total}" if self.title else "at the start"


@dataclass(frozen=True)
class Ending:
    """Pictures of a result: those that end progress.gif, and those of turntable.gif, where there is one."""

    progress: Sequence[Picture]
    turntable: Sequence[Picture] = ()


@dataclass(frozen=True)
class Film:
    """How a method shows itself.

    Attributes:
        frames: how many pictures of the estimate, spread evenly over the steps of a title.
        draw: an estimate at a moment to a picture [H,W,3] uint8; all of one size, and of that of the ending's.
        ending: the result, and how many pictures there are, to those that follow.
        speed: pictures per second.
        opening: the estimate before the first step, if it is to be shown.
        most: pictures of the estimate that stay in the end, evenly chosen; 0: all of them.
        video: whether .mp4 files are written beside the GIFs.
    """

    frames: int
    draw: Callable[[Any, Moment], Picture]
    ending: Callable[[Any, int], Ending]
    speed: float
    opening: Any = None
    most: int = 0
    video: bool = False


class Reel:
    """Collects the shots of a film; of none where there is to be no film.

    Args:
        film: what to draw.
        run: the folder that shows the latest shot while the run goes on.
        shots: those that a checkpoint holds.
    """

    def __init__(self, film: Film | None, run: RunFolder, shots: Sequence[Packed] = ()) -> None:
        self._film = film
        self._run = run
        self.shots = tuple(shots)
        if film is not None and film.opening is not None and not self.shots:
            self._take(film.draw(film.opening, Moment()))
        elif self.shots:
            self._show()

    def step(self, step: Step) -> None:
        """Take a shot if one is due after this step."""
        if self._film is None:
            return
        frames = self._film.frames
        if (step.index + 1) * frames // step.total > step.index * frames // step.total:
            now = Moment(len(self.shots), step.phase.title, step.index + 1, step.total, step.terms)
            self._take(self._film.draw(step.estimate, now))

    def _take(self, picture: Picture) -> None:
        self.shots = (*self.shots, packed(picture))
        self._show()

    def _show(self) -> None:
        """The latest shot as a file of its own, for whoever watches the run; it need not outlive a power failure."""
        with atomic_path(self._run.file(CURRENT), lasting=False) as temporary:
            temporary.write_bytes(self.shots[-1].tobytes())

    def write(self, result: Any) -> None:
        """Write the GIFs, and the films beside them; the current picture goes, for the run is at its end."""
        if self._film is None:
            return
        ending = self._film.ending(result, len(self.shots))
        kept = self.shots
        if self._film.most and len(kept) > self._film.most:
            kept = tuple(kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, self._film.most).round().astype(int)))
        self._write("progress", [*map(unpacked, kept), *ending.progress], LAST)
        self._write("turntable", ending.turntable, 0.0)
        self._run.remove(CURRENT)

    def _write(self, name: str, pictures: Sequence[Picture], last: float) -> None:
        assert self._film is not None
        if not pictures:
            return
        speed = self._film.speed
        write_gif(self._run.file(f"{name}.gif"), list(map(coarse, pictures)), speed, last)
        if self._film.video:
            held = [pictures[-1]] * round(last * speed)
            write_mp4(self._run.file(f"{name}.mp4"), [*pictures, *held], speed)


def coarse(picture: Picture) -> Picture:
    """A picture in steps of COARSE, which nobody sees and which makes a GIF a quarter smaller."""
    return np.asarray(np.minimum((picture.astype(np.int16) + COARSE // 2) // COARSE * COARSE, 255), np.uint8)


def film_files(frames: int, video: str | None, turning: bool) -> tuple[str, ...]:
    """The names of the films of a run, for its forecast."""
    names = ("progress", "turntable") if turning else ("progress",)
    kinds = ("gif",) if video is None else ("gif", video)
    return tuple(f"{name}.{kind}" for name in names for kind in kinds) if frames else ()


def packed(picture: Picture) -> Packed:
    """A picture [H,W,3] as the bytes of a PNG."""
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, format="PNG", compress_level=PACKING)
    return np.frombuffer(memory.getvalue(), np.uint8)


def unpacked(shot: Packed) -> Picture:
    """The picture of a shot."""
    with Image.open(io.BytesIO(shot.tobytes())) as image:
        return np.asarray(image.convert("RGB"))


def pack_shots(shots: Sequence[Packed]) -> dict[str, NDArray[Any]]:
    """Shots as named arrays."""
    return {f"{FILM}{number}": shot for number, shot in enumerate(shots)}


def unpack_shots(arrays: Mapping[str, NDArray[Any]]) -> list[Packed]:
    """The shots among named arrays, in their order."""
    found = {int(name.removeprefix(FILM)): array for name, array in arrays.items() if name.startswith(FILM)}
    return [found[number] for number in sorted(found)]
