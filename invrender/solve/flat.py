"""Named parameters as one vector, and back.

The order is that of the mapping; within a tensor it is row by row, the last index fastest.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from invrender.solve.protocol import Params


def flatten(params: Params) -> Tensor:
    """All numbers as one float64 vector [P]; see the module for the order."""
    return torch.cat([torch.zeros(0, dtype=torch.float64), *(v.detach().double().reshape(-1) for v in params.values())])


def unflatten(vector: Tensor, like: Params) -> dict[str, Tensor]:
    """The vector [P] as tensors that are named, shaped and typed like others; gradients pass."""
    parts = vector.split([value.numel() for value in like.values()])
    return {
        name: part.reshape(value.shape).to(value.device, value.dtype)
        for part, (name, value) in zip(parts, like.items(), strict=True)
    }


def entry_names(params: Params) -> tuple[str, ...]:
    """A name for each of the P numbers: `name` of a scalar, else `name[row,column]`, counted from 0."""
    return tuple(
        name + (f"[{','.join(map(str, place))}]" if value.ndim else "")
        for name, value in params.items()
        for place in product(*(range(extent) for extent in value.shape))
    )
