"""A cloud and the sky around it, both networks, trained together: python examples/learn_sky.py cloud

Every step draws some pixels of each view with new random numbers; gradients go through the scattered light.
"""

import sys

import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.cameras.lens import camera_of
from invrender.nouns import Environment, Scene, Volume
from invrender.nouns.medium import Medium
from invrender.parameters.neural_field import FieldSettings, NeuralField
from invrender.render import scenes
from invrender.render.scene_environment import panorama
from invrender.render.scene_view import Shot
from invrender.samples import make

STEPS, SIDE, PIXELS = int((sys.argv[2:] or ["60"])[0]), 12, 64
cloud, backend, random = make(sys.argv[1], resolution=12), select("auto"), torch.Generator().manual_seed(0)
cameras = [camera_of(around(cloud, "sphere", 4, size=SIDE), k) for k in range(4)]


def picture(density: Volume, sky: torch.Tensor, k: int, shot: Shot, pixels: torch.Tensor | None = None) -> torch.Tensor:
    """What camera k sees of a cloud under a sky [h,w,3]."""
    scene = Scene(media=Medium(density, albedo=0.8), lights=[], environment=Environment(picture=sky), background=None)
    return scenes.picture(scene, cameras[k], (SIDE, SIDE), backend, shot, pixels=pixels).reshape(-1, 3)


def blue(directions: torch.Tensor) -> torch.Tensor:
    """A sky that is blue above and dark below."""
    return (0.6 + 0.5 * directions[:, 1:2]) * torch.tensor([0.5, 0.7, 1.0])


truth = Volume(8 * cloud.values, cloud.bounds), panorama(blue, (8, 16))
seen = [picture(*truth, k, Shot("scattering", spp=64)) for k in range(4)]
density = NeuralField(cloud.shape, cloud.bounds, 2.0)
sky = NeuralField((4, 4, 4), torch.tensor([[-1.0] * 3, [1.0] * 3]), 1.0, settings=FieldSettings.of_kind("network", 1),
                  outputs=("radiance",) * 3)  # fmt: skip
thick, bright = ({n: v.requires_grad_() for n, v in field.initial().items()} for field in (density, sky))
optimizer, losses = torch.optim.Adam([*thick.values(), *bright.values()], 0.01), []
for step in range(STEPS):
    optimizer.zero_grad()
    k, pixels = step % 4, torch.randperm(SIDE**2, generator=random)[:PIXELS]
    shot = Shot("scattering", spp=8, seed=step)
    drawn = picture(density.volume(thick), panorama(sky.function(bright), (8, 16)), k, shot, pixels)
    loss = (drawn - seen[k][pixels]).square().mean()
    loss.backward()
    losses.append(loss.item())
    optimizer.step()
print(f"loss {sum(losses[:4]) / 4:.5f} at first, {sum(losses[-4:]) / 4:.5f} in the end")
