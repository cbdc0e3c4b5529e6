"""Find the sun by the shadow that it casts: python examples/shadow.py data/mug.glb

Only the floor counts, so all that the pictures tell is where the border of the shadow lies.
"""

import sys

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around

mug, backend = invrender.read(sys.argv[1]), select("auto")
low, high = mug.vertices.amin(0), mug.vertices.amax(0)
floor = torch.tensor([[-3.0, 0, -3], [-3, 0, 3], [3, 0, 3], [3, 0, -3]]) * (high - low).max() + (low + high) / 2
floor[:, 1] = low[1]
faces = torch.cat([torch.tensor([[0, 1, 2], [0, 2, 3]]), mug.faces + 4])
scene = invrender.Mesh(torch.cat([floor, mug.vertices]), faces)
cameras = around(mug, "orbit", 2, size=32, elevation=50)
ground = 1 - invrender.render(mug, cameras, mode="silhouette", backend=backend)


def picture(sun: torch.Tensor) -> torch.Tensor:
    """What the floor shows."""
    lit = invrender.Scene(scene, invrender.Lights(sun, 0.8, 0.2))
    return ground * invrender.render(lit, cameras, mode="raytraced", backend=backend)


sun = torch.tensor([0.6, 1.0, 0.3])
target, guess = picture(sun), torch.tensor([0.1, 1.0, 0.8], requires_grad=True)
optimizer = torch.optim.Adam([guess], 0.08)
for _ in range(30):
    optimizer.zero_grad()
    (picture(guess) - target).square().mean().backward()
    optimizer.step()
print("off by", torch.rad2deg(torch.acos(torch.cosine_similarity(guess, sun, dim=0))).item(), "degrees")
