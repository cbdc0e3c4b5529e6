"""The torch backend: the reference for every other one, in plain torch, on any device and in float32 or float64."""

from __future__ import annotations

import torch

from invrender.backends.misfit import misfit_by
from invrender.backends.torch.antialias import antialias, antialias_adjoint
from invrender.backends.torch.interpolate import interpolate, interpolate_adjoint
from invrender.backends.torch.rasterize import rasterize
from invrender.backends.torch.silhouette import silhouette as silhouette_taped
from invrender.backends.torch.silhouette import silhouette_adjoint
from invrender.backends.torch.trace import trace, trace_engine
from invrender.kernels import Backend, Size
from invrender.nouns.topology import Topology


def silhouette(clip: torch.Tensor, faces: torch.Tensor, topology: Topology, size: Size) -> torch.Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]; see `silhouette.silhouette`."""
    return silhouette_taped(clip, faces, topology, size)[0]


def load(device: torch.device) -> Backend:
    """The torch backend on a device."""
    return Backend(
        name="torch",
        description=f"plain torch {torch.__version__} on {device}, rays by {trace_engine()}",
        device=device,
        rasterize=rasterize,
        interpolate=interpolate,
        interpolate_adjoint=interpolate_adjoint,
        antialias=antialias,
        antialias_adjoint=antialias_adjoint,
        silhouette=silhouette,
        silhouette_taped=silhouette_taped,
        silhouette_adjoint=silhouette_adjoint,
        silhouette_misfit=misfit_by(silhouette_taped, silhouette_adjoint),
        trace=trace,
    )
