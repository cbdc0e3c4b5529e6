"""The seam between backends: geometric queries as pairs of a kernel and its adjoint.

A backend is a `Backend`: a record of plain functions on tensors, without autograd. `invrender.ops` wraps each pair once
as a differentiable operation; shading, losses and solvers are written on top of those and know nothing of a backend.
"""

from invrender.kernels.backend import PARTS, Backend, Part
from invrender.kernels.mesh import (
    BOTH,
    Antialias,
    AntialiasAdjoint,
    ColourMisfit,
    Compared,
    Interpolate,
    InterpolateAdjoint,
    MakeColourMisfit,
    MakeMisfit,
    NeedsGrad,
    Rasterize,
    Silhouette,
    SilhouetteAdjoint,
    SilhouetteMisfit,
    SilhouetteTaped,
    Size,
    Trace,
)
from invrender.kernels.volume import (
    Backproject,
    Composite,
    CompositeAdjoint,
    LineIntegral,
    LineIntegralAdjoint,
    MakeRays,
    RayBundle,
    SmoothStep,
)

__all__ = [
    "BOTH",
    "PARTS",
    "Antialias",
    "AntialiasAdjoint",
    "Backend",
    "Backproject",
    "ColourMisfit",
    "Compared",
    "Composite",
    "CompositeAdjoint",
    "Interpolate",
    "InterpolateAdjoint",
    "LineIntegral",
    "LineIntegralAdjoint",
    "MakeColourMisfit",
    "MakeMisfit",
    "MakeRays",
    "NeedsGrad",
    "Part",
    "Rasterize",
    "RayBundle",
    "Silhouette",
    "SilhouetteAdjoint",
    "SilhouetteMisfit",
    "SilhouetteTaped",
    "Size",
    "SmoothStep",
    "Trace",
]
