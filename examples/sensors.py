"""A field on a grid, at random points, and along a camera's rays: python examples/sensors.py cloud"""

import sys

import torch

from invrender.cameras.around import around
from invrender.cameras.rays import camera_rays
from invrender.parameters.fit_field import grid_sensor, point_sensor
from invrender.render.estimators import box_ends, grid_field
from invrender.samples import make

volume, random = make(sys.argv[1], resolution=24), torch.Generator().manual_seed(0)
field, box = grid_field(volume), volume.bounds

vertices = grid_sensor(box, (12, 12, 12))  # each moves by up to half a cell; faces count twice
print("mean on a grid of 12^3:", *(f"{field(vertices(random)).mean():.4f}" for _ in range(3)))

anywhere = point_sensor(box, 12**3)
print("mean at random points: ", *(f"{field(anywhere(random)).mean():.4f}" for _ in range(3)))

rays = camera_rays(around(volume, size=24))  # one through the middle of each pixel
ends = box_ends(rays, box)
middle = rays.origin + ends.mean(1, keepdim=True) * rays.direction
inside = ends[:, 1] > ends[:, 0]
print(f"{int(inside.sum())} of {len(ends)} rays meet the box; mean half way: {field(middle[inside]).mean():.4f}")
