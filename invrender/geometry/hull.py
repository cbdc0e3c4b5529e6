"""The visual hull: the largest shape that agrees with every silhouette (Laurentini 1994).

Each mask becomes a 2-D signed distance with sub-pixel edges; a point of space takes the minimum over the views of the
distances its projections read, turned into world units at its depth. Marching cubes at zero gives the mesh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from invrender.cameras.projection import common_point
from invrender.errors import InputError
from invrender.geometry.connectivity import components, drop_unused, is_closed_manifold
from invrender.nouns import Cameras, Mesh

Tensor = torch.Tensor

POINTS_AT_ONCE = 1 << 20
FRAME_BITS = 24  # of the box around the object
SPREAD = 1.0  # how fast an object may get wider beyond the border, where most images cut it off


@dataclass(frozen=True)
class Grid:
    """A regular grid of points: lower corner [3], spacing, counts (nx, ny, nz)."""

    lower: tuple[float, float, float]
    spacing: float
    counts: tuple[int, int, int]

    def axis(self, k: int) -> Tensor:
        """Coordinates [n_k] float64 along one axis."""
        return self.lower[k] + self.spacing * torch.arange(self.counts[k], dtype=torch.float64)


def signed_distances(masks: Tensor) -> Tensor:
    """Signed distance [N,H,W] float32 in pixels to the half-coverage contour of masks [N,H,W]; positive inside.

    Where coverage is fractional it is read as the distance itself: a straight edge at distance d from a pixel's centre
    covers 1/2 + d of it.
    """
    fields = []
    for mask in masks.cpu().numpy():
        inside = mask >= 0.5
        distance = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))
        fraction = (mask > 0.01) & (mask < 0.99)
        distance = np.where(fraction, np.clip(mask - 0.5, -0.5, 0.5), distance)
        fields.append(distance.astype(np.float32))
    return torch.from_numpy(np.stack(fields))


def carve(grid: Grid, distances: Tensor, cameras: Cameras) -> NDArray[np.float32]:
    """The hull's field [nx,ny,nz] in world units (positive inside) from signed distances [N,H,W].

    A point outside an image is outside the object, unless the mask touches that image's border: then, as behind the
    camera, the view says nothing (see `_beyond`). Where too few views say something (see `_needed`), there is nothing.
    """
    x, y, z = (grid.axis(k) for k in range(3))
    needed = _needed(cameras)
    cut = sum(_touches_border(distance) for distance in distances)
    # Where most masks are cut off, the region that enough images show ends the hull: smoothly, not from cell to cell.
    ends = len(distances) - cut < needed
    slab = max(1, POINTS_AT_ONCE // (len(y) * len(z) * (len(distances) if ends else 1)))
    parts = []
    for begin in range(0, len(x), slab):
        field, count, shown = _field(x[begin : begin + slab], y, z, distances, cameras, ends)
        if ends:
            field = torch.minimum(field, shown.kthvalue(len(shown) + 1 - needed, 0).values)
        else:
            field = torch.where(count >= needed, field, -grid.spacing)
        parts.append(field.reshape(-1, len(y), len(z)))
    return torch.cat(parts).nan_to_num(neginf=-grid.spacing).numpy()


def _touches_border(distance: Tensor) -> bool:
    return bool((torch.cat([distance[0], distance[-1], distance[:, 0], distance[:, -1]]) > 0).any())


def _needed(cameras: Cameras) -> int:
    """How many views must see a point of the object: half as many as see their common point, and at least two.

    Where masks are cut by the images' borders, hulls would otherwise reach far beyond what the views have in common.
    """
    point = torch.cat([common_point(cameras)[0], torch.ones(1, dtype=torch.float64)])
    x, y, _, w = (cameras.clip_from_world @ point).unbind(-1)
    seen = int(((x.abs() < w) & (y.abs() < w)).sum())
    return min(max(2, math.ceil(seen / 2)), len(cameras))


def _field(
    x: Tensor, y: Tensor, z: Tensor, distances: Tensor, cameras: Cameras, ends: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The minimum over views of the signed distance in world units at grid points, and how many views see them.

    Args:
        x, y, z: positions along the axes, float64; the points are counted with z fastest.
        distances: [N,H,W], see `signed_distances`.
        cameras: of the views.
        ends: whether the third result is asked for: by view how far inside the image a point lies, in world units.
    """
    height, width = cameras.size
    clip_from_world = cameras.clip_from_world
    total = len(x) * len(y) * len(z)
    field = torch.full((total,), float("inf"), dtype=torch.float32)
    count = torch.zeros(total, dtype=torch.int32)
    shown = []
    for view, distance in enumerate(distances):
        # Sums along the axes, not a matrix product, whose last bits depend on how many threads BLAS has.
        clip_x, clip_y, w = (
            (x[:, None, None] * a + y[:, None] * b + (z * c + d)).reshape(-1)
            for a, b, c, d in clip_from_world[view, [0, 1, 3]].tolist()
        )
        in_front = w > 0
        divisor = torch.where(in_front, w, torch.ones_like(w))
        ndc = torch.stack([clip_x / divisor, -clip_y / divisor], 1).float()
        read = torch.nn.functional.grid_sample(
            distance[None, None], ndc[None, None], mode="bilinear", padding_mode="border", align_corners=False
        )[0, 0, 0]
        pixel = w.float() * float(2.0 / (cameras.projection[view, 1, 1] * height))
        inside = ((1 - ndc.abs()) * torch.tensor([width / 2, height / 2])).amin(1)
        if _touches_border(distance):
            read = _beyond(read, inside, SPREAD if ends else float("inf"))
        else:
            read = torch.where(inside < 0, -float(sum(cameras.size)), read)
            inside = inside.clamp(min=1.0)  # what lies beyond this border is known
        known = in_front & read.isfinite()
        field = torch.where(known, torch.minimum(field, read * pixel), field)
        count += known
        if ends:
            shown.append(torch.where(in_front, inside * pixel, -float("inf")))
    return field, count, torch.stack(shown) if ends else field


