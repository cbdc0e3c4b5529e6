"""A picture of a data set of voxels and pictures: some samples of each split as they look, as they are and cut open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from invrender.colour import linear_to_srgb
from invrender.io.pairs.dataset import Pairs, decoded
from invrender.io.pairs.facts import spread

Array = NDArray[Any]
Picture = NDArray[np.uint8]

SIDE = 144  # of each tile, in pixels
LINE, GAP = 14, 6
PAPER, INK, GREY = (255, 255, 255), (25, 30, 40), (110, 116, 128)
FROM, TOWARDS = np.array([250, 245, 235]), np.array([40, 60, 110])  # of near and far surfaces
_SOLID = 0.5  # share of a sample's greatest value from which on a voxel is a surface


def pairs_sheet(pairs: Pairs, each: int = 6) -> Picture:
    """Draw some samples of each split.

    Args:
        pairs: the data set.
        each: samples of a split, at most.

    Returns:
        [H,W,3] sRGB bytes: for each sample its picture, the first surface behind each pixel (the nearer the lighter,
        darker where it turns away), and the middle slice of the voxels.

    Raises:
        InputError: a file has gone or holds NaN.
    """
    rows = []
    for name in pairs.counts:
        split = pairs.split(name)
        for sample in spread(len(split), each):
            batch = split.read([sample])
            voxels, picture = decoded(batch.voxels)[0].numpy(), decoded(batch.pictures)[0].numpy()
            tiles = [_shown(picture, pairs.meta.layout.encoding), first_surface(voxels[0]), middle_slice(voxels[0])]
            rows.append((f"{name} {sample}, object {split.objects[sample]}", tiles))
    return _arranged(rows, max(1, min(each, 3)))


def _shown(picture: Array, encoding: str) -> Picture:
    """A picture [H,W,C] in sRGB bytes [H,W,3]; linear light above 1 is scaled down to it."""
    values = picture if picture.shape[2] == 3 else picture.repeat(3, 2)
    if encoding == "linear":
        values = linear_to_srgb(values / max(1.0, float(values.max())))
    return np.asarray((np.asarray(values).clip(0, 1) * 255).round(), np.uint8)


def first_surface(voxels: Array) -> Picture:
    """What the camera sees of voxels [D,H,W], [H,W,3]: the depth of the first surface, shaded by its slope."""
    solid = voxels > _SOLID * float(voxels.max(initial=0))
    hit, depth = np.asarray(solid.any(0)), solid.argmax(0) / max(1, len(voxels) - 1)
    filled = np.where(hit, depth, 1.0)
    down, across = np.gradient(filled * len(voxels)) if min(filled.shape) > 1 else (filled * 0, filled * 0)
    facing = 1 / np.sqrt(1 + down**2 + across**2)
    colours = FROM + (TOWARDS - FROM) * depth[..., None]
    colours = colours * (0.35 + 0.65 * facing[..., None])
    return np.asarray(np.where(hit[..., None], colours, 0).round(), np.uint8)


def middle_slice(voxels: Array) -> Picture:
    """The column in the middle of voxels [D,H,W], seen from the side, as grey [H,D,3]: the camera is on the left."""
    plane = voxels[:, :, voxels.shape[2] // 2].T / max(float(voxels.max(initial=0)), 1e-9)
    return np.asarray((plane.clip(0, 1)[..., None] * 255).round().repeat(3, 2), np.uint8)


def _arranged(rows: list[tuple[str, list[Picture]]], columns: int) -> Picture:
    """Samples side by side, each with its label below, under a line that says what the three tiles are."""
    wide, high = 3 * SIDE + 2 * GAP, SIDE + LINE + GAP
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * (wide + 3 * GAP), LINE + GAP + lines * high), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 1), "picture | first surface, nearer is lighter | middle slice, camera on the left", GREY)
    for number, (label, tiles) in enumerate(rows):
        left, top = number % columns * (wide + 3 * GAP) + GAP, LINE + GAP + number // columns * high
        for at, tile in enumerate(tiles):
            scale = SIDE / max(tile.shape[:2])
            size = max(1, round(tile.shape[1] * scale)), max(1, round(tile.shape[0] * scale))
            way = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
            sheet.paste(Image.fromarray(tile).resize(size, way), (left + at * (SIDE + GAP), top))
        pen.text((left, top + SIDE), label, INK)
    return np.asarray(sheet)
