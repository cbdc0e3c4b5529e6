"""An object from 8 pictures with shadows, through a network: python examples/occupancy.py RUN blobby occupancy.npz

RUN is a finished `invrender train` on data of `invrender dataset make`. A sample that the network never saw turns on
the stage and is drawn by rays; its occupancy on a grid of 16^3 is sought by gradients through the network, and once
more through marching under the same light, without shadows. What is sought is a smooth function, full where it is
positive; last, marching once more with free densities and a threshold.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

import invrender
from invrender.backends import select
from invrender.geometry.regrid import winding_numbers
from invrender.io.pairs.dataset import decoded
from invrender.networks.staging import stage_of, staged
from invrender.nouns import Mesh, Volume
from invrender.samples import SAMPLES
from invrender.solve.adam_uniform import UniformAdam
from invrender.stages.draw import WHITE, drawn, encoded, material, shot_of
from invrender.stages.learned import placed_mesh, turned_mesh
from invrender.stages.marching import marched

GRID, FINER, TURNS = 16, 46, [45.0 * k for k in range(8)]  # FINER: samples where the edge of what is full is drawn
STEPS = int(sys.argv[4]) if len(sys.argv) > 4 else 120
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
seen = []
for turn in TURNS:
    white = Mesh(turned_mesh(mesh, turn).vertices, mesh.faces, material=look)
    picture = drawn([white], stage, plan.pictures[:2], backend, shot)
    seen.append(decoded(torch.from_numpy(encoded(picture, False))))


def smooth(function: torch.Tensor) -> torch.Tensor:
    """Occupancy [1,46,46,46] of a function [1,16,16,16]: blurred, so that what no picture shows follows its surface."""
    kernel = torch.tensor([0.06, 0.24, 0.4, 0.24, 0.06])
    blurred = functional.pad(function[None], (2,) * 6, mode="replicate")
    for shape in ((1, 1, 5, 1, 1), (1, 1, 1, 5, 1), (1, 1, 1, 1, 5)):
        blurred = functional.conv3d(blurred, kernel.view(shape))
    fine = functional.interpolate(blurred, size=(FINER,) * 3, mode="trilinear", align_corners=True)
    return torch.sigmoid(3 * fine[0])


@dataclass(frozen=True)
class Misfit:
    """The mean difference between pictures of an occupancy and those that were seen."""

    picture: Callable[[Volume], torch.Tensor]
    occupancy: Callable[[torch.Tensor], torch.Tensor]

    def value_and_grad(self, params: Any, random: torch.Generator) -> Any:
        """The misfit, and its gradient by autograd."""
        function = params["function"].detach().requires_grad_()
        loss = (self.picture(Volume(self.occupancy(function), box)) - torch.stack(seen)).abs().mean()
        return {"misfit": float(loss.detach())}, {"function": torch.autograd.grad(loss, function)[0]}


def found(misfit: Misfit, start: torch.Tensor, rate: float) -> torch.Tensor:
    """The function [16,16,16], by steps whose length is one for all: where nothing is seen, nothing is made up."""
    solver, params = UniformAdam(lambda count: rate * (1.1 - count / STEPS), (0.8, 0.95)), {"function": start}
    state, random = solver.init(misfit, params), torch.Generator()
    for _ in range(STEPS):
        params, state, _ = solver.step(misfit, params, state, random)
    return params["function"][0]


def by_marching(volume: Volume) -> torch.Tensor:
    """Pictures [8,H,W,1] without a network, of the size of those that were seen."""
    views = torch.cat([marched(staged(volume, plan, turn), stage, shadows=False) for turn in TURNS])
    return functional.interpolate(views, plan.pictures[:2], mode="bilinear").permute(0, 2, 3, 1)


def iou(full: torch.Tensor) -> float:
    """Intersection over union with the truth."""
    return float((full & truth).sum() / (full | truth).sum())


middle = torch.arange(GRID) - (GRID - 1) / 2
ball = 0.35 * GRID - torch.stack(torch.meshgrid(middle, middle, middle, indexing="ij")).norm(dim=0)[None]
through = found(Misfit(lambda volume: network.render(volume, TURNS), smooth), ball, 1.5)
print(f"IoU through the network {iou(smooth(through[None])[0, ::3, ::3, ::3] > 0.5):.3f}")
marching = found(Misfit(by_marching, smooth), ball, 1.5)
print(f"IoU by marching {iou(smooth(marching[None])[0, ::3, ::3, ::3] > 0.5):.3f}")
densities = found(Misfit(by_marching, torch.sigmoid), torch.full_like(ball, -1.0), 1.0)
print(f"IoU by marching densities with a threshold {iou(densities > 0):.3f}")
invrender.write(sys.argv[3], Volume(smooth(through[None]), box))
