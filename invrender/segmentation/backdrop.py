"""What stands behind the object in photographs: found along the pictures' borders, over all views together.

A backdrop is dark, light or of one colour, and may be shaded: over a picture its colour is a quadratic polynomial of
the position, fitted robustly, so that an object that touches the border does not spoil it. Where the borders of most
views fit none, there is clutter, and differences from a backdrop mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]

RING = 0.02  # width of the border that is looked at, as a share of the smaller side
SAMPLES = 4000  # pixels of each view's border that are fitted to
CLOSE = 0.1  # a pixel of the backdrop differs from the fit by no more than this (sRGB, the worst of three channels),
PLAIN = 0.6  # nor do so many of the border's pixels in most views where there is a backdrop
ROUNDS = 6
DARK, LIGHT = 0.25, 0.75
FLAT = 0.01  # noise below which a backdrop is like no shade of an object, not even if it is dark


@dataclass(frozen=True)
class Backdrop:
    """The backdrop of each view.

    Attributes:
        coefficients: [N,6,3] of 1, x, y, x^2, xy, y^2 with x, y in [-1, 1] across the picture; sRGB-encoded.
        share: [N], of the border's pixels that fit.
        noise: how far pixels of the backdrop differ from the fit: 99 of 100 no farther than this.
        level: [3], the usual colour.
    """

    coefficients: NDArray[np.float64]
    share: NDArray[np.float64]
    noise: float
    level: NDArray[np.float64]

    @property
    def plain(self) -> bool:
        """Whether there is one, and no clutter."""
        return float(np.median(self.share)) >= PLAIN

    @property
    def kind(self) -> str:
        """dark, light, grey or coloured."""
        if self.level.max() < DARK:
            return "dark"
        if self.level.min() > LIGHT:
            return "light"
        return "grey" if np.ptp(self.level) < CLOSE else "coloured"

    @property
    def clear(self) -> bool:
        """Whether no shade of an object is likely to look like the backdrop: shadows look like a dark one."""
        return self.kind != "dark" or self.noise < FLAT

    def distance(self, view: int, picture: Floats) -> Floats:
        """How far the pixels [H,W] of a view are from its backdrop: the worst of three channels, sRGB-encoded."""
        away: Floats = np.abs(picture - self.colours(view, picture.shape[:2])).max(-1)
        return away

    def colours(self, view: int, size: tuple[int, ...]) -> Floats:
        """The backdrop of a view, [H,W,3] sRGB-encoded."""
        y, x = np.meshgrid(*(_centred(side) for side in size), indexing="ij")
        fitted: Floats = (_basis(x, y) @ self.coefficients[view]).clip(0, 1).astype(np.float32)
        return fitted


def find_backdrop(pictures: Iterable[Floats], outside: Iterable[Bools]) -> Backdrop:
    """Fit a backdrop to each view.

    Args:
        pictures: [H,W,3] each, sRGB-encoded in [0, 1].
        outside: [H,W] each, the pixels that can be of the backdrop alone.
    """
    samples = [_sample(picture, where) for picture, where in zip(pictures, outside, strict=True)]
    pooled = _fit(np.concatenate([basis for basis, _ in samples]), np.concatenate([colour for _, colour in samples]))
    fits = [_better(basis, colour, pooled) for basis, colour in samples]
    away = [_away(fit, *sample) for fit, sample in zip(fits, samples, strict=True)]
    share = np.array([float((each < CLOSE).mean()) for each in away])
    kept = np.concatenate([each[each < 2 * CLOSE] for each in away])
    noise = float(np.percentile(kept, 99)) if len(kept) else 1.0
    level = np.median(np.concatenate([basis @ fit for fit, (basis, _) in zip(fits, samples, strict=True)]), axis=0)
    return Backdrop(np.stack(fits), share, noise, level)


def border_of(covered: Bools, inside: Bools | None) -> Bools:
    """Where the backdrop is looked for, [H,W]: outside the object's box, or else along the border of the picture.

    Args:
        covered: [H,W], where there is a picture.
        inside: [H,W], where the object can be; None: anywhere.
    """
    from scipy import ndimage

    ring = max(2, round(RING * min(covered.shape)))
    border: Bools = covered & ~ndimage.binary_erosion(covered, iterations=ring)
    if inside is None:
        return border
    outside: Bools = covered & ~inside
    return outside if outside.sum() >= border.sum() / 2 else outside | border


def _sample(picture: Floats, outside: Bools) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Basis [P,6] and colours [P,3] of some of the pixels."""
    height, width = outside.shape
    rows, columns = np.nonzero(outside)
    step = max(1, len(rows) // SAMPLES)
    rows, columns = rows[::step], columns[::step]
    return _basis(_centred(width)[columns], _centred(height)[rows]), picture[rows, columns].astype(np.float64)


def _centred(count: int) -> NDArray[np.float64]:
    return (np.arange(count) + 0.5) / count * 2 - 1


def _basis(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)


def _fit(
    basis: NDArray[np.float64], colour: NDArray[np.float64], begin: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Least squares over the pixels that fit, again and again; first to a constant, then to more."""
    fit = np.zeros((basis.shape[1], 3))
    if begin is None:
        fit[0] = np.median(colour, axis=0)
    else:
        fit = begin
    for number in range(ROUNDS):
        terms = 6 if begin is not None else (1, 3, 3, 6, 6, 6)[number]
        reach = CLOSE * (3.0, 2.5, 2.0, 1.5, 1.2, 1.0)[number]
        inside = _away(fit, basis, colour) < reach
        if inside.sum() < 50:
            return fit
        fit = np.zeros_like(fit)
        fit[:terms] = np.linalg.lstsq(basis[inside, :terms], colour[inside], rcond=None)[0]
    return fit


def _better(
    basis: NDArray[np.float64], colour: NDArray[np.float64], pooled: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A view's own fit, or the one that goes on from that of all views: whichever more of its border agrees with."""
    fits = (_fit(basis, colour, pooled), _fit(basis, colour), pooled)
    return max(fits, key=lambda fit: float((_away(fit, basis, colour) < CLOSE / 2).mean()))


def _away(fit: NDArray[np.float64], basis: NDArray[np.float64], colour: NDArray[np.float64]) -> NDArray[np.float64]:
    away: NDArray[np.float64] = np.abs(colour - (basis @ fit).clip(0, 1)).max(1)
    return away
