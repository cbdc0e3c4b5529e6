"""Back-projection on all cores: each thread has planes of the grid of its own, and a row of voxels stays in the cache."""

from __future__ import annotations

import numpy as np
import torch

from invrender.backends.bodies.backproject import seen
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map

Tensor = torch.Tensor


def backproject(images: Tensor, places: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """See `invrender.kernels.Backproject`; float32."""
    values = np.ascontiguousarray(images.detach().numpy(), np.float32).reshape(-1)
    matrices = np.ascontiguousarray(places.numpy(), np.float64)
    out = np.zeros(shape, np.float32)
    height, width = images.shape[1:]
    parallel_map(_spread, [(values, height, width, matrices, out, *job) for job in blocks(shape[0], 1)])
    return torch.from_numpy(out)


@entry
def _spread(images, height, width, places, out, begin, end):  # type: ignore[no-untyped-def]
    size = height * width
    for k in range(begin, end):
        for j in range(out.shape[1]):
            row = out[k, j]
            for n in range(len(places)):
                m = places[n]
                a = np.float32(m[0, 1] * j + m[0, 2] * k + m[0, 3])
                b = np.float32(m[1, 1] * j + m[1, 2] * k + m[1, 3])
                s = np.float32(m[2, 1] * j + m[2, 2] * k + m[2, 3])
                w = np.float32(m[3, 1] * j + m[3, 2] * k + m[3, 3])
                da, db, ds, dw = np.float32(m[0, 0]), np.float32(m[1, 0]), np.float32(m[2, 0]), np.float32(m[3, 0])
                for i in range(len(row)):
                    x = np.float32(i)
                    row[i] = row[i] + seen(
                        images, n * size, height, width, a + x * da, b + x * db, s + x * ds, w + x * dw
                    )
