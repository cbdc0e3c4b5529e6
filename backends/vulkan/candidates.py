"""Triangles for rays to find candidates with: each a little larger than the one it stands for, and flat.

Rays are traced in float32, with rules of their own for rays that pass through edges. A candidate reaches a margin
beyond every edge, so that no ray through a covered centre can miss it. One with a sharp corner would reach far beyond
it: two triangles along its longest edge stand for it instead.
"""

from __future__ import annotations

import torch

from invrender.backends.torch.rasterize import SUBPIXEL, Triangles
from invrender.kernels import Size

Tensor = torch.Tensor

MARGIN = 2.0  # in 1/256 pixel: several times what float32 rounds pictures of 8192 pixels to
ROUNDED = 2.0**-20  # the same for larger pictures, as a share of the largest coordinate
SHARPEST = 0.25  # of the sine of a corner; a sharper one reaches further than eight margins


def candidates(drawn: Triangles, size: Size) -> tuple[Tensor, Tensor, Tensor]:
    """Vertices [V,3] float64, faces [C,3] and the triangle [C] that each of them stands for.

    Coordinates are in 1/256 pixel about the picture's middle, and the view's number is the third.
    """
    height, width = size
    middle = torch.tensor([width, height], dtype=torch.float64) * (SUBPIXEL / 2)
    corner = torch.stack([drawn.x, drawn.y], -1).permute(1, 0, 2).double() - middle
    margin = max(MARGIN, ROUNDED * SUBPIXEL * max(size))
    side = corner.roll(-1, 1) - corner
    unit = side / side.norm(dim=2, keepdim=True)
    before = unit.roll(1, 1)
    sine = before[..., 0] * unit[..., 1] - before[..., 1] * unit[..., 0]
    # The corner of two lines moved outwards by the margin: their directions, scaled by the margin over the sine.
    blunt = corner + (before - unit) * (margin / sine.clamp(min=1e-12))[..., None]
    reach = SUBPIXEL * max(size) + 0.0
    sharp = (sine < SHARPEST).any(1) | (corner.abs() > 4 * reach).any(2).any(1)
    boxes = _boxes(corner[sharp], side[sharp], margin, reach)
    whole = (~sharp).nonzero()[:, 0]
    owner = torch.cat([whole, sharp.nonzero()[:, 0].repeat_interleave(2)])
    flat = torch.cat([blunt[whole], boxes.reshape(-1, 3, 2)])
    vertices = torch.cat([flat, drawn.view[owner].double()[:, None, None].expand(-1, 3, 1)], 2).reshape(-1, 3)
    return vertices, torch.arange(len(vertices)).reshape(-1, 3), owner


def _boxes(corner: Tensor, side: Tensor, margin: float, reach: float) -> Tensor:
    """Two triangles [B,2,3,2] over a box around each triangle [B,3,2], along its longest side; large ones are cropped.

    Where the box leaves the picture by far, the part of the upright box that is in the picture stands for it.
    """
    longest = side.norm(dim=2).argmax(1)
    along = side[torch.arange(len(side)), longest]
    along = along / along.norm(dim=1, keepdim=True)
    large = (corner.abs() > 4 * reach).any(2).any(1)
    along = torch.where(large[:, None], along.new_tensor([1.0, 0.0]), along)
    across = torch.stack([-along[:, 1], along[:, 0]], 1)
    frame = torch.stack([along, across], 1)
    placed = corner @ frame.transpose(1, 2)
    low, high = placed.amin(1) - margin, placed.amax(1) + margin
    low = torch.where(large[:, None], low.clamp(min=-reach), low)
    high = torch.where(large[:, None], high.clamp(max=reach), high)
    u = torch.stack([low[:, 0], high[:, 0], high[:, 0], low[:, 0]], 1)
    v = torch.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]], 1)
    four = torch.stack([u, v], 2) @ frame
    return four[:, torch.tensor([[0, 1, 2], [0, 2, 3]])]
