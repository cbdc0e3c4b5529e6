"""Which faces meet at which edges: the connectivity that silhouettes, normals and Laplacians need.

Any triangle soup has a topology here: an edge with three faces or more simply appears in several entries, because every
use of an entry is a sum over the faces it lists.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Topology:
    """Undirected edges and the faces on their two sides.

    Attributes:
        edges: [E,2] int64 vertex ids, the smaller one first.
        faces: [E,2] int64 face ids; -1 where there is no second face (a boundary).
        sign: [E,2] int8: +1 where that face runs edges[:,0] -> edges[:,1], -1 where it runs back, 0 for no face. A
            consistently wound manifold has {+1, -1} everywhere.
    """

    edges: Tensor
    faces: Tensor
    sign: Tensor

    def to(self, device: torch.device) -> Topology:
        """The same on a device."""
        return Topology(self.edges.to(device), self.faces.to(device), self.sign.to(device))


def topology(faces: Tensor) -> Topology:
    """The topology of faces [F,3] int64. Costs one sort of 3 F half-edges; do it once per mesh."""
    start, end = faces.reshape(-1), faces.roll(-1, 1).reshape(-1)
    face = torch.arange(len(faces), device=faces.device).repeat_interleave(3)
    proper = start != end
    start, end, face = start[proper], end[proper], face[proper]
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    sign = torch.where(start < end, 1, -1).to(torch.int8)
    key, order = torch.sort(low * (int(faces.max()) + 1 if len(faces) else 1) + high, stable=True)
    first = torch.ones_like(key, dtype=torch.bool)
    first[1:] = key[1:] != key[:-1]
    # An entry takes two half-edges: within each run of equal keys the 1st and 2nd, the 3rd and 4th, ...
    run_start = torch.cummax(torch.where(first, torch.arange(len(key), device=key.device), 0), 0).values
    opens = (torch.arange(len(key), device=key.device) - run_start) % 2 == 0
    lead = opens.nonzero()[:, 0]
    follow = lead + 1
    paired = follow < len(key)
    paired &= ~opens[follow.clamp(max=max(len(key) - 1, 0))] if len(key) else paired
    a, b = order[lead], order[follow.clamp(max=max(len(key) - 1, 0))]
    return Topology(
        torch.stack([low[a], high[a]], 1),
        torch.stack([face[a], torch.where(paired, face[b], -1)], 1),
        torch.stack([sign[a], torch.where(paired, sign[b], 0).to(torch.int8)], 1),
    )
