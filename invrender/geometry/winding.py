"""Whether a point is inside a closed surface, by the solid angle that the surface fills as seen from it.

Sources: van Oosterom and Strackee 1983 (the solid angle of a triangle); Jacobson et al. 2013 (winding numbers).
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.vectors import Floats, Ints


def solid_angle_share(vertices: Floats, faces: Ints, point: Floats) -> float:
    """The share of all directions in which a surface is seen from behind, less that from the front.

    Of a closed surface it is 1 inside and 0 outside; -1 inside one whose faces point inwards.

    Args:
        vertices: [V,3].
        faces: [F,3].
        point: [3], not on the surface.
    """
    away = vertices - point
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-300)
    a, b, c = (away[faces[:, k]] for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c))
    dots = [np.einsum("ij,ij->i", one, other) for one, other in ((a, b), (b, c), (c, a))]
    return float(np.arctan2(volume, 1 + dots[0] + dots[1] + dots[2]).sum() / (2 * np.pi))
