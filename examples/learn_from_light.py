"""A network as a density, trained by the light behind it: python examples/learn_from_light.py cloud field.npz

By hand what `invrender reconstruct VOLUME --method transmittance --field neural` does.
"""

import sys

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around
from invrender.parameters.neural_field import LearnedField, NeuralField
from invrender.samples import make

cloud, backend = make(sys.argv[1], resolution=16), select("auto", needs=("volumes",))
cameras = around(cloud, "sphere", 12, size=24)
seen = invrender.render(cloud, cameras, "transmittance", extinction=6.0, backend=backend)

field = NeuralField(cloud.shape, cloud.bounds, 2.0)
weights = {name: value.requires_grad_() for name, value in field.initial().items()}
optimizer = torch.optim.Adam(weights.values(), 0.02)
for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 150):
    optimizer.zero_grad()
    light = invrender.render(field.volume(weights), cameras, "transmittance", backend=backend)
    (light - seen).square().mean().backward()
    optimizer.step()
found = field.volume(weights).values.detach() / 6.0
psnr = 10 * torch.log10(cloud.values.max() ** 2 / (found - cloud.values).square().mean())
invrender.write(sys.argv[2], LearnedField(field, weights))
print(f"PSNR of the density {psnr:.1f} dB")
