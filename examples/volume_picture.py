"""A volume and the light that comes through it: python examples/volume_picture.py cloud picture.png"""

import sys

import torch

import invrender
from invrender.io.images import write_png
from invrender.render.images import contact_sheet
from invrender.samples import make

name, picture = sys.argv[1:3]
volume = make(name, resolution=32)
colour = invrender.render(volume, size=96)
light = invrender.render(volume, size=96, mode="transmittance", extinction="auto")
write_png(picture, contact_sheet(torch.cat([colour, light.expand(-1, -1, -1, 3)])))
