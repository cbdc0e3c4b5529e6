"""The torch backend: the reference for every other one, in plain torch, on any device and in float32 or float64."""

from __future__ import annotations

import torch

from invrender.backends.torch.antialias import antialias, antialias_adjoint
from invrender.backends.torch.backproject import backproject
from invrender.backends.torch.colour_misfit import colour_misfit_by
from invrender.backends.torch.composite import composite, composite_adjoint
from invrender.backends.torch.field import field, field_light, field_misfit
from invrender.backends.torch.interpolate import interpolate, interpolate_adjoint
from invrender.backends.torch.line_integral import line_integral, line_integral_adjoint
from invrender.backends.torch.misfit import misfit_by
from invrender.backends.torch.projector import joseph_rays
from invrender.backends.torch.radiance import radiance_adjoint_by, radiance_by
from invrender.backends.torch.rasterize import rasterize
from invrender.backends.torch.silhouette import silhouette, silhouette_adjoint, silhouette_taped
from invrender.backends.torch.smooth_step import smooth_step
from invrender.backends.torch.trace import trace, trace_engine
from invrender.kernels import Backend


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
        colour_misfit=colour_misfit_by(rasterize, interpolate, interpolate_adjoint),
        trace=trace,
        radiance=radiance_by(trace),
        radiance_adjoint=radiance_adjoint_by(trace),
        radiance_torch=radiance_by(trace),
        line_integral=line_integral,
        line_integral_adjoint=line_integral_adjoint,
        backproject=backproject,
        joseph_rays=joseph_rays,
        smooth_step=smooth_step,
        composite=composite,
        composite_adjoint=composite_adjoint,
        field=field,
        field_misfit=field_misfit,
        field_light=field_light,
    )
