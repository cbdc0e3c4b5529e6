"""Find where the light of a picture came from, by gradient descent: python examples/light_gradient.py data/mug.glb"""

import sys

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around

mesh, backend = invrender.read(sys.argv[1]), select("auto")
cameras = around(mesh, "orbit", 3, size=48)
sun = torch.tensor([0.6, 0.5, 0.8])
target = invrender.render(invrender.Scene(mesh, invrender.Lights(sun)), cameras, backend=backend)
guess = torch.tensor([0.0, 0.0, 1.0], requires_grad=True)
for _ in range(20):
    lit = invrender.render(invrender.Scene(mesh, invrender.Lights(guess)), cameras, backend=backend)
    (slope,) = torch.autograd.grad((lit - target).square().mean(), guess)
    guess = (guess - 200 * slope).detach().requires_grad_()
print("off by", torch.rad2deg(torch.acos(torch.cosine_similarity(guess, sun, dim=0))).item(), "degrees")
