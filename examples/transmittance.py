"""A density from X-ray like images: what is left of the light behind a volume that absorbs it.

python examples/transmittance.py cloud.npz outputs/cloud        (invrender sample cloud -o cloud.npz)
"""

from __future__ import annotations

import sys

from invrender import reconstruct

source, folder = sys.argv[1:3]
outcome = reconstruct(source, folder, method="transmittance", noise="poisson:10000", views=32, preset="draft")
density = outcome.asset.values[0]  # [D,H,W]
print(f"{' x '.join(map(str, density.shape))} samples, the largest {float(density.max()):.3g}")
print(f"PSNR against the volume {outcome.metrics['psnr']:.1f} dB")
