"""Looks of volumes: transfer functions that show structure without a number from the user, read off the values.

What is background is taken from the faces of the grid, the window from percentiles of the rest, and the strength from
how much light is to be absorbed on the way through: the opacity of a look is a shape, which is scaled until a ray among
the densest tenth has a certain optical depth. So thin clouds and blocks of stone both show their inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.colour import srgb_to_linear
from invrender.errors import UsageError
from invrender.nouns import Volume
from invrender.nouns.transfer import REFERENCE, TransferFunction
from invrender.render.opacity_curves import curve
from invrender.render.transfer import ROWS, colours_of, opacity_of
from invrender.render.value_statistics import (
    Statistics,
    Window,
    background_of,
    is_hounsfield,
    robust_window,
    statistics,
)
from invrender.shading.density_gradient import Lighting

Tensor = torch.Tensor

SEEN_DEPTH, SEEN_SHARE = 2.4, 0.9  # nine tenths of the rays that meet anything have at most this optical depth
COARSE = 48  # samples along a side of what statistics are made of
CROP = 0.14  # of a dark colormap's low end, which is not to be told from a dark background
OPAQUE = 0.8  # of 1/32 of the longest axis
SHARP = 0.03  # from one row of the transfer function to the next
MIDDLE = 0.45  # place in the colormap of half of what is seen

LOOKS = ("auto", "linear", "glow", "cloud", "shells", "solid", "bone", "skin", "ct")

_BONE = "0:#7a5c45,0.25:#b99a78,0.5:#e8d9bd,1:#fffaf0"
_SKIN = "0:#5a2a1c,0.35:#c98a68,0.7:#eebf9f,1:#fff0e0"
_CT = "0:#8a3b26,0.30:#d08a66,0.42:#d9967a,0.52:#e9d2b4,0.75:#f6ecd9,1:#ffffff"
_CLOUD = "0:#8ea3bd,0.4:#c9d4e2,1:#ffffff"
_LAYERS = ((0, 0), (0.12, 0), (0.2, 0.05), (0.26, 0.012), (0.33, 0.012), (0.42, 0.3), (0.6, 0.9), (1, 1))
"""Opacity of look ct: air nothing, skin a veil, soft matter almost nothing, bone solid."""


@dataclass(frozen=True)
class Look:
    """What a look makes of a volume: its transfer function and its lighting (None: it glows)."""

    transfer: TransferFunction
    lighting: Lighting | None


def check_look(name: str) -> str:
    """
    Raises:
        UsageError: there is no such look.
    """
    if name not in LOOKS:
        raise UsageError(f"there is no look {name!r}", f"choose one of {', '.join(LOOKS)}")
    return name


def look_of(
    volume: Volume,
    name: str = "auto",
    colormap: str | None = None,
    opacity: str | None = None,
    strength: float | None = None,
    window: Window | None = None,
) -> Look:
    """How a volume of one channel is shown.

    Args:
        volume: whose values tell what is not given.
        name: of `LOOKS`.
        colormap, opacity: as `render.transfer.transfer_function` takes them; None: the look's.
        strength: the opacity at the greatest; None: as much as shows the inside.
        window: the values at the first and the last row; None: the look's.

    Raises:
        UsageError: a name or a number makes no sense.
    """
    check_look(name)
    if name == "auto" and is_hounsfield(volume):
        name = "ct"
    if strength is not None and not 0 < strength <= 1:
        raise UsageError(f"an opacity of {strength:g} is impossible", "use 0 < opacity <= 1")
    if window is not None and not window[1] > window[0]:
        raise UsageError(f"the window from {window[0]:g} to {window[1]:g} is empty", "give the lower value first")
    found = statistics(volume, window or _own_window(volume, name))
    colours = _colours(name, found) if colormap is None else colours_of(colormap)
    shape = _shape(name, found) if opacity is None else _given(opacity)
    low, high = found.window
    transfer = TransferFunction(colours, shape.float(), low, high)
    if opacity is not None and ":" in opacity and curve(opacity, np.linspace(0, 1, 2)) is None:
        return Look(transfer, _lighting(name))  # points say their own opacity
    if strength is not None:
        transfer = replace(transfer, opacity=(strength * shape).float())
    else:
        transfer = replace(transfer, opacity=_exposed(volume, transfer, _depth(name)))
    return Look(transfer, _lighting(name))


def mip_look(volume: Volume, colormap: str | None = None, window: Window | None = None) -> Look:
    """How the greatest values of rays are shown: colours alone count, up to the very greatest, and nothing is lit."""
    values = volume.values[0].detach().double().cpu()
    background, most = background_of(values), float(values.max())
    low, high = window or (background if background < most else most - 1, most)
    found = statistics(volume, (low, high))
    colours = _evened(found, 0.0) if colormap is None else colours_of(colormap)
    return Look(TransferFunction(colours, torch.linspace(0, 1, ROWS), low, high), None)


def shown(volume: Volume, transfer: TransferFunction | None, by_value: bool = False) -> Tensor:
    """How much each sample shows [D,H,W]: its opacity, or its place in the window; its extinction without a window."""
    values = volume.values[0].detach().cpu().float()
    if transfer is None:
        return values.abs()
    place = ((values - transfer.low) / (transfer.high - transfer.low)).clamp(0, 1)
    if by_value:
        return place
    rows = len(transfer.opacity) - 1
    return transfer.opacity.detach().cpu()[(place * rows).round().long()]


def shows_surfaces(transfer: TransferFunction) -> bool:
    """Whether something in a volume is so opaque that one sees its surface, and not through it."""
    return float(transfer.opacity.max()) >= OPAQUE


def is_sharp(transfer: TransferFunction) -> bool:
    """Whether a volume takes more samples along rays: it shows surfaces, or opacity changes within few values."""
    steps = (transfer.opacity[1:] - transfer.opacity[:-1]).abs()
    return shows_surfaces(transfer) or bool((steps > SHARP).any())


def _own_window(volume: Volume, name: str) -> Window | None:
    """The window of looks that are about certain matter: Hounsfield units where the values look like them."""
    if name not in ("bone", "skin", "ct"):
        return None
    if is_hounsfield(volume):
        return {"bone": (150.0, 1500.0), "skin": (-400.0, 100.0), "ct": (-500.0, 1500.0)}[name]
    values = volume.values[0].detach().double().cpu()
    background = background_of(values)
    above = values[values > background]
    low, high = robust_window(above if len(above) else values.flatten(), background, float(values.min()))
    part = {"bone": (0.45, 1.0), "skin": (0.08, 0.45), "ct": (0.0, 1.0)}[name]
    return low + part[0] * (high - low), low + part[1] * (high - low)


def _given(text: str) -> Tensor:
    return opacity_of(text, 1.0).double()


def _shape(name: str, found: Statistics) -> Tensor:
    """Opacity [ROWS] over the window, up to a factor."""
    x = torch.linspace(0, 1, ROWS, dtype=torch.float64)
    shapes: dict[str, Callable[[], Tensor]] = {
        "auto": lambda: _auto(x, found),
        "linear": lambda: x,
        "glow": lambda: x**1.5,
        "cloud": lambda: x.clamp(max=0.6),
        "shells": lambda: _shells(x, found),
        "solid": lambda: _step(x, _threshold(found)),
        "bone": lambda: ((x - 0.05) / 0.5).clamp(0, 1),
        "skin": lambda: ((x - 0.3) / 0.3).clamp(0, 1),
        "ct": lambda: torch.from_numpy(np.interp(x.numpy(), *np.array(_LAYERS).T)),
    }
    return shapes[name]()


def _auto(x: Tensor, found: Statistics) -> Tensor:
    """Values that are rare count for more than those that fill the volume, and borders for more than the inside.

    Opacity grows with the value, times the mean gradient there (Levoy 1988 weighs opacity with the gradient's length;
    here with its mean over a value, so that it is a function of the value alone).
    """
    emphasis = 0.25 + 0.75 * found.steepness
    middle = float(found.shares[len(found.shares) // 2])
    power = min(max(math.log(0.5) / math.log(min(max(middle, 0.02), 0.98)), 0.6), 1.6)
    rise = (x / 0.06).clamp(0, 1)  # the noise at the foot stays unseen
    if found.window[0] < found.background:
        away = (x - (found.background - found.window[0]) / (found.window[1] - found.window[0])).abs()
        return emphasis * away * 2
    return rise * emphasis * x**power


def _shells(x: Tensor, found: Statistics) -> Tensor:
    """Three translucent surfaces, at values that 40, 75 and 93 % of the matter stay below, but apart."""
    places, least = [], 0.1
    for quantile in (0.4, 0.75, 0.93):
        places.append(min(max(float(found.shares[int(quantile * (len(found.shares) - 1))]), least), 0.97))
        least = places[-1] + 0.12
    heights = torch.linspace(0.25, 1, len(places), dtype=torch.float64)
    return torch.stack(
        [h * (1 - (x - at).abs() / 0.05).clamp(min=0) for h, at in zip(heights, places, strict=True)]
    ).amax(0)


def _step(x: Tensor, place: float) -> Tensor:
    """An opaque surface, whose edge is a few rows wide, as trilinear values need it."""
    return ((x - place) / 0.06 + 0.5).clamp(0, 1)


def _threshold(found: Statistics) -> float:
    """The place that parts the matter in two (Otsu 1979)."""
    from skimage.filters import threshold_otsu

    shares = found.shares.numpy()
    return float(threshold_otsu(shares)) if np.ptp(shares) > 0 else 0.5


def _colours(name: str, found: Statistics) -> Tensor:
    """Linear RGB [ROWS,3] of a look."""
    own = {"bone": _BONE, "skin": _SKIN, "ct": _CT, "cloud": _CLOUD}.get(name)
    if own is not None:
        return colours_of(own)
    if name == "linear":
        return colours_of("inferno")
    return _evened(found)


def _evened(found: Statistics, crop: float = CROP) -> Tensor:
    """Inferno without its black end, or with it, bent so that the middle of the matter gets its middle colours."""
    import matplotlib as mpl

    middle = float(found.shares[len(found.shares) // 2])
    power = min(max(math.log(MIDDLE) / math.log(min(max(middle, 0.02), 0.98)), 0.45), 1.3)
    places = crop + (1 - crop) * np.linspace(0, 1, ROWS) ** power
    return torch.from_numpy(srgb_to_linear(np.asarray(mpl.colormaps["inferno"](places), np.float64)[:, :3])).float()


def _lighting(name: str) -> Lighting | None:
    if name == "glow":
        return None
    if name == "cloud":
        return Lighting(0.55, 0.55, 0.0, 1.0, 0.3)
    if name in ("solid", "bone", "skin", "ct"):
        return Lighting(0.22, 0.85, 0.25, 20.0, 0.02)
    return Lighting()


def _depth(name: str) -> float:
    """The optical depth that most rays stay below."""
    return {"solid": 100.0, "skin": 80.0, "bone": 20.0, "ct": 14.0, "glow": 1.6, "cloud": 4.0}.get(name, SEEN_DEPTH)


def _exposed(volume: Volume, transfer: TransferFunction, depth: float) -> Tensor:
    """Opacities [ROWS] of that shape, as strong as gives nine tenths of the rays along the axes at most `depth`."""
    values = volume.values[0].detach().cpu()
    stride = [max(1, math.ceil(n / COARSE)) for n in values.shape]
    coarse = values[:: stride[0], :: stride[1], :: stride[2]].double()
    place = ((coarse - transfer.low) / (transfer.high - transfer.low)).clamp(0, 1) * (ROWS - 1)
    shape = transfer.opacity.double()
    density = shape[place.round().long()]
    extent = (volume.bounds[1] - volume.bounds[0]).double().cpu()
    sides = (extent / extent.max()).flip(0)  # z, y, x
    depths = torch.cat([(density.mean(axis) * sides[axis]).flatten() for axis in range(3)]) / REFERENCE
    seen = depths[depths > 1e-3 * depths.max()].sort().values
    if not len(seen):
        return transfer.opacity
    factor = depth / float(seen[int(SEEN_SHARE * (len(seen) - 1))])
    return (1 - torch.exp(-factor * shape)).clamp(max=0.97).float()
