"""How much light comes through a cloud, by every estimator, and what each errs by: python examples/estimators.py cloud

Those by chance are right on average, and so are their derivatives: here that with the extinction.
"""

import sys

import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.nouns import Volume
from invrender.render.estimated import Estimation, light_through
from invrender.samples import make

volume, backend = make(sys.argv[1], resolution=24), select("auto", needs=("volumes",))
cameras = around(volume, size=24)
for name in ("exact", "march", "delta", "ratio", "residual-ratio"):
    extinction = torch.tensor(6.0, requires_grad=True)
    denser = Volume(volume.values * extinction, volume.bounds)
    light, error, _ = light_through(denser, cameras, backend, 1.0, Estimation(name, spp=64))
    (slope,) = torch.autograd.grad(light.mean(), extinction)
    print(f"{name:<15} light {light.mean():.4f} +- {error.square().mean().sqrt():.4f} a pixel, slope {slope:.4f}")
