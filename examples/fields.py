"""Functions of place as volumes: put together, sampled anywhere, drawn: python examples/fields.py rings.png

A field is any function of points [M,3]. Sums, products and compositions of fields are fields.
"""

import sys

import torch

import invrender
from invrender.io.images import write_png
from invrender.nouns.medium import on_grid
from invrender.render.images import contact_sheet

BOX = torch.tensor([[-1.0, -1, -1], [1, 1, 1]])


def torus(points: torch.Tensor) -> torch.Tensor:
    """1 in the middle of a ring about the y axis, falling to 0 around it."""
    x, y, z = points.T
    return torch.exp(-40 * ((x.hypot(z) - 0.6) ** 2 + y**2))


def turned(points: torch.Tensor) -> torch.Tensor:
    """The same ring, upright."""
    return torus(points[:, [1, 0, 2]])


def both(points: torch.Tensor) -> torch.Tensor:
    """Both rings, with stripes where the second one is."""
    return torus(points) + turned(points) * (1 + torch.sin(20 * points[:, 1])) / 2


print("in the middle of a ring:", torus(torch.tensor([[0.6, 0.0, 0.0]])).item())
volumes = [on_grid(field, BOX, (32, 32, 32)) for field in (torus, both)]
write_png(sys.argv[1], contact_sheet(torch.cat([invrender.render(volume, size=128) for volume in volumes])))
