"""Progress for people: a live bar on a terminal, a plain line every few seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from invrender.run.console import Messages
from invrender.run.events import Events

PLAIN_INTERVAL = 5.0  # seconds between lines off a terminal


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
    """

    def __init__(
        self,
        quiet: bool = False,
        console: Console | None = None,
        interval: float = PLAIN_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        events: Events | None = None,
    ) -> None:
        self._events = events or Events()
        self._console = console or Messages()
        self._quiet = quiet
        self._interval = interval
        self._clock = clock
        live = not quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._bar = _bar(self._console) if live else None
        self._task: TaskID | None = None
        self._name, self._total, self._before = "", 0, 0
        self._started = self._spoken = self._clock()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, name: str, total: int, before: int = 0) -> None:
        """Begin a phase of `total` steps, `before` of which an earlier process took; the phase before it ends here."""
        self._name, self._total, self._before = name, total, before
        self._started = self._spoken = self._clock()
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total, terms="")

    def expect(self, total: int) -> None:
        """How many steps the phase will take, by what is known now."""
        self._total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)

    def step(self, index: int, terms: Mapping[str, float] | None = None, **more: float) -> None:
        """Report that step `index` (0 first) is done, with the losses and qualities worth showing."""
        done = index + 1
        now = self._clock()
        left = self._left(done, now - self._started)
        self._events.step(self._name, done, self._total, {**(terms or {}), **more}, left)
        if self._quiet:
            return
        text = describe({**(terms or {}), **more})
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, terms=f"{text}  {self._speed(done, now - self._started)}")
        elif done >= self._total or now - self._spoken >= self._interval:
            self._spoken = now
            self._console.print(self._line(done, text, now - self._started, left), markup=False)

    def say(self, message: str) -> None:
        """A line of its own, above the bar where there is one."""
        if not self._quiet:
            self._console.print(message, markup=False)

    def warn(self, message: str) -> None:
        """A warning, which is shown even when quiet."""
        self._events.tell("warning", text=message)
        self._console.print(f"warning: {message}", markup=False)

    def _left(self, done: int, elapsed: float) -> float:
        """Seconds for the rest of the phase, at the speed so far."""
        return elapsed / max(done - self._before, 1) * (self._total - done)

    def _line(self, done: int, text: str, elapsed: float, left: float) -> str:
        parts = [f"{self._name} {done}/{self._total}", text, self._speed(done, elapsed)]
        if left > 0:
            parts.append(f"{left:.0f} s left")
        return "  ".join(part for part in parts if part)

    def _speed(self, done: int, elapsed: float) -> str:
        return f"{(done - self._before) / elapsed:.1f} it/s" if elapsed > 0 else ""


def describe(terms: Mapping[str, float]) -> str:
    """`loss 0.0123  iou 0.987`: a few significant digits each."""
    return "  ".join(f"{name} {value:.4g}" for name, value in terms.items())


def _bar(console: Console) -> Bar:
    return Bar(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[terms]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
