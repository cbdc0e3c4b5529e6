"""How far cameras must stand back to hold an object: no vertex may leave the picture, whatever the azimuth.

A point at height h above the centre and at distance r from the vertical axis, seen from distance D at elevation e and
azimuth a (of the camera, relative to the point), has the depth D - h sin e - r cos a cos e, lies r sin a beside the
viewing axis and h cos e - r cos a sin e above it. It is in the picture where neither exceeds the depth times the
tangent of half the angle of view. Solved for D, with the worst azimuth put in:

    beside:  D >= h sin e + r sqrt(cos^2 e + 1 / tan_x^2)
    above:   D >= h sin e +- r cos e + |h cos e -+ r sin e| / tan_y

Parallel cameras need no distance but an extent, in which depth does nothing: r beside, |h| cos e + r sin e above.

From every direction of a sphere it is a ball around the centre that has to fit: D >= |p| / sin(half the angle).

The other way round, cameras that are given hold a box in common.
"""

from __future__ import annotations

import math

import torch

from invrender.cameras.projection import common_point, intrinsics, vertical_fov
from invrender.nouns import Cameras, Volume

Tensor = torch.Tensor

BORDER = 2.0  # pixels that stay free on each side,
BORDER_SHARE = 1 / 16  # but no more than this share of the smaller side
FAINT = 0.05  # of the greatest value: what is fainter in a volume may leave the pictures


def fitting_distance(
    points: Tensor, kind: str, size: tuple[int, int], fov: float, elevation: float | None = None
) -> float:
    """The smallest distance from which a rig's cameras hold all points with a small border, in the points' units.

    Args:
        points: [P,3] relative to what the cameras look at; P >= 1.
        kind: 'orbit' or 'sphere'.
        size: (H, W) in pixels.
        fov: degrees, across the smaller side of the image.
        elevation: of an orbit, in degrees.
    """
    height, width = size
    inside = 1 - 2 * min(BORDER, BORDER_SHARE * min(size)) / min(size)
    tan_y = math.tan(math.radians(vertical_fov(fov, size)) / 2) * inside
    tan_x = tan_y * width / height
    if kind != "orbit" or elevation is None:
        return float(points.norm(dim=1).max()) / math.sin(math.atan(min(tan_x, tan_y)))
    sine, cosine = math.sin(math.radians(elevation)), math.cos(math.radians(elevation))
    r, h = points[:, [0, 2]].norm(dim=1), points[:, 1]
    needed = [h * sine + r * math.sqrt(cosine**2 + 1 / tan_x**2)]
    for side in (r, -r):  # towards the camera, and away from it
        needed.append(h * sine + side * cosine + (h * cosine - side * sine).abs() / tan_y)
    return float(torch.stack(needed).max())


def fitting_extent(points: Tensor, kind: str, size: tuple[int, int], elevation: float | None = None) -> float:
    """The smallest extent, across the smaller side, with which a rig's parallel cameras hold all points with a border.

    Args:
        points, kind, size, elevation: see `fitting_distance`.
    """
    height, width = size
    smaller = min(size)
    inside = 1 - 2 * min(BORDER, BORDER_SHARE * smaller) / smaller
    if kind != "orbit" or elevation is None:
        return 2 * float(points.norm(dim=1).max()) / inside
    sine, cosine = abs(math.sin(math.radians(elevation))), math.cos(math.radians(elevation))
    r, h = points[:, [0, 2]].norm(dim=1), points[:, 1]
    beside, above = float(r.max()), float((h.abs() * cosine + r * sine).max())
    return 2 * max(beside * smaller / width, above * smaller / height) / inside


def common_box(cameras: Cameras) -> Tensor:
    """The cube [2,3] float64 around the largest ball that every camera sees whole, where they all look."""
    centre, _ = common_point(cameras)
    fx, fy, _, _ = intrinsics(cameras)
    height, width = cameras.size
    half = torch.minimum(width / 2 / fx, height / 2 / fy)  # of the picture at depth 1, of parallel rays anywhere
    seen = (cameras.position - centre).norm(dim=1) * torch.sin(torch.atan(half))
    radius = float(torch.where(cameras.parallel, half, seen).min())
    return torch.stack([centre - radius, centre + radius])


def mesh_points(vertices: Tensor, faces: Tensor) -> Tensor:
    """The vertices [P,3] float64 that faces use."""
    return vertices.detach().double().cpu()[faces.cpu().unique()]


def volume_points(volume: Volume) -> Tensor:
    """Points [P,3] float64 whose convex hull holds all that stands out in a volume; its box where nothing does.

    These are the neighbours of the first and the last visible sample of every row along x: trilinear interpolation
    carries a sample's value as far as the next ones.
    """
    seen = volume.values.detach().abs().amax(0).cpu()
    low, high = volume.bounds.double().cpu()
    shape = torch.tensor(seen.shape)
    z, y, x = torch.nonzero(seen > FAINT * seen.max(), as_tuple=True) if seen.max() > 0 else (torch.empty(0),) * 3
    if not len(x):
        return torch.cartesian_prod(*torch.stack([low, high], 1))
    row = z * shape[1] + y
    first = torch.full((int(shape[0] * shape[1]),), int(shape[2])).scatter_reduce(0, row, x, "amin")
    last = torch.full_like(first, -1).scatter_reduce(0, row, x, "amax")
    held = torch.nonzero(last >= 0)[:, 0]
    rows = torch.stack([held // shape[1], held % shape[1]], 1)
    corners = [
        torch.cat([rows + torch.tensor([dz, dy]), (ends + dx)[:, None]], 1)
        for ends, dx in ((first[held], -1), (last[held], 1))
        for dz in (-1, 1)
        for dy in (-1, 1)
    ]
    index = torch.cat(corners).clamp(min=0).minimum(shape - 1).double()
    share = index / (shape - 1).clamp(min=1)
    points: Tensor = low + share.flip(1) * (high - low)
    return points
