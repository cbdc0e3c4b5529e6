"""Growing a set of voxels without changing its topology: voxels that are simple are added, the deepest first.

A voxel is simple where the object around it is of one piece (26-connected) and so is the background (6-connected); what
is then added changes neither the number of parts nor of holes (Bertrand and Malandain 1994). Where two fronts meet
around a hole, a sheet one voxel thick stays: the narrowest place of the loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.jit import body, kernel

OUTSIDE, BAND, CORE = 0, 1, 2  # states of voxels: not of the object, of the object but not of the core, of the core
STEPS = 32  # depths that are told apart
NEAR = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)])
_APART = np.abs(NEAR[:, None] - NEAR[None]).max(2)
_AWAY = np.abs(NEAR).sum(1)
_STEP = np.abs(NEAR[:, None] - NEAR[None]).sum(2)
_BITS = 1 << np.arange(len(NEAR), dtype=np.int64)
TOUCHING = ((_APART == 1) * _BITS).sum(1)  # for each neighbour the others that are 26-connected with it, as bits
BESIDE = (((_STEP == 1) & (_AWAY <= 2)[None]) * _BITS).sum(1)  # of the 18 nearest, those 6-connected with it
SIDES, EIGHTEEN = int(_BITS[_AWAY == 1].sum()), int(_BITS[_AWAY <= 2].sum())


def grown(field: NDArray[np.float32], depth: float) -> NDArray[np.uint8]:
    """The state [nx,ny,nz] of each voxel after the core has grown within the object as far as its topology allows.

    Args:
        field: [nx,ny,nz], positive in the object; the outermost voxels are left as they are.
        depth: above it lies the core.
    """
    state = (field > 0).astype(np.uint8)
    state[field > depth] = CORE
    stride = np.array([field.shape[1] * field.shape[2], field.shape[2], 1])
    for axis in range(3):  # what is at the border has neighbours outside the arrays
        at: list[Any] = [slice(None)] * 3
        for end in (0, -1):
            at[axis] = end
            border = state[tuple(at)]
            border[border == BAND] = OUTSIDE
    band = np.flatnonzero(state.reshape(-1) == BAND)
    step = np.clip((1 - field.reshape(-1)[band] / depth) * STEPS, 0, STEPS - 1).astype(np.int64)
    of_band = np.zeros(state.size, np.int32)
    of_band[band] = np.arange(len(band))
    _grow(state.reshape(-1), band, step, of_band, NEAR @ stride, TOUCHING, BESIDE)
    return state


@body
def _pieces(members: Any, of_interest: Any, adjacent: NDArray[np.int64]) -> int:
    """How many connected pieces of some neighbours (bits) hold one of interest."""
    count = 0
    left = members
    while left & of_interest:
        seed = left & of_interest
        piece = seed & -seed
        while True:
            wider = piece
            for k in range(26):
                if piece >> k & 1:
                    wider |= adjacent[k]
            wider &= members
            if wider == piece:
                break
            piece = wider
        left &= ~piece
        count += 1
    return count


@kernel
def _grow(
    state: NDArray[np.uint8], band: NDArray[np.int64], step: NDArray[np.int64], of_band: NDArray[np.int32],
    near: NDArray[np.int64], touching: NDArray[np.int64], beside: NDArray[np.int64],
) -> None:  # fmt: skip
    """Add simple voxels of the band to the core, by steps of depth; voxels wait in lists, one for each step."""
    first = np.full(STEPS, -1, np.int64)
    after = np.full(len(band), -1, np.int64)
    waits = np.zeros(len(band), np.bool_)
    borders = np.int64(1) << 26
    for k in range(len(band)):
        for j in range(26):
            if state[band[k] + near[j]] == CORE:
                after[k], first[step[k]], waits[k] = first[step[k]], k, True
                break
    now = 0
    while now < STEPS:
        k = first[now]
        if k < 0:
            now += 1
            continue
        first[now], waits[k] = after[k], False
        voxel = band[k]
        members = np.int64(0)
        for j in range(26):
            if state[voxel + near[j]] == CORE:
                members |= np.int64(1) << j
        others = (borders - 1) & ~members
        if _pieces(members, members, touching) != 1 or _pieces(others & EIGHTEEN, others & SIDES, beside) > 1:
            continue
        state[voxel] = CORE
        for j in range(26):
            beyond = voxel + near[j]
            if state[beyond] == BAND:
                other = of_band[beyond]
                if not waits[other]:
                    after[other], first[step[other]], waits[other] = first[step[other]], other, True
                    now = min(now, step[other])
