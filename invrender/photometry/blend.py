"""One colour per point from what several photographs show there, and colours for points that none of them sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.jit import kernel
from invrender.nouns.topology import Topology
from invrender.photometry.sampling import Samples

Tensor = torch.Tensor
Array = NDArray[Any]

POWER = 2.0  # on the cosine: photographs that look straight at a point count most
OUTLIER = 0.1  # sRGB distance at which a photograph counts half
ROUNDS = 5


def blended(samples: Samples, power: float = POWER, outlier: float = OUTLIER) -> Tensor:
    """Robust mean colours [P,3] of samples [N,P]: iterated reweighting by a Cauchy kernel; 0 where nothing is seen.

    Args:
        samples: what the photographs show.
        power: on the samples' weights.
        outlier: distance of colours at which a sample counts half; 0 for a plain weighted mean.
    """
    colours = np.zeros((samples.weight.shape[1], 3), np.float32)
    _blend(samples.colours.numpy(), (samples.weight**power).numpy(), outlier, ROUNDS if outlier else 0, colours)
    return torch.from_numpy(colours)


@kernel
def _blend(colours: Array, weight: Array, outlier: float, rounds: int, mean: Array) -> None:
    """Fill `mean` [P,3] from colours [N,P,3] with weights [N,P]."""
    for p in range(len(mean)):
        for number in range(rounds + 1):
            whole, red, green, blue = 0.0, 0.0, 0.0, 0.0
            for view in range(len(weight)):
                share = weight[view, p]
                if share <= 0:
                    continue
                r, g, b = colours[view, p, 0], colours[view, p, 1], colours[view, p, 2]
                if number > 0:
                    apart = (r - mean[p, 0]) ** 2 + (g - mean[p, 1]) ** 2 + (b - mean[p, 2]) ** 2
                    share = share / (1.0 + apart / outlier**2)
                whole += share
                red += share * r
                green += share * g
                blue += share * b
            if whole <= 0:
                break
            mean[p, 0], mean[p, 1], mean[p, 2] = red / whole, green / whole, blue / whole


def filled(colours: Tensor, known: Tensor, edges: Topology) -> Tensor:
    """Colours [V,C] with those of unknown vertices taken from their neighbours, ring by ring; 0.5 where none is known.

    Args:
        colours: [V,C].
        known: [V] bool.
        edges: of the mesh.
    """
    a, b = edges.edges.T
    colours, known = torch.where(known[:, None], colours, 0), known.clone()
    while True:
        count = torch.zeros(len(known)).index_add_(0, a, known[b].float()).index_add_(0, b, known[a].float())
        new = ~known & (count > 0)
        if not bool(new.any()):
            break
        shown = colours * known[:, None]
        total = torch.zeros_like(colours).index_add_(0, a, shown[b]).index_add_(0, b, shown[a])
        colours = torch.where(new[:, None], total / count.clamp(min=1)[:, None], colours)
        known = known | new
    return torch.where(known[:, None], colours, 0.5)
