"""Where a medium can be: not where views see the bare environment."""

from __future__ import annotations

import numpy as np
import torch

from invrender.errors import InputError
from invrender.nouns import Cameras

Tensor = torch.Tensor

AROUND = 1  # pixels around what differs that count as the medium as well
MOST = 0.99  # share of the pixels that see the box whose difference counts as the largest: little, of a thin medium
LEAST_DIFFERENCE = 0.02  # of the largest
NOISES = 4.0  # of the noise of bare pixels


def covered(difference: Tensor, bare: Tensor) -> Tensor:
    """Which pixels [N,H,W] show more than the bare environment, holes filled.

    Args:
        difference: [N,H,W] of the pictures from the bare environment.
        bare: [N,H,W] bool, pixels whose rays miss the box: they tell the noise.
    """
    from scipy.ndimage import binary_dilation, binary_fill_holes

    noise = float(difference[bare].square().mean().sqrt()) if bool(bare.any()) else 0.0
    most = float(np.quantile(difference[~bare].numpy(), MOST)) if not bool(bare.all()) else 0.0
    seen = (difference > max(LEAST_DIFFERENCE * most, NOISES * noise)).numpy()
    return torch.from_numpy(np.stack([binary_dilation(binary_fill_holes(each), iterations=AROUND) for each in seen]))


def support(seen: Tensor, cameras: Cameras, bounds: Tensor, shape: tuple[int, int, int], exceptions: int) -> Tensor:
    """[D,H,W] float: 0 where more views than that see around a vertex nothing but the environment, else 1.

    Args:
        seen: [N,H,W] bool, where views show a medium.
        cameras: of the views.
        bounds: [2,3] of the grid.
        shape: of the grid.
        exceptions: how many views may see nothing where something is.

    Raises:
        InputError: nothing is left.
    """
    lines = [torch.linspace(float(bounds[0, a]), float(bounds[1, a]), n, dtype=torch.float64)
             for a, n in zip((2, 1, 0), shape, strict=True)]  # fmt: skip
    z, y, x = torch.meshgrid(*lines, indexing="ij")
    points = torch.stack([x, y, z, torch.ones_like(x)], -1).reshape(-1, 4)
    empty = torch.zeros(len(points), dtype=torch.int64)
    for number in range(len(cameras)):
        empty += _sees_nothing(seen[number], cameras[[number]], points, bounds, shape)
    kept = (empty <= exceptions).reshape(shape)
    if not bool(kept.any()):
        raise InputError(
            "the views show nothing but their background, or contradict each other",
            "check the poses, the light (--lighting, --environment) and the box (--bounds)",
        )
    return kept.float()


def everywhere(shape: tuple[int, int, int]) -> Tensor:
    """[D,H,W] of ones: nothing is known."""
    return torch.ones(shape)


def coarse(fine: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """A support [D,H,W] at fewer vertices: 1 where a vertex reaches one that is 1."""
    windows = [-(-n // m) for n, m in zip(fine.shape, shape, strict=True)]
    if max(windows) == 1:
        return fine
    kernel = [2 * w + 1 for w in windows]
    grown = torch.nn.functional.max_pool3d(fine[None, None], kernel, 1, list(windows))
    found = torch.nn.functional.interpolate(grown, size=shape, mode="trilinear", align_corners=True)
    return (found[0, 0] > 0).float()


def _sees_nothing(seen: Tensor, camera: Cameras, points: Tensor, bounds: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Which points [P] lie in the picture where it is bare for as far as half a cell of the grid reaches."""
    height, width = camera.size
    clip = points @ camera.clip_from_world[0].T
    depth = clip[:, 3]
    column, row = ((clip[:, 0] / depth + 1) / 2 * width).floor(), ((1 - clip[:, 1] / depth) / 2 * height).floor()
    inside = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = float(((bounds[1] - bounds[0]) / (torch.tensor(shape).flip(0) - 1)).max())
    nearest = float(depth[depth > 0].min()) if bool((depth > 0).any()) else 1.0
    reach = int(cell / 2 * float(camera.projection[0, 1, 1]) * height / 2 / max(nearest, 1e-9))
    grown = torch.nn.functional.max_pool2d(seen[None, None].float(), 2 * reach + 1, 1, reach)[0, 0]
    at = grown[row.clamp(0, height - 1).long(), column.clamp(0, width - 1).long()]
    return inside & (at == 0)
