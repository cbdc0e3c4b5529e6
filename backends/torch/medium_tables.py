"""What is worked out once for a scene's medium: the coarse grid of majorants under which collisions are sampled."""

from __future__ import annotations

import torch

from invrender.kernels.radiance import SceneArrays, Transport

Tensor = torch.Tensor

CELL = 8  # grid vertices along a cell of majorants
FEWEST = 4  # cells an axis, where the grid has as many
UNEVEN = 50.0  # a sky is looked for whose brightest texel is this many times its mean
HEADROOM = 1.25  # by which majorants exceed the extinction where gradients divide by what is left between them


def majorants(extinction: Tensor, floor: float, box: Tensor, headroom: float = 1.0) -> Tensor:
    """Bounds of the extinction in the equal cells of a coarse grid over the box.

    The largest of the grid vertices in or around a cell, over all channels, so that what is interpolated between them
    never exceeds it.

    Args:
        extinction: [D,H,W,C].
        floor: optical depth of the box's longest side that is assumed at least.
        box: [2,3].
        headroom: factor on the largest values.

    Returns:
        [m_z,m_y,m_x] of extinction's dtype: n / 8 cells along an axis of n vertices, at least 4 if there are as many.
    """
    bound = extinction.detach().amax(-1)
    for axis in range(3):
        bound = _largest(bound, axis)
    longest = float((box[1] - box[0]).max())
    return (headroom * bound).clamp(min=floor / longest if longest > 0 else 0.0).contiguous()


def headroom(transport: Transport) -> float:
    """The factor on majorants that an estimator of gradients needs."""
    return HEADROOM if transport.estimator == "null" else 1.0


def looks_for_sky(scene: SceneArrays, transport: Transport) -> bool:
    """Whether points of the medium look for the environment: where the transport says so, or the sky is uneven."""
    if transport.sky is not None or scene.environment.numel() <= 3:
        return bool(transport.sky)
    light = scene.environment.detach().mean(2)
    return float(light.max()) > UNEVEN * float(light.mean())


def cells(count: int) -> int:
    """Of majorants along an axis of that many vertices."""
    return max(1, min(count - 1, max(FEWEST, count // CELL)))


def _largest(values: Tensor, axis: int) -> Tensor:
    """Of the vertices in or around the cells along an axis."""
    count = values.shape[axis]
    pieces, last = cells(count), count - 1
    ends = [(k * last // pieces, -(-(k + 1) * last // pieces)) for k in range(pieces)]
    return torch.stack([values.narrow(axis, begin, end - begin + 1).amax(axis) for begin, end in ends], axis)
