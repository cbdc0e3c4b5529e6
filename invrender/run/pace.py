"""How long the rest of some steps takes, and whether a number rises or falls: what a line of progress tells.

The time left comes from the last steps alone, so that what was slow once (the first step, in which kernels are
compiled; a checkpoint) is soon forgotten. It is not told before enough is known.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

WINDOW = 30.0  # seconds of steps that the speed is taken from
FEWEST = 5  # steps that it is taken from, however slow they are
MOST = 256  # and at most
EARLY = 2.0  # seconds after which a time is told
SHARE = 0.02  # of the steps that have to be done before
STEADY = 1e-3  # change of a number, relative to it, below which it neither rises nor falls


@dataclass
class Pace:
    """The speed of a phase of `total` steps, `before` of which an earlier process took; `began`: when, in seconds."""

    total: int
    before: int
    began: float
    _times: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=MOST))

    def step(self, done: int, now: float) -> None:
        """So many steps are done now."""
        self._times.append((done, now))
        while len(self._times) > FEWEST + 1 and now - self._times[0][1] > WINDOW:
            self._times.popleft()

    @property
    def speed(self) -> float | None:
        """Steps a second; None before two were timed, the first of which does not count."""
        if len(self._times) < 2:
            return None
        (first, began), (last, ended) = self._times[0], self._times[-1]
        return (last - first) / (ended - began) if ended > began and last > first else None

    @property
    def left(self) -> float | None:
        """Seconds for the rest of the phase; None while nobody can tell."""
        speed = self.speed
        if not self._times:
            return None
        if self._times[-1][0] >= self.total:
            return 0.0
        done, now = self._times[-1]
        early = now - self.began < EARLY or done - self.before < SHARE * self.total
        return None if speed is None or early or len(self._times) < 3 else (self.total - done) / speed

    @property
    def whole(self) -> float | None:
        """Seconds for all steps of the phase at that speed, those of earlier processes too."""
        return None if self.speed is None else self.total / self.speed


@dataclass
class Trend:
    """Whether a number rises or falls over the last twentieth of `total` steps, against the time before."""

    total: int
    _fast: float = math.nan
    _slow: float = math.nan

    def step(self, value: float) -> int:
        """-1: it falls; 0: it stays; 1: it rises."""
        if not math.isfinite(value):
            return 0
        if math.isnan(self._fast):
            self._fast = self._slow = value
            return 0
        steps = max(0.05 * self.total, 2.0)
        self._fast += (value - self._fast) * min(2 / steps, 1.0)
        self._slow += (value - self._slow) / (2 * steps)
        change = self._fast - self._slow
        return 0 if abs(change) <= STEADY * abs(self._slow) else (1 if change > 0 else -1)


def for_people(seconds: float) -> str:
    """A time that is known roughly: `8 s`, `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 10:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {10 * (minutes % 60 // 10)} min"
