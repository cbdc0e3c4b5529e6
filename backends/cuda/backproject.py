"""Back-projection on a GPU, one thread per voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda

from invrender.backends.cuda.bodies import backproject as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel

Tensor = torch.Tensor

seen = bodies.seen


def backproject(images: Tensor, places: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """See `invrender.kernels.Backproject`; float32."""
    values = images.detach().float().contiguous()
    out = torch.empty(shape, dtype=torch.float32, device=values.device)
    matrices = places.to(values.device, torch.float32).reshape(-1, 16).contiguous()
    launch(_spread, out.numel(), values.reshape(-1), *values.shape[1:], matrices, out)
    return out


@kernel
def _spread(images: Any, height: int, width: int, places: Any, out: Any) -> None:
    voxel = cuda.grid(1)
    depth, rows, columns = out.shape
    if voxel >= depth * rows * columns:
        return
    k, j, i = voxel // (columns * rows), voxel // columns % rows, voxel % columns
    x, y, z = np.float32(i), np.float32(j), np.float32(k)
    total = np.float32(0)
    for n in range(places.shape[0]):
        m = places[n]
        a = m[0] * x + m[1] * y + m[2] * z + m[3]
        b = m[4] * x + m[5] * y + m[6] * z + m[7]
        s = m[8] * x + m[9] * y + m[10] * z + m[11]
        w = m[12] * x + m[13] * y + m[14] * z + m[15]
        total += seen(images, n * height * width, height, width, a, b, s, w)
    out[k, j, i] = total
