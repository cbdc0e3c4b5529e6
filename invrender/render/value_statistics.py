"""What the values of a volume tell about how to show it: its background, its window, how its values are spread."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns import Volume
from invrender.render.transfer import ROWS
from invrender.shading.density_gradient import value_gradient

Tensor = torch.Tensor
Window = tuple[float, float]

FAINT = 0.02  # of the range: nearer to the background is background


@dataclass(frozen=True)
class Statistics:
    """What a look is made from.

    Attributes:
        background: the value around the object.
        window: the values between which it shows, low < high.
        shares: [N] float64, the sorted places in the window of what is no background.
        steepness: [ROWS] float64 in [0, 1], the mean length of the gradient at each place over the greatest.
    """

    background: float
    window: Window
    shares: Tensor
    steepness: Tensor


def statistics(volume: Volume, window: Window | None = None) -> Statistics:
    """Background, window, distribution and gradients of a volume's first channel; see `Statistics`."""
    values = volume.values[0].detach().double().cpu()
    background = background_of(values)
    least = float(values.min())
    matter = _matter(values, background)
    if window is None:
        window = robust_window(matter, background, least)
    low, high = window
    shares = ((matter - low) / (high - low)).clamp(0, 1).sort().values
    place = ((values - low) / (high - low) * (ROWS - 1)).round().clamp(0, ROWS - 1).long().flatten()
    length = value_gradient(values, volume.bounds).norm(dim=-1).flatten()
    total = torch.zeros(ROWS, dtype=torch.float64).index_add_(0, place, length)
    count = torch.zeros(ROWS, dtype=torch.float64).index_add_(0, place, torch.ones_like(length))
    mean = _smoothed(total) / _smoothed(count).clamp(min=1e-9)
    return Statistics(background, window, shares, mean / mean.max().clamp(min=1e-30))


def percentiles(volume: Volume, shares: tuple[float, float]) -> Window:
    """The values that such percentages of what is no background stay below."""
    values = volume.values[0].detach().double().cpu()
    ordered = _matter(values, background_of(values)).sort().values
    low, high = (float(ordered[round(share / 100 * (len(ordered) - 1))]) for share in shares)
    return low, high


def is_hounsfield(volume: Volume) -> bool:
    """Whether values look like Hounsfield units: air around -1000, and something above water."""
    values = volume.values[0].detach()
    return (
        len(volume.values) == 1 and float(values.max()) > 100 and -1100 <= background_of(values.double().cpu()) <= -850
    )


def background_of(values: Tensor) -> float:
    """The middle value on the six faces of a grid [D,H,W]; the least value where they hold matter."""
    faces = [values[0], values[-1], values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]]
    border = torch.cat([face.flatten() for face in faces])
    middle, least, most = float(border.median()), float(values.min()), float(values.max())
    calm = float(((border - middle).abs() < FAINT * max(most - least, 1e-30)).double().mean()) > 0.5
    return middle if calm else least


def _matter(values: Tensor, background: float) -> Tensor:
    """The values [N] of what is no background; all where nothing else is."""
    span = max(float(values.max() - values.min()), 1e-30)
    matter = values[(values - background).abs() > FAINT * span]
    return matter if len(matter) else values.flatten()


def robust_window(matter: Tensor, background: float, least: float) -> Window:
    """From the background, or below it where there is matter too, to what 99.7 % of the matter stay below."""
    ordered = matter.sort().values
    high = float(ordered[int(0.997 * (len(ordered) - 1))])
    under = float((ordered < background).double().mean())
    low = float(ordered[int(0.003 * (len(ordered) - 1))]) if under > 0.05 else background
    return (low, high) if high > low else (least, max(float(ordered[-1]), least + 1))


def _smoothed(histogram: Tensor) -> Tensor:
    """A histogram [ROWS] as a Gaussian of eight rows sees it."""
    offsets = torch.arange(-24, 25, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / 8) ** 2)
    padded = torch.nn.functional.pad(histogram[None, None], (24, 24), mode="replicate")
    return torch.nn.functional.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