def _beyond(read: Tensor, inside: Tensor, spread: float) -> Tensor:
    """What an image whose mask is cut off by its border says about points beyond the border: inf for nothing.

    The object may go on there. Farther to the side than `spread` lets it get wider, there is background.

    Args:
        read: [P], signed distances in pixels; beyond the border those at the nearest point of it.
        inside: [P], pixels to the border, negative beyond it.
        spread: pixels on each side, a pixel beyond the border.
    """
    background = read - spread * inside
    background = torch.where(background < 0, background, torch.full_like(read, float("inf")))
    return torch.where(inside < 0, background, read)


def frame_from_masks(masks: Tensor, cameras: Cameras) -> tuple[NDArray[np.float64], float]:
    """A cube (centre [3], half edge) that holds the object, from the masks alone.

    The centre is the point nearest to the rays through the masks' centroids, the half edge the largest reach of a mask
    around the centre's projection, at the centre's depth.

    Raises:
        InputError: the cameras do not look at a common region.
    """
    height, width = cameras.size
    inverse = torch.linalg.inv(cameras.clip_from_world)
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    weight = masks.double()
    total = weight.sum((1, 2))
    centroid = torch.stack([(weight.sum(1) * columns).sum(1) / total, (weight.sum(2) * rows).sum(1) / total], 1)
    eye = cameras.position
    direction = _unproject(centroid, inverse, cameras.size) - eye
    direction = direction / direction.norm(dim=1, keepdim=True)
    across = torch.eye(3, dtype=torch.float64) - direction[:, :, None] * direction[:, None, :]
    centre = torch.linalg.lstsq(across.sum(0), (across @ eye[:, :, None]).sum(0)).solution[:, 0]
    forward = -torch.linalg.inv(cameras.world_to_camera)[:, :3, 2]
    depth = ((centre - eye) * forward).sum(1)
    if bool((depth <= 0).any()):
        raise InputError(
            f"camera {int(depth.argmin())} looks away from what the other cameras see",
            "check the camera convention: camera-to-world matrices, OpenGL axes (looking down -Z)",
        )
    reach = torch.zeros(len(masks), dtype=torch.float64)
    for view, mask in enumerate(masks):
        row, column = (mask > 0.5).nonzero(as_tuple=True)
        if len(row):
            corner_x = torch.stack([column.min(), column.max() + 1]).double() - centroid[view, 0]
            corner_y = torch.stack([row.min(), row.max() + 1]).double() - centroid[view, 1]
            pixels = torch.cat([corner_x, corner_y]).abs().max()
            reach[view] = pixels * 2 * depth[view] / (cameras.projection[view, 1, 1] * height)
    half = float(reach.max())
    # The solver's last bits differ from run to run; what follows should not.
    step = 2.0 ** (math.floor(math.log2(half)) - FRAME_BITS) if half > 0 else 1.0
    return (centre / step).round().numpy() * step, math.ceil(half / step) * step


