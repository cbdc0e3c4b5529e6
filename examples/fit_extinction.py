"""How thick is this fog? From one picture of the light behind it: python examples/fit_extinction.py cloud"""

import sys

import torch

import invrender
from invrender.backends import select
from invrender.samples import make

fog, backend = make(sys.argv[1], resolution=24), select("auto", needs=("volumes",))
seen = invrender.render(fog, mode="transmittance", size=32, extinction=8.0, backend=backend)
extinction = torch.tensor(1.0, requires_grad=True)
for _ in range(30):
    light = invrender.render(fog, mode="transmittance", size=32, extinction=extinction, backend=backend)
    (slope,) = torch.autograd.grad((light - seen).square().mean(), extinction)
    extinction = (extinction - 200 * slope).detach().requires_grad_()
print("extinction", extinction.item())
