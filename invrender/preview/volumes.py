"""Volumes in the preview: a cloud with the colours of `invrender render`, or one isosurface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from invrender.cameras.volume_rigs import volume_frame
from invrender.colour import linear_to_srgb
from invrender.nouns import Volume
from invrender.render.transfer import transfer_function

if TYPE_CHECKING:
    import pyvista

UNIT = 1 / 32  # of the longest axis: the length for which opacities hold
FAINT = 0.04  # of the range of values: less than that hardly shows


def add_cloud(plotter: pyvista.Plotter, volume: Volume) -> None:
    """Add a volume's first channel, drawn by VTK on the CPU (its GPU mapper needs more than software drivers have)."""
    import pyvista

    transfer = transfer_function(volume)
    values = volume.values[0].numpy()
    low, high = volume.bounds.double().numpy()
    counts = np.array(values.shape[::-1])
    image = pyvista.ImageData(dimensions=counts, spacing=(high - low) / (counts - 1), origin=low)
    shares = np.clip((values - transfer.low) / (transfer.high - transfer.low), 0, 1)
    image.point_data["share"] = np.round(shares * 255).astype(np.uint8).ravel()
    from matplotlib.colors import ListedColormap

    colours = ListedColormap(linear_to_srgb(transfer.colours.numpy()).tolist())
    options: dict[str, Any] = {
        "mapper": "fixed_point",
        "shade": True,
        "show_scalar_bar": False,
        "clim": [0, 255],
        "ambient": 0.5,
    }
    opacity: Any = (transfer.opacity.numpy() * 255).round().astype(np.uint8)
    actor: Any = plotter.add_volume(
        image,
        scalars="share",
        cmap=colours,
        opacity=opacity,
        opacity_unit_distance=UNIT * volume_frame(volume)[1],
        **options,
    )
    mapper = actor.mapper
    mapper.SetAutoAdjustSampleDistances(False)  # which are meant for voxels of size 1
    mapper.SetSampleDistance(float(min(image.spacing)) / 2)
    mapper.SetImageSampleDistance(1.0)


def occupied(volume: Volume) -> NDArray[np.float64]:
    """Corners [2,3] of the box that holds what a volume shows: all but its faintest values."""
    values = volume.values[0].numpy()
    least, greatest = float(values.min()), float(values.max())
    low, high = volume.bounds.double().numpy()
    seen = np.argwhere(values > least + FAINT * (greatest - least))[:, ::-1]
    if not len(seen):
        return np.stack([low, high])
    steps = (high - low) / (np.array(values.shape[::-1]) - 1)
    return np.stack([low + seen.min(0) * steps, low + seen.max(0) * steps])
