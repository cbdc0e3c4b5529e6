"""What a cloud is made of, one part after the other: python examples/cloud_parts.py cloud parts.png

It absorbs; it scatters; its albedo is a function of place; it scatters ahead; and the sun shines.
"""

import sys
from dataclasses import replace

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around
from invrender.io.images import write_png
from invrender.nouns.medium import Medium, on_grid
from invrender.render.images import contact_sheet
from invrender.render.scene_view import Shot
from invrender.samples import make

SIZE, SPP = (int(number) for number in (sys.argv[3:] or (96, 64)))
cloud, backend = make(sys.argv[1], resolution=32), select("auto")


def tint(points: torch.Tensor) -> torch.Tensor:
    """Albedo by height: red below, white above."""
    height = (points[:, 1] + 0.5).clamp(0, 1)
    return torch.stack([torch.ones_like(height), 0.6 + 0.4 * height, 0.5 + 0.5 * height], 1)


air = Medium(invrender.Volume(15 * cloud.values, cloud.bounds), albedo=0.0)
white = replace(air, albedo=1.0)
red = replace(white, albedo=on_grid(tint, cloud.bounds, (2, 8, 2)))
ahead = replace(red, asymmetry=0.7)
sky, sun = invrender.Environment((0.3, 0.4, 0.5)), invrender.DirectionalLight((1.0, 1.0, 0.3), 3.0)
scenes = [
    invrender.Scene(media=medium, lights=[], background=None, environment=sky) for medium in (air, white, red, ahead)
]
scenes.append(replace(scenes[-1], lights=[sun]))
camera, shot = around(cloud, size=SIZE), Shot("scattering", spp=SPP)
pictures = [invrender.render(scene, camera, "scattering", shot=shot, backend=backend) for scene in scenes]
write_png(sys.argv[2], contact_sheet(torch.cat(pictures)))
print("mean radiance:", *(f"{picture.mean():.3f}" for picture in pictures))
