"""A mesh from silhouettes: an asset's own views, or a folder of posed pictures with masks.

python examples/silhouettes.py data/mug.glb outputs/mug
"""

from __future__ import annotations

import sys

from invrender import reconstruct

source, folder = sys.argv[1:3]
outcome = reconstruct(source, folder, method="silhouette", views=12, size=128, preset="draft")
vertices, faces = outcome.asset.numpy()
print(f"{len(vertices)} vertices, {len(faces)} triangles")
print(f"IoU with the masks {outcome.metrics['views_iou']:.3f}")
