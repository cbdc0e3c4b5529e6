"""A volume as a neural field: trained, written, read, drawn: python examples/learn_volume.py cloud cloud.png"""

import sys
from pathlib import Path

import torch

import invrender
from invrender.cameras.around import around
from invrender.io.images import write_png
from invrender.render.images import contact_sheet
from invrender.samples import make

name, picture = sys.argv[1], Path(sys.argv[2])
volume = make(name, resolution=32)
field = invrender.fit_field(volume, iterations=int(sys.argv[3]) if len(sys.argv) > 3 else 300)
invrender.write(picture.with_name("field.npz"), field)
again = invrender.read_field(picture.with_name("field.npz"))
cameras = around(volume, size=128)
with torch.no_grad():
    found, finer = again.volume(), again.volume((63, 63, 63))
    pictures = [invrender.render(each, cameras) for each in (volume, found, finer)]
write_png(picture, contact_sheet(torch.cat(pictures)))
psnr = 10 * torch.log10(volume.values.max() ** 2 / (found.values - volume.values).square().mean())
print(f"PSNR {psnr:.1f} dB")
