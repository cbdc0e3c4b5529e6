"""The torch backend: the reference for every other one, in plain torch, on any device and in float32 or float64."""

from __future__ import annotations

from typing import Any

import torch

from invrender.backends.deferred import deferred
from invrender.backends.torch.colour_misfit import colour_misfit_by
from invrender.backends.torch.misfit import misfit_by
from invrender.backends.torch.radiance_over import radiance_adjoint_by, radiance_by
from invrender.backends.torch.trace import trace_engine
from invrender.kernels import Backend

_NAMES: dict[str, tuple[str, ...]] = {
    "antialias": ("antialias", "antialias_adjoint"),
    "backproject": ("backproject",),
    "composite": ("composite", "composite_adjoint"),
    "field": ("field", "field_light", "field_misfit"),
    "interpolate": ("interpolate", "interpolate_adjoint"),
    "line_integral": ("line_integral", "line_integral_adjoint"),
    "projector": ("joseph_rays",),
    "rasterize": ("rasterize",),
    "silhouette": ("silhouette", "silhouette_adjoint", "silhouette_taped"),
    "smooth_step": ("smooth_step",),
    "trace": ("trace",),
}
"""The kernels in each module of this folder."""

KERNELS: dict[str, Any] = deferred(__name__, _NAMES)
"""Kernels by their name in `Backend`, but for those that are made of others."""


def load(device: torch.device) -> Backend:
    """The torch backend on a device."""
    own, trace = KERNELS, KERNELS["trace"]
    return Backend(
        name="torch",
        description=f"plain torch {torch.__version__} on {device}, rays by {trace_engine()}",
        device=device,
        silhouette_misfit=misfit_by(own["silhouette_taped"], own["silhouette_adjoint"]),
        colour_misfit=colour_misfit_by(own["rasterize"], own["interpolate"], own["interpolate_adjoint"]),
        radiance=radiance_by(trace),
        radiance_adjoint=radiance_adjoint_by(trace),
        radiance_torch=radiance_by(trace),
        **own,
    )
