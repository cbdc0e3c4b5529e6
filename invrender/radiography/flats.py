"""From recorded counts to transmittances: dark counts taken off, and what light there is without an object.

Frames may lie on disk: they are read and divided block by block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from invrender.errors import InputError
from invrender.nouns.scan import Scan

Tensor = torch.Tensor

BLOCK = 2**22  # pixels that are worked on at once
DULL = 0.02  # share of the flat's median below which a pixel tells nothing of the light
EMPTY = 0.5  # share of pixels that have to be brighter without an object than without light
FULL = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 15, 16))  # counts at which converters are at their end


@dataclass(frozen=True)
class Beam:
    """How frames become transmittances.

    Attributes:
        scan: whose frames they are.
        dark: [H,W] counts without light, or None: none.
        flats: [F,H,W] of light without an object, after the dark counts; with none the light is `level` everywhere.
        when: [F] of the scan, ascending.
        level: by which transmittances are divided, for all frames.
        drift: [N] by which each frame's are divided besides.
        saturation: recorded counts from which on a pixel is full; None: never.
    """

    scan: Scan
    dark: Tensor | None = None
    flats: Tensor | None = None
    when: Tensor | None = None
    level: float = 1.0
    drift: Tensor | None = None
    saturation: float | None = None
    brightness: Tensor | None = field(default=None)

    def light(self, frames: Tensor) -> Tensor:
        """Transmittances [n,H,W] float32 of some frames by number; NaN where a pixel is full, or sees no light."""
        values = torch.stack([self.scan.frames[number].float() for number in frames.tolist()])
        if self.scan.values == "line-integral":
            values = torch.exp(-values)
        full = values >= self.saturation if self.saturation is not None else None
        if self.dark is not None:
            values = values - self.dark
        if self.flats is not None:
            flat = self._flat(frames)
            values = torch.where(flat > 0, values / flat.clamp(min=1e-30), torch.nan)
        values = values / self.level
        if self.drift is not None:
            values = values / self.drift[frames][:, None, None].float()
        values = torch.where(values.isfinite(), values, torch.nan)
        return values if full is None else torch.where(full, torch.nan, values)

    def _flat(self, frames: Tensor) -> Tensor:
        """[n or 1,H,W] the light without an object, between the flat frames before and after."""
        assert self.flats is not None
        assert self.when is not None
        if len(self.flats) == 1:
            return self.flats
        time = frames.double() / max(1, len(self.scan) - 1)
        after = torch.searchsorted(self.when, time).clamp(1, len(self.when) - 1)
        start, end = self.when[after - 1], self.when[after]
        share = ((time - start) / (end - start)).clamp(0, 1).float()[:, None, None]
        between: Tensor = (1 - share) * self.flats[after - 1] + share * self.flats[after]
        return between


def blocks(count: int, size: tuple[int, int]) -> Iterator[Tensor]:
    """Numbers of frames of that size, in blocks that fit in little memory."""
    step = max(1, BLOCK // max(1, size[0] * size[1]))
    for first in range(0, count, step):
        yield torch.arange(first, min(first + step, count))


def sampled(count: int, size: tuple[int, int], most: int = 64) -> Tensor:
    """Numbers of frames over the whole scan that speak for all."""
    chosen = max(2, min(most, count, 4 * BLOCK // max(1, size[0] * size[1])))
    spread: Tensor = torch.linspace(0, count - 1, min(chosen, count)).round().long().unique()
    return spread


def beam_of(scan: Scan) -> tuple[Beam, list[str]]:
    """How the frames of a scan become transmittances, before anything is known of the air, and what was done.

    Raises:
        InputError: flat frames without light, or not brighter than the dark.
    """
    full = _full(scan)
    if scan.values != "counts":
        return Beam(scan, saturation=full), []
    dark, log = scan.dark, []
    if dark is not None:
        log.append(f"dark: {float(dark.float().median()):.4g} counts taken off (median)")
        dark = dark.float()
    if not scan.flats:
        return Beam(scan, dark, saturation=full), log
    flats, when = _sorted(scan, dark)
    log.append(
        f"flat: {len(flats)} frames{' interpolated in time' if len(flats) > 1 else ''}, "
        f"{float(flats.median()):.5g} counts (median)"
    )
    middle = flats.mean(0)
    dull = middle < DULL * middle.median()
    flats = torch.where(dull, torch.nan, flats)
    brightness = torch.where(dull, torch.nan, middle / middle[~dull].median())
    return Beam(scan, dark, flats, when, saturation=full, brightness=brightness), log


def _full(scan: Scan) -> float | None:
    """From which counts on a pixel is full: as it is said, or where a converter of whole numbers is at its end."""
    if scan.preparation.saturation is not None or scan.values != "counts" or scan.frames.dtype.is_floating_point:
        return scan.preparation.saturation
    most = max(float(scan.frames[int(number)].float().max()) for number in sampled(len(scan), scan.geometry.size))
    return most if most in FULL else None


def _sorted(scan: Scan, dark: Tensor | None) -> tuple[Tensor, Tensor]:
    """Flat frames less the dark [F,H,W], and when they were taken [F]; those of one time are averaged."""
    taken: dict[float, list[Tensor]] = {}
    for number, flat in enumerate(scan.flats):
        image = flat.image.float() - (0 if dark is None else dark)
        if float((image > 0).float().mean()) < EMPTY:
            raise InputError(
                f"flat {number} (of time {flat.when:g}) is no brighter than "
                f"{'nothing' if dark is None else 'the dark frame'}: median {float(flat.image.float().median()):.4g}"
                + ("" if dark is None else f" against {float(dark.median()):.4g}"),
                "give flats that were taken with the source on and no object (are flat and dark swapped?), or leave "
                "them out and take the light from the air: i0 = auto",
            )
        taken.setdefault(float(flat.when), []).append(image)
    times = sorted(taken)
    return torch.stack([torch.stack(taken[time]).mean(0) for time in times]), torch.tensor(times, dtype=torch.float64)
