"""Density and colour from pictures of a volume; then, from the same pictures and the volume, its transfer function.

python examples/colours.py cloud.npz outputs/cloud        (invrender sample cloud -o cloud.npz)
"""

from __future__ import annotations

import sys

from invrender import reconstruct

source, folder = sys.argv[1:3]
draft = {"method": "volume", "preset": "draft", "views": 16, "size": 64}
volume = reconstruct(source, f"{folder}/volume", **draft)
print(f"density and colour: PSNR of views left out {volume.metrics['heldout_psnr']:.1f} dB")
transfer = reconstruct(source, f"{folder}/transfer", known=source, **draft)
print(f"transfer function of {len(transfer.asset.opacity)} rows: {transfer.metrics['heldout_psnr']:.1f} dB")
