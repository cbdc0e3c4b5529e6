"""Camera paths: key frames, and the smooth way through them.

Between keys p_i at times t_i goes a cubic Hermite curve whose tangents are those of Catmull and Rom 1974 ("A class of
local interpolating splines") for keys at any times, m_i = (p_(i+1) - p_(i-1)) / (t_(i+1) - t_(i-1)), at open ends the
slope to the neighbour. It passes through every key, and its speed is continuous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender.cameras.viewpoint import Viewpoint
from invrender.errors import UsageError

Tensor = torch.Tensor

FPS = 20.0


@dataclass(frozen=True)
class CameraPath:
    """A camera that moves.

    Attributes:
        times: of the keys in seconds, rising.
        keys: where the camera is then, at least two.
        fps: pictures a second.
        closed: whether it goes on from the last key to the first, in the mean time between keys.
    """

    times: tuple[float, ...]
    keys: tuple[Viewpoint, ...]
    fps: float = FPS
    closed: bool = False

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: there are too few keys, times do not rise, the speed is none, or only some keys are parallel.
        """
        if len(self.keys) < 2 or len(self.keys) != len(self.times):
            raise UsageError(f"a camera path of {len(self.keys)} keys goes nowhere", "give at least two, with times")
        if len({key.extent is None for key in self.keys}) > 1:
            raise UsageError(
                "some keys of a camera path are parallel cameras, others perspective ones",
                "give all keys an extent, or none",
            )
        for k, (before, after) in enumerate(zip(self.times, self.times[1:], strict=False)):
            if not after > before:
                raise UsageError(
                    f"the times of a camera path do not rise: key {k + 2} is at {after:g} s, after one at {before:g} s",
                    "sort the keys by time, each later than the one before",
                )
        if not 0 < self.fps <= 1000:
            raise UsageError(f"a camera path of {self.fps:g} pictures a second is impossible", "use 0 < fps <= 1000")

    @property
    def duration(self) -> float:
        """Seconds from the first key to the last, of a closed path to the first again."""
        length = self.times[-1] - self.times[0]
        return length + length / (len(self.times) - 1) if self.closed else length

    @property
    def frames(self) -> int:
        """How many pictures it has: both ends of an open path, of a closed one its start once."""
        steps = max(1, round(self.duration * self.fps))
        return steps if self.closed else steps + 1

    def viewpoints(self, count: int | None = None) -> list[Viewpoint]:
        """`count` viewpoints at even times (None: `frames`), of an open path from end to end; one is the start.

        Raises:
            UsageError: on its way the eye meets the target, or the camera looks along `up`.
        """
        number = self.frames if count is None else count
        parts = number if self.closed else max(number - 1, 1)
        return [self.at(self.times[0] + self.duration * k / parts) for k in range(number)]

    def at(self, time: float) -> Viewpoint:
        """The viewpoint at a time, of a closed path however late; else within the ends."""
        numbers = [[*key.eye, *key.target, *key.up, key.fov, key.extent or 0.0] for key in self.keys]
        curve = _curve(self.times, torch.tensor(numbers, dtype=torch.float64), self.duration if self.closed else None)
        eye, target, up, fov, extent = torch.split(curve(time), [3, 3, 3, 1, 1])
        seen = None if self.keys[0].extent is None else float(extent)
        return Viewpoint(_triple(eye), _triple(target), _triple(up), float(fov), seen)


@dataclass(frozen=True)
class _Hermite:
    """Pieces between times [K], with values and slopes [K,C] at their ends."""

    times: tuple[float, ...]
    values: Tensor
    slopes: Tensor
    period: float | None

    def __call__(self, time: float) -> Tensor:
        first, last = self.times[0], self.times[-1]
        if self.period is not None:
            time = first + (time - first) % self.period
        time = min(max(time, first), last)
        k = max(i for i, start in enumerate(self.times[:-1]) if start <= time)
        length = self.times[k + 1] - self.times[k]
        s = (time - self.times[k]) / length
        weights = (2 * s**3 - 3 * s**2 + 1, s**3 - 2 * s**2 + s, 3 * s**2 - 2 * s**3, s**3 - s**2)
        a, b = self.values[k], self.values[k + 1]
        return weights[0] * a + weights[1] * length * self.slopes[k] + weights[2] * b + weights[3] * length * (
            self.slopes[k + 1]
        )  # fmt: skip


def _curve(times: Sequence[float], values: Tensor, period: float | None) -> _Hermite:
    """The curve through values [K,C] at times; with a period it is closed."""
    ends, points = list(times), values
    if period is not None:
        ends, points = [*ends, times[0] + period], torch.cat([values, values[:1]])
    at = torch.tensor(ends, dtype=torch.float64)[:, None]
    slopes = torch.empty_like(points)
    slopes[1:-1] = (points[2:] - points[:-2]) / (at[2:] - at[:-2])
    first, last = (points[1] - points[0]) / (at[1] - at[0]), (points[-1] - points[-2]) / (at[-1] - at[-2])
    if period is None:
        slopes[0], slopes[-1] = first, last
    else:
        across = (points[1] - points[-2]) / (at[1] - at[0] + at[-1] - at[-2])
        slopes[0] = slopes[-1] = across
    return _Hermite(tuple(ends), points, slopes, period)


def _triple(values: Tensor) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values.tolist())
    return x, y, z
