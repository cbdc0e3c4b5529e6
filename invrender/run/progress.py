"""Progress for people: a live bar on a terminal, a plain line every few seconds elsewhere, nothing when quiet.

Both tell the same: the phase, its steps, one number that says how good it is by now with its trend, and the time left.

    refine 75/150  IoU 0.962 rising  40 s left
    try smoothness 0.5 12/40  loss 0.0123 falling  5 s left in this phase

All other terms and the speed follow where progress is verbose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from invrender.run.console import Messages
from invrender.run.events import Events
from invrender.run.pace import Pace, Trend, for_people

PLAIN_INTERVAL = 5.0  # seconds between lines off a terminal
QUALITY = ("iou", "psnr", "misfit", "loss")  # the terms that tell best how good an estimate is, best first
NAMES = {"iou": "IoU", "psnr": "PSNR", "misfit": "error", "colours": "colour error"}
UNITS = {"psnr": " dB"}
ARROWS = {1: "\N{UPWARDS ARROW}", 0: "\N{RIGHTWARDS ARROW}", -1: "\N{DOWNWARDS ARROW}"}
WORDS = {1: "rising", 0: "steady", -1: "falling"}


class Progress:
    """Shows how far the work is; use it as a context manager.

        with Progress() as progress:
            progress.start("refine", total=400)
            for step in ...:
                progress.step(step.index, loss=step.loss, iou=step.iou)

    Args:
        quiet: show nothing at all (errors come from elsewhere).
        console: where to write; stderr if None.
        interval: seconds between plain lines off a terminal.
        clock: seconds that only grow; tests pass their own.
        events: hears of steps and warnings, too, quiet or not.
        verbose: show all terms and the speed as well.
        quality: names of terms, of which the first that there is tells how good the estimate is.
    """

    def __init__(
        self,
        quiet: bool = False,
        console: Console | None = None,
        interval: float = PLAIN_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        events: Events | None = None,
        verbose: bool = False,
        quality: Sequence[str] = QUALITY,
    ) -> None:
        self._events = events or Events()
        self._console = console or Messages()
        self._quiet, self._verbose, self._quality = quiet, verbose, quality
        self._interval = interval
        self._clock = clock
        live = not quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._bar = _bar(self._console) if live else None
        self._words = ARROWS if self._console.encoding.startswith("utf") else WORDS
        self._task: TaskID | None = None
        self._name = ""
        self._ending: float | None = None
        self._closing = ("", 0.0)
        self._spoken = self._clock()
        self._pace, self._trend = Pace(0, 0, self._spoken), Trend(0)

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, name: str, total: int, before: int = 0, ending: float | None = 0.0) -> None:
        """Begin a phase; the one before it ends here.

        Args:
            name: of the phase.
            total: how many steps it takes.
            before: how many of these an earlier process took.
            ending: how long it takes after the last step until all is done, as a share of the phase's own time; None:
                other phases follow, and nobody knows how long those take.
        """
        self._name, self._ending, self._spoken = name, ending, self._clock()
        self._pace, self._trend = Pace(total, before, self._spoken), Trend(total)
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total, completed=before, text="")

    def expect_last(self, name: str, ending: float) -> None:
        """Which phase is the last one that `at` tells of, and how long what follows it takes, as a share of it."""
        self._closing = (name, ending)

    def at(self, name: str, total: int, index: int, terms: Mapping[str, float]) -> None:
        """Report a step of a phase that begins with it, or goes on; an earlier process may have taken those before."""
        if name != self._name:
            last, ending = self._closing
            self.start(name, total, index, ending if name == last else None)
        self.step(index, terms)

    def expect(self, total: int) -> None:
        """How many steps the phase will take, by what is known now."""
        self._pace.total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)

    def step(self, index: int, terms: Mapping[str, float] | None = None, **more: float) -> None:
        """Report that step `index` (0 first) is done, with the losses and qualities worth showing."""
        done, now, every = index + 1, self._clock(), {**(terms or {}), **more}
        self._pace.step(done, now)
        self._events.step(self._name, done, self._pace.total, every, self._pace.left)
        if self._quiet:
            return
        text = self._text(every)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, text=text)
        elif done >= self._pace.total or now - self._spoken >= self._interval:
            self._spoken = now
            self._say(f"{self._name} {done}/{self._pace.total}  {text}".rstrip())

    def stage(self, name: str) -> None:
        """What is done now that has no steps."""
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=None, text="")
        elif self._bar is None:
            self.say(name)

    def say(self, message: str) -> None:
        """A line of its own, above the bar where there is one."""
        if not self._quiet:
            self._say(message)

    def warn(self, message: str) -> None:
        """A warning, which is shown even when quiet."""
        self._events.tell("warning", text=message)
        self._say(f"warning: {message}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)

    def _text(self, terms: Mapping[str, float]) -> str:
        """What follows the steps: the quality, the time left, and all else where that is wanted."""
        parts = [self._judged(terms), self._left()]
        if self._verbose:
            speed = self._pace.speed
            parts += [describe(terms), "" if speed is None else f"{speed:.3g} steps/s"]
        return "  ".join(part for part in parts if part)

    def _judged(self, terms: Mapping[str, float]) -> str:
        key = telling(terms, self._quality)
        if key is None:
            return ""
        return f"{shown(key, terms[key])} {self._words[self._trend.step(terms[key])]}"

    def _left(self) -> str:
        """The time left: for all that is to be done, where that is known."""
        left, whole = self._pace.left, self._pace.whole
        if not left:
            return ""
        if self._ending is None:
            return f"{for_people(left)} left in this phase"
        return f"{for_people(left + self._ending * (whole or 0.0))} left"


def telling(terms: Mapping[str, Any], wanted: Sequence[str] = QUALITY) -> str | None:
    """The name of the term that tells best how good an estimate is; None where there is none."""
    return next((name for name in (*wanted, *QUALITY, *terms) if name in terms), None)


def shown(name: str, value: float) -> str:
    """A term for people: `IoU 0.962`, `PSNR 32.1 dB`."""
    return f"{NAMES.get(name, name)} {value:.4g}{UNITS.get(name, '')}"


def describe(terms: Mapping[str, float]) -> str:
    """`loss 0.0123  iou 0.987`: a few significant digits each."""
    return "  ".join(f"{name} {value:.4g}" for name, value in terms.items())


class _Steps(MofNCompleteColumn):
    """Steps done, of how many; nothing where there are none to count."""

    def render(self, task: Any) -> Text:
        return super().render(task) if task.total else Text("")


def _bar(console: Console) -> Bar:
    return Bar(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=16),
        _Steps(),
        TextColumn("{task.fields[text]}", markup=False),
        console=console,
        transient=True,
    )
