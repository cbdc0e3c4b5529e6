"""One colour per point from what several photographs show there, and colours for points that none of them sees."""

from __future__ import annotations

import torch

from invrender.nouns.topology import Topology
from invrender.photometry.sampling import Samples

Tensor = torch.Tensor

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
    weight = (samples.weight**power)[..., None]
    mean = (weight * samples.colours).sum(0) / weight.sum(0).clamp(min=1e-9)
    if not outlier:
        return mean
    for _ in range(ROUNDS):
        apart = ((samples.colours - mean) ** 2).sum(-1, keepdim=True)
        robust = weight / (1 + apart / outlier**2)
        mean = (robust * samples.colours).sum(0) / robust.sum(0).clamp(min=1e-9)
    return mean


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
