"""The ramp filter of filtered back-projection, made in space to be right at low frequencies, and its windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch

Tensor = torch.Tensor

Filter = Literal["ram-lak", "shepp-logan", "cosine", "hann"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

_WINDOWS: dict[Filter, Callable[[Tensor], Tensor]] = {
    "ram-lak": torch.ones_like,
    "shepp-logan": lambda x: torch.sinc(x / 2),
    "cosine": lambda x: torch.cos(math.pi / 2 * x),
    "hann": lambda x: 0.5 + 0.5 * torch.cos(math.pi * x),
}
"""By the frequency as a share of the highest that samples hold."""


def padded_length(columns: int) -> int:
    """Samples of a row with as many zeros as keep a convolution from meeting itself: a power of two."""
    return 1 << math.ceil(math.log2(max(2 * columns, 2)))


def response(length: int, pitch: float, name: Filter) -> Tensor:
    """[length // 2 + 1] float64: what a filter multiplies the spectrum of a row of so many samples with.

    The ramp is the transform of its band-limited kernel, 1 / (4 pitch^2) in the middle, 0 at even and
    -1 / (pi n pitch)^2 at odd distances (Kak and Slaney 1988, equation 3.61), not |frequency| sampled: that would be 0
    at frequency 0, which takes a constant off the result.
    """
    distance = torch.arange(length, dtype=torch.float64)
    distance = torch.minimum(distance, length - distance)
    odd = distance % 2 == 1
    kernel = torch.where(odd, -1 / (math.pi * torch.where(odd, distance, 1.0) * pitch) ** 2, 0.0)
    kernel[0] = 1 / (4 * pitch**2)
    spectrum = torch.fft.rfft(kernel).real * pitch
    shaped: Tensor = spectrum * _WINDOWS[name](torch.linspace(0, 1, length // 2 + 1, dtype=torch.float64))
    return shaped


def filtered_rows(rows: Tensor, pitch: float, name: Filter) -> Tensor:
    """Rows [...,W], samples `pitch` apart and 0 beyond their ends, after the filter; of the same kind."""
    length = padded_length(rows.shape[-1])
    spectrum = torch.fft.rfft(rows, length)
    spectrum *= response(length, pitch, name).to(rows.device, rows.dtype)
    found: Tensor = torch.fft.irfft(spectrum, length)[..., : rows.shape[-1]]
    return found
