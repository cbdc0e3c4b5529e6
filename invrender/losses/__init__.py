"""What reconstruction minimises.

All terms are areas or free of units in the normalised frame, so that their weights mean the same at every image size,
distance and triangle count.
"""

from invrender.losses.silhouettes import silhouette_misfit, silhouette_misfit_gradient, soft_iou
from invrender.losses.surface import bending, bending_gradient, membrane, membrane_gradient

__all__ = [
    "bending",
    "bending_gradient",
    "membrane",
    "membrane_gradient",
    "silhouette_misfit",
    "silhouette_misfit_gradient",
    "soft_iou",
]
