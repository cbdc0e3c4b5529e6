"""Arguments of kernels as backends pass them on: checked mesh indices, masks, and volumes as plain numbers and arrays.

Indices are checked because kernels would read beyond their arrays, and torch counts -1 from the end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from invrender.backends.bodies.kinds import COLOUR, LIT, TABLE
from invrender.errors import InputError
from invrender.kernels.compositing import Rules
from invrender.kernels.field import EMPTY, FAINT, Field

Tensor = torch.Tensor
Numbers = tuple[np.float32, ...]
Triple = tuple[int, int, int]


def check_faces(faces: Tensor, vertices: int) -> None:
    """
    Raises:
        InputError: one of the faces [F,3] names a vertex that does not exist.
    """
    check_indices(faces, 0, vertices, "a face names a vertex")


def check_indices(indices: Tensor, lowest: int, limit: int, what: str) -> None:
    """
    Raises:
        InputError: an index lies outside [lowest, limit).
    """
    if indices.numel():
        low, high = torch.stack(torch.aminmax(indices)).tolist()
        if low < lowest or high >= limit:
            raise no_such(what)


def no_such(what: str) -> InputError:
    """The error for an index that is out of range; `what` begins its message."""
    return InputError(f"{what} that does not exist", "look at the mesh with `invrender inspect`")


def plain_rules(rules: Rules, rows: int | None) -> tuple[Numbers, Numbers, tuple[int, bool, bool]]:
    """The rules as plain numbers: window (lowest value, rows per value), lighting coefficients, and (kind, mip, early).

    rows: of the table; None where the volume brings its own colours.
    """
    shade = rules.shade
    kind = COLOUR if rows is None else TABLE if shade is None else LIT
    numbers = (0.0,) * 5
    if shade is not None:
        numbers = (shade.ambient, shade.diffuse, shade.specular, shade.shininess, shade.soft)
    scale = ((2 if rows is None else rows) - 1) / (rules.high - rules.low)
    mode = (kind, rules.compositing == "mip", rules.compositing == "early-termination")
    return (np.float32(rules.low), np.float32(scale)), tuple(np.float32(n) for n in numbers), mode


def layout(shape: Sequence[int]) -> tuple[Triple, Triple]:
    """Samples of a grid [D,H,W,C] along x, y, z, and the strides along these in the flattened grid."""
    depth, height, width, channels = shape
    return (width, height, depth), (channels, channels * width, channels * width * height)


def index_rays(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Origins and directions [R,3] float64 of rays in the index coordinates of a grid [D,H,W]."""
    device = grid.device
    count = torch.tensor(tuple(grid.shape)[::-1], dtype=torch.float64, device=device)
    low, high = bounds.to(device, torch.float64)
    scale = (count - 1) / (high - low)
    start = (origin.detach().to(device, torch.float64) - low) * scale
    return start.contiguous(), (direction.detach().to(device, torch.float64) * scale).contiguous()


def dense_field(field: Field) -> Tensor:
    """u of every vertex of a field's grid, [D,H,W] float32."""
    index = field.index.to(field.density.device)
    dense = torch.full(index.shape, EMPTY, dtype=torch.float32, device=index.device)
    dense[index >= 0] = field.density.detach().float()[index[index >= 0].long()]
    return dense


def occupied_cells(dense: Tensor) -> Tensor:
    """[D*H*W] uint8: the cells one of whose corners, from their own vertex on, is not too faint."""
    strong: Tensor = dense >= FAINT
    for axis in range(3):
        ahead = strong.narrow(axis, 1, strong.shape[axis] - 1)
        strong = torch.cat([strong.narrow(axis, 0, ahead.shape[axis]) | ahead, strong.narrow(axis, -1, 1)], axis)
    return strong.to(torch.uint8).reshape(-1)
