"""An object from 8 pictures with shadows, through a network: python examples/occupancy.py RUN mug occupancy.npz

RUN is a finished `invrender train` on data of `invrender dataset make`. A sample that the network never saw turns on the
stage and is drawn by rays; its occupancy on a grid of 16^3 is sought by gradients through the network, and once more
through marching under the same light, without shadows and with them.
"""

import sys
from collections.abc import Callable

import torch

import invrender
from invrender.backends import select
from invrender.geometry.regrid import winding_numbers
from invrender.io.pairs.dataset import decoded
from invrender.networks.staging import stage_of, staged
from invrender.nouns import Volume
from invrender.samples import SAMPLES
from invrender.stages.draw import WHITE, drawn, encoded, material, shot_of
from invrender.stages.learned import placed_mesh, turned_mesh
from invrender.stages.marching import marched

GRID, TURNS = 16, [45.0 * k for k in range(8)]
STEPS = int(sys.argv[4]) if len(sys.argv) > 4 else 150
network = invrender.read_network(sys.argv[1])
plan, stage = network.architecture, stage_of(network.architecture)

# The object, its box of cubic cells, and what is known of it: pictures.
mesh = placed_mesh(SAMPLES[sys.argv[2]](), stage)
low, high = mesh.vertices.amin(0), mesh.vertices.amax(0)
side = float((high - low).max())
corner = torch.stack([(low + high)[0] / 2 - side / 2, low[1], (low + high)[2] / 2 - side / 2])
box = torch.stack([corner, corner + side])
inside = winding_numbers(*mesh.numpy(), corner.numpy(), side / (GRID - 1), (GRID, GRID, GRID)) > 0
truth = torch.from_numpy(inside).permute(2, 1, 0)
look, shot, backend = material((WHITE,) * 3, 0.0, "object"), shot_of(0, 0.0, 16, 0), select(needs=("scenes",))
pictures = []
for turn in TURNS:
    turned = turned_mesh(mesh, turn)
    turned = type(turned)(turned.vertices, turned.faces, material=look)
    pictures.append(decoded(torch.from_numpy(encoded(drawn([turned], stage, plan.pictures[:2], backend, shot), False))))
seen = torch.stack(pictures)


def found(draw: Callable[[Volume], torch.Tensor]) -> torch.Tensor:
    """The occupancy [16,16,16] whose pictures are those that were seen, by Adam on its logits."""
    logits = torch.full((1, GRID, GRID, GRID), -2.0).requires_grad_()
    optimizer = torch.optim.Adam([logits], 0.15)
    for _ in range(STEPS):
        optimizer.zero_grad()
        values = torch.sigmoid(logits)
        slopes = torch.stack([torch.diff(values, dim=axis).abs().mean() for axis in (1, 2, 3)]).sum()
        ((draw(Volume(values, box)) - seen).abs().mean() + 0.01 * slopes).backward()
        optimizer.step()
    return torch.sigmoid(logits).detach()[0]


def by_marching(volume: Volume, shadows: bool) -> torch.Tensor:
    """Pictures [8,H,W,1] without a network, of the size of those that were seen."""
    views = [marched(staged(volume, plan, turn), stage, shadows) for turn in TURNS]
    return torch.nn.functional.interpolate(torch.cat(views), plan.pictures[:2], mode="bilinear").permute(0, 2, 3, 1)


def iou(occupancy: torch.Tensor) -> float:
    """Intersection over union of what is more than half full."""
    full = occupancy > 0.5
    return float((full & truth).sum() / (full | truth).sum())


through = found(lambda volume: network.render(volume, TURNS))
print(f"IoU through the network {iou(through):.3f}")
print(f"IoU by marching without shadows {iou(found(lambda volume: by_marching(volume, False))):.3f}")
print(f"IoU by marching with shadow rays {iou(found(lambda volume: by_marching(volume, True))):.3f}")
invrender.write(sys.argv[3], Volume(through[None], box))
