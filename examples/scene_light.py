"""Find a lamp by what it lights and where its shadows fall: python examples/scene_light.py data/mug.glb

By hand what `invrender reconstruct SCENE --method scene --target PICTURE --optimize light` does.
"""

import sys

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around
from invrender.cameras.lens import camera_of
from invrender.render.scene_view import Shot

mug, backend = invrender.read(sys.argv[1]), select("auto")
low, high = mug.vertices.amin(0), mug.vertices.amax(0)
size, middle = (high - low).max(), (low + high) / 2
corners = middle + 3 * size * torch.tensor([[-1.0, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]])
corners[:, 1] = low[1]
floor = invrender.Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]))
camera = camera_of(around(mug, "orbit", 1, size=48, elevation=35), 0)


def picture(numbers: torch.Tensor) -> torch.Tensor:
    """What a lamp shows: its place in sizes of the mug, and the logarithm of what it sheds at that distance."""
    lamp = invrender.PointLight(middle + size * numbers[:3], size**2 * numbers[3].exp())
    return invrender.render(invrender.Scene([mug, floor], [lamp]), camera, "raytraced", backend=backend, shot=Shot())


lamp = torch.tensor([0.6, 1.5, 0.8, 1.5], dtype=torch.float64)
target, guess = picture(lamp), torch.tensor([-0.7, 2.0, 0.4, 0.5], dtype=torch.float64, requires_grad=True)
solver = torch.optim.LBFGS([guess], max_iter=60, tolerance_change=1e-12, line_search_fn="strong_wolfe")


def misfit() -> torch.Tensor:
    """Mean squared residual and its gradient."""
    solver.zero_grad()
    loss = (picture(guess) - target).square().mean()
    loss.backward()
    return loss


solver.step(misfit)
print("off by", float((guess - lamp)[:3].detach().norm()), "sizes of the mug")