def _unproject(pixel: Tensor, inverse: Tensor, size: tuple[int, int]) -> Tensor:
    """World points [N,3] on the rays through one pixel position (x, y) [N,2] per view."""
    height, width = size
    ndc = torch.stack([pixel[:, 0] / width * 2 - 1, 1 - pixel[:, 1] / height * 2], 1)
    ends = torch.cat([ndc, torch.zeros(len(ndc), 1, dtype=ndc.dtype), torch.ones(len(ndc), 1, dtype=ndc.dtype)], 1)
    world = (inverse @ ends[:, :, None])[:, :, 0]
    return world[:, :3] / world[:, 3:]


def fit_grid(distances: Tensor, masks: Tensor, cameras: Cameras, resolution: int) -> Grid:
    """A grid with `resolution` cells along the longest side of the hull's bounding box, found by coarse carving.

    Raises:
        InputError: no point of space is inside every silhouette.
    """
    centre, half = frame_from_masks(masks, cameras)
    half *= 1.05  # else the widest view would touch the first box
    for _ in range(6):
        coarse = Grid(tuple(centre - half), 2 * half / 63, (64, 64, 64))
        field = carve(coarse, distances, cameras)
        inside = np.argwhere(field > -0.87 * coarse.spacing)  # half a cell's diagonal: thin parts pass between points
        if len(inside) and (inside.min() > 0 and inside.max() < 63):
            break
        half *= 1.6
    if not (field > 0).any() and not len(inside):
        raise _nothing_in_common()
    lower = np.array(coarse.lower) + (inside.min(0) - 1) * coarse.spacing
    extent = (inside.max(0) - inside.min(0) + 2) * coarse.spacing
    spacing = float(extent.max()) / resolution
    counts = tuple(int(n) for n in np.ceil(extent / spacing).astype(int) + 3)
    return Grid(tuple(float(v) for v in lower - spacing), spacing, counts)  # type: ignore[arg-type]


def visual_hull(masks: Tensor, cameras: Cameras, resolution: int = 96, keep: float = 0.02) -> Mesh:
    """The visual hull as a closed manifold mesh.

    Args:
        masks: [N,H,W] coverage in [0, 1].
        cameras: N cameras.
        resolution: cells along the longest side of the hull's bounding box.
        keep: parts with fewer triangles than this share of the largest part's are dropped: where the view cones of
            separate parts cross, hulls have phantoms.

    Raises:
        InputError: the silhouettes have no point of space in common, or the object is thinner than a cell everywhere.
    """
    from skimage.measure import marching_cubes

    distances = signed_distances(masks)
    grid = fit_grid(distances, masks, cameras, resolution)
    field = np.pad(carve(grid, distances, cameras), 1, constant_values=-grid.spacing)
    if not (field > 0).any():
        raise _nothing_in_common()
    for attempt in range(8):
        # A value of exactly zero puts a vertex on a grid point and may pinch the surface there, so the level avoids it.
        level = (attempt + 0.5) * 1e-5 * grid.spacing
        vertices, faces, _, _ = marching_cubes(field, level, gradient_direction="ascent")
        faces = _large_parts(faces.astype(np.int64), keep)
        if is_closed_manifold(faces):
            break
    vertices, faces = drop_unused(vertices.astype(np.float64), faces)
    return Mesh.from_numpy((vertices - 1) * grid.spacing + np.array(grid.lower), faces)


def _large_parts(faces: NDArray[np.int64], keep: float) -> NDArray[np.int64]:
    part = components(faces)
    count = np.bincount(part)
    kept: NDArray[np.int64] = faces[count[part] >= keep * count.max()]
    return kept


def _nothing_in_common() -> InputError:
    return InputError(
        "the silhouettes have no point of space in common",
        "check the camera poses, and that the masks are white on the object, with `invrender inspect`",
    )
