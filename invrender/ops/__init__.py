"""The kernels of a backend as differentiable operations: each pair is wrapped once, here.

Every function takes the backend first and otherwise reads like the kernel in `invrender.kernels`.
"""

from invrender.ops.mesh import antialias, interpolate, rasterize, silhouette
from invrender.ops.rays import Hits, first_hits
from invrender.ops.volume import composite, line_integral

__all__ = ["Hits", "antialias", "composite", "first_hits", "interpolate", "line_integral", "rasterize", "silhouette"]
