"""The kernels of a backend as differentiable operations: each pair is wrapped once, here.

Every function takes the backend first and otherwise reads like the kernel in `invrender.kernels`.
"""

from invrender.ops.mesh import antialias, interpolate, rasterize, silhouette
from invrender.ops.volume import composite, line_integral

__all__ = ["antialias", "composite", "interpolate", "line_integral", "rasterize", "silhouette"]
