"""Packing the textures of several materials into one picture.

Each material gets a tile: the window of its repeating texture that its faces show, with a margin, so that bilinear
look-ups near the border of the tile find what they found in the texture. A flat material is a texture of one texel.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns.appearance import Colour

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
Picture = NDArray[np.float32]

MAX_SIDE = 8192  # texels; what graphics cards and viewers take everywhere
MAX_TEXELS = 2**25  # of the whole picture: 400 MB as float32
_MARGIN = 2  # texels around each tile
_FREE = 2**18  # a window of so many texels costs nothing that matters
_REPEATS = 4  # cells of a repeating texture that a window may hold before its faces are moved into one cell each
_WINDOW = 16  # cells that it may hold at full resolution


@dataclass(frozen=True)
class Region:
    """Faces with one texture.

    Attributes:
        faces: [F,3] int64.
        vertices: their number V.
        uv: [V,2] float64, or None for a flat colour.
        texture: [h,w,3] linear float32, or None for a flat colour.
        factor: linear RGB that the texture is multiplied by.
    """

    faces: NDArray[np.int64]
    vertices: int
    uv: Array | None
    texture: torch.Tensor | None
    factor: Colour


@dataclass(frozen=True)
class Placed:
    """A region in the common picture.

    Attributes:
        source: [V'] int64, the vertex of the region that each vertex is a copy of.
        faces: [F,3] int64 into these.
        uv: [V',2] float64 in the picture.
    """

    source: NDArray[np.int64]
    faces: NDArray[np.int64]
    uv: Array


@dataclass(frozen=True)
class _Tile:
    """A texture with the window of it that is shown, low and high [2] in texture coordinates."""

    texture: Picture
    factor: Colour
    low: Array
    high: Array

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the window's first texel, counted on through the repeats."""
        height, width = self.texture.shape[:2]
        return _first((1 - self.high[1]) * height), _first(self.low[0] * width)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the window with its margin."""
        height, width = self.texture.shape[:2]
        row, column = self.origin
        return _last((1 - self.low[1]) * height) - row, _last(self.high[0] * width) - column

    def texels(self) -> Picture:
        """The window [rows,columns,3]."""
        height, width = self.texture.shape[:2]
        (row, column), (rows, columns) = self.origin, self.size
        window: Picture = self.texture[np.arange(row, row + rows) % height][
            :, np.arange(column, column + columns) % width
        ]
        return window * np.asarray(self.factor, np.float32)

    def cells(self) -> float:
        """How many copies of the texture the window covers."""
        return float(np.prod(np.maximum(self.high - self.low, 1)))


def _first(edge: float) -> int:
    return math.floor(edge - 0.5) - _MARGIN


def _last(edge: float) -> int:
    return math.floor(edge - 0.5) + 2 + _MARGIN


def pack(regions: Sequence[Region]) -> tuple[Picture, list[Placed]]:
    """One picture that holds what every region shows.

    Returns:
        The picture [H,W,3] linear float32, row 0 at v = 1, at most MAX_SIDE on a side; and the regions in it.
    """
    groups: dict[tuple[int, Colour], list[int]] = {}
    for i, region in enumerate(regions):
        groups.setdefault((id(region.texture), region.factor), []).append(i)
    placed: dict[int, Placed] = {}
    tiles = []
    for members in groups.values():
        tile, moved = _group([regions[i] for i in members])
        tiles.append(tile)
        placed |= dict(zip(members, moved, strict=True))
    fitted, corners, size = _fit(tiles)
    picture = np.zeros((*size, 3), np.float32)
    for tile, (row, column), members in zip(fitted, corners, groups.values(), strict=True):
        picture[row : row + tile.size[0], column : column + tile.size[1]] = tile.texels()
        placed |= {i: _mapped(placed[i], tile, (row, column), size) for i in members}
    return picture, [placed[i] for i in range(len(regions))]


def _group(regions: list[Region]) -> tuple[_Tile, list[Placed]]:
    """The tile of regions that share a texture, and the regions with their coordinates near (0, 0)."""
    placed = [_near_origin(region) for region in regions]
    tile = _tile(regions[0], placed)
    if tile.cells() > _REPEATS and tile.cells() * tile.texture.size > _FREE:
        placed = [_each_face_near_origin(region) for region in regions]
        tile = _tile(regions[0], placed)
    return _limited(tile), placed


def _near_origin(region: Region) -> Placed:
    """All coordinates moved by one whole number of cells; a flat region lies in the middle of its texel."""
    source = np.arange(region.vertices)
    if region.uv is None or region.texture is None:
        return Placed(source, region.faces, np.full((len(source), 2), 0.5))
    used = region.uv[region.faces.reshape(-1)]
    return Placed(source, region.faces, region.uv - np.floor(used.min(axis=0)))


def _each_face_near_origin(region: Region) -> Placed:
    """Each face moved by a whole number of cells of its own, with a copy of its vertices for each such move."""
    if region.uv is None:
        return _near_origin(region)
    cells = np.floor(region.uv[region.faces].min(axis=1))  # [F,2]
    corners = np.concatenate([region.faces.reshape(-1, 1), np.repeat(cells, 3, axis=0)], axis=1)
    copies, faces = np.unique(corners, axis=0, return_inverse=True)
    source = copies[:, 0].astype(np.int64)
    return Placed(source, faces.reshape(-1, 3), region.uv[source] - copies[:, 1:])


def _tile(region: Region, placed: list[Placed]) -> _Tile:
    texture = torch.ones(1, 1, 3) if region.texture is None else region.texture
    used = np.concatenate([each.uv[each.faces.reshape(-1)] for each in placed])
    return _Tile(texture.detach().cpu().float().numpy(), region.factor, used.min(axis=0), used.max(axis=0))


def _limited(tile: _Tile) -> _Tile:
    """A tile whose texture is coarser where a single face repeats it very often."""
    height, width = tile.texture.shape[:2]
    excess = max(tile.cells() * height * width / max(_WINDOW * height * width, _FREE), _lengthy(tile) ** 2)
    if excess <= 1:
        return tile
    log.warning(
        "a texture of %d x %d repeats %.3g times over one face: it is shown coarser", width, height, tile.cells()
    )
    if excess > height * width:  # not one texel a cell is left
        return _flat(tile)
    return _scaled(tile, excess**-0.5)


def _lengthy(tile: _Tile) -> float:
    """How many times the longer side of the window is what one tile may take of the picture."""
    sides = np.array(tile.texture.shape[1::-1], np.float64)
    longest: float = (np.maximum(tile.high - tile.low, 1) * sides / np.maximum(sides, MAX_SIDE // 2)).max()
    return longest


def _flat(tile: _Tile) -> _Tile:
    """One texel of the mean colour."""
    return _Tile(tile.texture.mean(axis=(0, 1), keepdims=True), tile.factor, np.full(2, 0.5), np.full(2, 0.5))


def _scaled(tile: _Tile, scale: float) -> _Tile:
    """The tile with its texture resampled to `scale` times its sides (the mean over the area of each texel)."""
    size = [max(1, math.floor(side * scale)) for side in tile.texture.shape[:2]]
    if max(size) == 1:  # repeats of one texel look alike, and would take room all the same
        return _flat(tile)
    planes = torch.from_numpy(np.ascontiguousarray(tile.texture)).permute(2, 0, 1)[None]
    smaller = torch.nn.functional.interpolate(planes, size=size, mode="area")[0].permute(1, 2, 0)
    return replace(tile, texture=smaller.numpy())


def _fit(tiles: list[_Tile]) -> tuple[list[_Tile], list[tuple[int, int]], tuple[int, int]]:
    """Tiles scaled down together as far as the limits demand, the corner of each, and the picture's size."""
    fitted, scale = tiles, 1.0
    corners, size = _shelves([tile.size for tile in fitted])
    while max(size) > MAX_SIDE or math.prod(size) > MAX_TEXELS:
        scale *= min(0.95, math.sqrt(MAX_TEXELS / math.prod(size)))
        fitted = [_scaled(tile, scale) for tile in tiles]
        corners, size = _shelves([tile.size for tile in fitted])
    if scale < 1:
        log.warning("the textures are joined into one of %d x %d, at %.0f%% of their size", *size[::-1], 100 * scale)
    return fitted, corners, size


def _shelves(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where tiles (rows, columns) go, the highest first, in rows about as long as the picture is high."""
    area = sum(rows * columns for rows, columns in sizes)
    width = max(math.ceil(math.sqrt(area)), *(columns for _, columns in sizes))
    corners = [(0, 0)] * len(sizes)
    top = left = height = used = 0
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i], reverse=True):
        rows, columns = sizes[i]
        if left and left + columns > width:
            top, left, height = top + height, 0, 0
        corners[i] = (top, left)
        left, height, used = left + columns, max(height, rows), max(used, left + columns)
    return corners, (top + height, used)


def _mapped(placed: Placed, tile: _Tile, corner: tuple[int, int], size: tuple[int, int]) -> Placed:
    """The region's coordinates in the picture; those of vertices without faces are clipped to its tile."""
    uv = placed.uv.clip(tile.low, tile.high)
    height, width = tile.texture.shape[:2]
    x = uv[:, 0] * width - tile.origin[1] + corner[1]
    y = (1 - uv[:, 1]) * height - tile.origin[0] + corner[0]
    return replace(placed, uv=np.stack([x / size[1], 1 - y / size[0]], axis=1))
