"""A picture as a small network: python examples/learn_picture.py docs/overview.png learned.png

The network sees where a pixel lies, and never its neighbours; sines and cosines of the place let it draw edges.
"""

import sys

import torch

import invrender
from invrender.io.images import read_image, write_png
from invrender.parameters.neural_field import FieldSettings

SIZE = 64
picture = torch.as_tensor(read_image(sys.argv[1])[0]).float()  # linear RGB
small = torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None], (SIZE, SIZE), mode="area")[0].permute(1, 2, 0)
y, x = torch.meshgrid(torch.linspace(0, 1, SIZE), torch.linspace(0, 1, SIZE), indexing="ij")
points = torch.stack([x, y, torch.full_like(x, 0.5)], -1).reshape(-1, 3)
field = invrender.fit_field(
    (points, small.reshape(-1, 3)),
    [[0, 0, 0], [1, 1, 1]],
    outputs=["share"] * 3,
    settings=FieldSettings(kind="network", hidden=64, layers=2, frequencies=6),
    iterations=int(sys.argv[3]) if len(sys.argv) > 3 else 1000,
    rate=0.01,
)
with torch.no_grad():
    learned = field(points).reshape(SIZE, SIZE, 3)
write_png(sys.argv[2], torch.cat([small, learned], 1))
numbers = sum(weights.numel() for weights in field.params.values())
print(f"PSNR {-10 * (learned - small).square().mean().log10():.1f} dB with {numbers} numbers for {3 * SIZE**2}")
