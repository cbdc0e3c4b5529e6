"""Isosurfaces of volumes, in the volume's own frame and units."""

from __future__ import annotations

import numpy as np
import torch

from invrender.errors import InputError, UsageError
from invrender.geometry.vectors import Floats
from invrender.nouns import Mesh, Volume

FAINT = 0.02  # of the range of values: what is below is empty, and not asked where bodies begin
LEVEL = 0.35  # of the greatest value, where Otsu's threshold cannot be found
LIDS = 4.0  # times the range of values: how much less is around the box, so that lids lie close to its border
COLOURS = 4  # channels: extinction, red, green, blue
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear RGB, Rec. 709


def surface_of(volume: Volume, isovalue: float | None = None, closed: bool = True) -> tuple[Mesh, float]:
    """The isosurface (Lewiner et al. 2003, marching cubes with the topology of trilinear interpolation).

    Args:
        volume: of one channel; of four (extinction and linear RGB), whose first tells the surface and whose others its
            colours; or of three (linear RGB), whose luminance tells it.
        isovalue: of the surface; values above are inside. None: Otsu's threshold (1979) of what is not empty.
        closed: whether bodies that reach the border of the box end there, or are open.

    Returns:
        The mesh in world units, faces counter-clockwise seen from outside, with vertex colours where the volume has
        any; and the isovalue.

    Raises:
        InputError: the volume is the same everywhere.
        UsageError: no value lies on one side of the isovalue, or the volume has another number of channels.
    """
    from skimage.measure import marching_cubes

    field = _field(volume)
    least, greatest = float(field.min()), float(field.max())
    if not greatest > least:
        raise InputError(f"the volume is {greatest:g} everywhere: there is no surface in it", "look at another volume")
    level = threshold(volume) if isovalue is None else isovalue
    if not least < level < greatest:
        raise UsageError(
            f"no surface has the isovalue {level:g}: the values go from {least:g} to {greatest:g}",
            f"give one between them, such as --isovalue {least + 0.5 * (greatest - least):.3g}, or --isovalue auto",
        )
    margin = 1 if closed else 0
    around = level - LIDS * (greatest - least)
    padded = np.pad(field, margin, constant_values=around)
    found, faces, _, _ = marching_cubes(padded, level, gradient_direction="descent")  # x, y, z mirrors z, y, x
    place = found[:, ::-1].astype(np.float64) - margin
    low, high = volume.bounds.double().numpy()
    vertices = low + place * (high - low) / np.maximum(np.array(field.shape[::-1]) - 1, 1)
    mesh = Mesh.from_numpy(vertices, faces.astype(np.int64))
    colours = _colours(volume, place)
    return (mesh if colours is None else Mesh(mesh.vertices, mesh.faces, colours=colours)), level


def threshold(volume: Volume) -> float:
    """The value that separates what a volume holds from what is around it: Otsu's, of all that is not empty.

    Raises:
        UsageError: the volume has another number of channels than 1, 3 or 4.
    """
    from skimage.filters import threshold_otsu

    values = _field(volume)
    least, greatest = float(values.min()), float(values.max())
    above = values[values > least + FAINT * (greatest - least)]
    return float(threshold_otsu(above)) if np.ptp(above) > 0 else least + LEVEL * (greatest - least)


def _field(volume: Volume) -> Floats:
    """[D,H,W] what the surface is of."""
    values = volume.values.detach().cpu()
    if len(values) in (1, COLOURS):
        first: Floats = values[0].numpy()
        return first
    if len(values) == 3:
        grey: Floats = torch.einsum("c,cdhw->dhw", torch.tensor(LUMINANCE), values).numpy()
        return grey
    raise UsageError(
        f"a volume of {len(values)} channels has no one surface", "choose a channel with --frame N, from 0"
    )


def _colours(volume: Volume, place: Floats) -> torch.Tensor | None:
    """[V,3] linear RGB at places [V,3] in samples x, y, z; None: the volume has no colours.

    Where a neighbour is empty its colour means nothing: samples count by their extinction.
    """
    if len(volume.values) not in (3, COLOURS):
        return None
    values = volume.values.detach().cpu().double()
    rgb = values[-3:]
    weight = values[:1].clamp(min=0) + 1e-9 * values[:1].abs().max() if len(values) == COLOURS else torch.ones(1)
    counts = torch.tensor(values.shape[:0:-1], dtype=torch.float64)
    grid = torch.from_numpy(place) / (counts - 1).clamp(min=1) * 2 - 1
    stacked = torch.cat([rgb * weight, weight.expand(1, *values.shape[1:])])[None]
    sampled = torch.nn.functional.grid_sample(
        stacked, grid[None, None, None], mode="bilinear", padding_mode="border", align_corners=True
    )[0, :, 0, 0].T
    return (sampled[:, :3] / sampled[:, 3:]).clamp(0, 1).float()
