"""The cameras of a dataset's views, for pictures that are scaled down and lie on a common canvas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from invrender.cameras.parallel import extents
from invrender.cameras.projection import common_point, parallel_projection, perspective_intrinsics
from invrender.io.datasets.layout import Place, canvas_of
from invrender.io.datasets.posed import PosedImage
from invrender.nouns import Cameras

Size = tuple[int, int]


def cameras_of(posed: Sequence[PosedImage], full_size: Size, size: Size) -> Cameras:
    """Cameras for images of `size` (H, W) scaled from ones of `full_size`, by which projections do not change."""
    return _cameras(posed, [full_size] * len(posed), size)


def placed_cameras(places: Sequence[Place]) -> Cameras:
    """Cameras for pictures in the top left corner of one canvas."""
    canvas = canvas_of(places)
    cameras = _cameras([place.view for place in places], [place.pinhole_size for place in places], canvas)
    padded = [_padded(one, place.size, canvas) for one, place in zip(cameras.projection, places, strict=True)]
    return Cameras(cameras.world_to_camera, torch.stack(padded), canvas)


def _padded(projection: torch.Tensor, size: Size, canvas: Size) -> torch.Tensor:
    """A projection onto a picture of `size` that lies in the top left corner of a canvas.

    A clip coordinate x/w from -1 to 1 is the column (x/w + 1)/2 W, and the other way round for rows: with s = W / W',
    x' = s x + (s - 1) w.
    """
    along, across = size[0] / canvas[0], size[1] / canvas[1]
    padded = projection.clone()
    padded[0] = across * projection[0] + (across - 1) * projection[3]
    padded[1] = along * projection[1] + (1 - along) * projection[3]
    return padded


def _cameras(posed: Sequence[PosedImage], sizes: Sequence[Size], canvas: Size) -> Cameras:
    """Cameras whose projections are those of pictures of their own size (H, W)."""
    world = torch.from_numpy(np.stack([view.world_to_camera for view in posed]))
    reach = _reach(Cameras(world, torch.stack([_projection(*each) for each in zip(posed, sizes, strict=True)]), canvas))
    return Cameras(world, torch.stack([_projection(*each, reach) for each in zip(posed, sizes, strict=True)]), canvas)


def _reach(cameras: Cameras) -> float:
    """How far the cameras are at most from what they look at; of parallel ones at least what their pictures show."""
    target, _ = common_point(cameras)
    distance = float((cameras.position - target).norm(dim=1).max())
    if bool(cameras.parallel.any()):
        distance = max(distance, float(extents(cameras[cameras.parallel]).max()))
    return distance if distance > 0 else 1.0


def _projection(view: PosedImage, size: Size, reach: float = 1.0) -> torch.Tensor:
    """A view's projection onto a picture of its own size; clipped within `reach` unless the file says how."""
    fx, fy, cx, cy = view.lens.at(size)
    if not view.lens.parallel:
        return perspective_intrinsics(fx, fy, cx, cy, size, *(view.clip or (0.01 * reach, 100 * reach)))
    return parallel_projection((1 / fx, 1 / fy), cx, cy, size, *(view.clip or (0.0, 100 * reach)))
