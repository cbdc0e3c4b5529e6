"""A transfer function as a picture: its colour bar, and its opacity over the histogram of the values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.io.files.atomic import atomic_path
from invrender.nouns import Volume
from invrender.nouns.transfer import TransferFunction

BINS = 128
PAPER, INK, BARS = "#14161a", "#d8dce2", "#4a5568"


def histogram(volume: Volume, low: float, high: float, bins: int = BINS) -> NDArray[np.float64]:
    """How many samples of the first channel lie in each of equal bins [bins] between two values.

    Those beyond are left out, as their colour is constant.
    """
    values = volume.values[0].detach().cpu().double().numpy().ravel()
    counts: NDArray[np.float64] = np.histogram(values, bins, (low, high))[0].astype(np.float64)
    return counts


def draw_transfer(
    transfer: TransferFunction, volume: Volume | None = None, size: tuple[int, int] = (360, 640)
) -> NDArray[np.uint8]:
    """A picture [H,W,3] of a transfer function.

    Args:
        transfer: what is drawn.
        volume: whose histogram (square roots of the counts, so that rare values show) lies under the curve.
        size: (H, W) in pixels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = size
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
    canvas: Any = FigureCanvasAgg(figure)
    plot, bar = figure.subplots(2, 1, height_ratios=(9, 1), sharex=True)
    figure.subplots_adjust(left=0.1, right=0.97, top=0.96, bottom=0.17, hspace=0.04)
    low, high = transfer.low, transfer.high
    colours = linear_to_srgb(transfer.colours.detach().cpu().numpy()).clip(0, 1)
    opacity = transfer.opacity.detach().cpu().double().numpy()
    values = np.linspace(low, high, len(opacity))
    if volume is not None:
        roots = np.sqrt(histogram(volume, low, high))
        edges = np.linspace(low, high, BINS + 1)
        roots[0] = min(roots[0], roots[1:].max(initial=1.0))  # what is around the object would dwarf all else
        plot.stairs(roots / max(roots.max(), 1.0), edges, fill=True, color=BARS)
    plot.plot(values, opacity, color=INK, linewidth=1.8)
    plot.set(ylim=(0, 1.03), xlim=(low, high), ylabel="opacity")
    bar.imshow(colours[None], extent=(low, high, 0, 1), aspect="auto", interpolation="bilinear")
    bar.set(yticks=[], xlabel="value" if volume is None else f"value of {volume.name}")
    for axes in (plot, bar):
        axes.set_facecolor(PAPER)
        axes.tick_params(colors=INK, labelsize=9)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
        for spine in axes.spines.values():
            spine.set_color(BARS)
    plot.tick_params(labelbottom=False)
    canvas.draw()
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels


def write_transfer_picture(path: Path, transfer: TransferFunction, volume: Volume | None = None) -> None:
    """Write the picture of a transfer function as a .png, whole or not at all."""
    from PIL import Image

    pixels = draw_transfer(transfer, volume)
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
