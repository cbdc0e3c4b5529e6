"""What progress.gif is made of: pictures of the estimate, drawn evenly while it forms, and what the result looks like.

Which steps are shown follows from the schedule alone. A shot is its finished picture; checkpoints hold it deflated, and
every few seconds the latest one becomes the run folder's current.png.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.io.files.atomic import atomic_path
from invrender.io.gif import write_gif
from invrender.io.video import write_mp4
from invrender.kernels import Backend
from invrender.ranks.world import are_several
from invrender.report.media import Filmed, excerpt
from invrender.run.drawer import Drawer
from invrender.run.folder import RunFolder
from invrender.run.shots import PACKING, Packed, Picture, Shot, Shots
from invrender.solve.loop import Step
from invrender.solve.protocol import Terms

FILM, CURRENT = "film.", "current.png"
HOLD = 6  # pictures for which one view of the input is shown
LAST = 2.0  # seconds for which the last picture stays
SHOWN = 3.0  # seconds after which current.png is written again, at the earliest
ROOM = 2**26  # bytes of shots that are kept as they are; others are packed


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
        aside: whether `draw` may be called by another thread while the solver goes on.
    """

    frames: int
    draw: Callable[[Any, Moment], Picture]
    ending: Callable[[Any, int], Ending]
    speed: float
    opening: Any = None
    most: int = 0
    video: bool = False
    aside: bool = False


def draws_aside(backend: Backend) -> bool:
    """Whether a film may be drawn by a thread beside the solver's: kernels on CPUs bring threads of their own."""
    return backend.device.type == "cpu"


class Reel:
    """Collects the shots of a film; of none where there is to be no film.

    They are drawn by another thread where the film allows it, while the solver goes on. What fails there fails the run,
    at the next step or when the shots are asked for.

    Args:
        film: what to draw.
        run: the folder that shows the latest shot while the run goes on.
        shots: those that a checkpoint holds.

    Attributes:
        excerpt: of what was written, for the report.
    """

    def __init__(self, film: Film | None, run: RunFolder, shots: Sequence[Packed] = ()) -> None:
        self._film = film
        self._run = run
        self._drawer = Drawer(film is not None and film.aside and not are_several())  # ranks are called by one thread
        self._shown = -math.inf
        self.excerpt: Filmed | None = None
        self._shots = Shots([Shot(packed=shot) for shot in shots])
        if film is not None and film.opening is not None and not shots:
            self._take(film, film.opening, Moment())
        elif shots:
            self._show(self._shots.all[-1])

    @property
    def shots(self) -> Shots:
        """Those taken so far, which may still be drawn."""
        return self._shots

    @property
    def seconds(self) -> float:
        """Of a core, that drawing has taken."""
        return self._drawer.seconds

    def step(self, step: Step) -> None:
        """Take a shot if one is due after this step."""
        if self._film is None:
            return
        frames = self._film.frames
        if (step.index + 1) * frames // step.total > step.index * frames // step.total:
            now = Moment(len(self._shots), step.phase.title, step.index + 1, step.total, step.terms)
            self._take(self._film, step.estimate, now)

    def _take(self, film: Film, estimate: Any, now: Moment) -> None:
        shot, before = Shot(), self._shots

        def draw() -> None:
            shot.keep(film.draw(estimate, now), ROOM - before.size)
            if time.monotonic() - self._shown >= SHOWN:
                self._show(shot)

        shot.drawn = self._drawer.do(draw)
        self._shots = Shots([*self._shots.all, shot])

    def _show(self, shot: Shot) -> None:
        """A shot as a file of its own, for whoever watches the run; it need not outlive a power failure."""
        with atomic_path(self._run.file(CURRENT), lasting=False) as temporary:
            Image.fromarray(shot.picture()).save(temporary, compress_level=PACKING)
        self._shown = time.monotonic()

    def write(self, result: Any) -> None:
        """Write the GIFs, and the films beside them; the current picture goes, for the run is at its end."""
        if self._film is None:
            return
        film = self._film
        self._drawer.finish()
        with self._drawer.counted():
            ending = film.ending(result, len(self._shots))
            kept = self._shots.all
            if film.most and len(kept) > film.most:
                kept = [kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, film.most).round().astype(int))]
            shown = [*(shot.picture() for shot in kept), *ending.progress]
            self._write("progress", shown, LAST)
            self.excerpt = excerpt(shown, 1000 / film.speed) if shown else None
            self._write("turntable", ending.turntable, 0.0)
        self._run.remove(CURRENT)
        self._run.log(f"pictures: {self.seconds:.2f} CPU seconds")

    def _write(self, name: str, pictures: Sequence[Picture], last: float) -> None:
        assert self._film is not None
        if not pictures:
            return
        speed = self._film.speed
        write_gif(self._run.file(f"{name}.gif"), pictures, speed, last)
        if self._film.video:
            held = [pictures[-1]] * round(last * speed)
            write_mp4(self._run.file(f"{name}.mp4"), [*pictures, *held], speed)


def film_files(frames: int, video: str | None, turning: bool) -> tuple[str, ...]:
    """The names of the films of a run, for its forecast."""
    names = ("progress", "turntable") if turning else ("progress",)
    kinds = ("gif",) if video is None else ("gif", video)
    return tuple(f"{name}.{kind}" for name in names for kind in kinds) if frames else ()


def pack_shots(shots: Shots) -> dict[str, NDArray[Any]]:
    """Shots as named arrays, as soon as they are drawn; none from the first on that could not be."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, shot in enumerate(shots.all):
        try:
            arrays[f"{FILM}{number}"] = shot.bytes()
        except Exception:  # noqa: BLE001 - it ends the run at the next step, whose state is to be saved all the same
            break
    return arrays


def unpack_shots(arrays: Mapping[str, NDArray[Any]]) -> list[Packed]:
    """The shots among named arrays, in their order."""
    found = {int(name.removeprefix(FILM)): array for name, array in arrays.items() if name.startswith(FILM)}
    return [found[number] for number in sorted(found)]
