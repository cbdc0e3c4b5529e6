"""The cpu backend: Numba kernels on all cores, for tensors in main memory. The default where there is no GPU."""

from __future__ import annotations

import numba
import torch

from invrender.backends.completion import completed
from invrender.backends.cpu.antialias import antialias, antialias_adjoint
from invrender.backends.cpu.backproject import backproject
from invrender.backends.cpu.colour_misfit import colour_misfit
from invrender.backends.cpu.composite import composite, composite_adjoint
from invrender.backends.cpu.field import field, field_light, field_misfit
from invrender.backends.cpu.interpolate import interpolate, interpolate_adjoint
from invrender.backends.cpu.line_integral import line_integral, line_integral_adjoint
from invrender.backends.cpu.memory import keep_freed
from invrender.backends.cpu.misfit import silhouette_misfit
from invrender.backends.cpu.projector import joseph_rays
from invrender.backends.cpu.radiance import radiance
from invrender.backends.cpu.radiance_adjoint import radiance_adjoint
from invrender.backends.cpu.rasterize import rasterize
from invrender.backends.cpu.silhouette import silhouette, silhouette_adjoint, silhouette_taped
from invrender.backends.cpu.smooth_step import smooth_step
from invrender.backends.cpu.threads import thread_count
from invrender.backends.cpu.trace import trace
from invrender.backends.torch import load as load_torch
from invrender.errors import BackendError
from invrender.kernels import Backend


def load(device: torch.device) -> Backend:
    """The cpu backend.

    Raises:
        BackendError: `device` is not the CPU.
    """
    keep_freed()
    return completed(
        "cpu",
        about(device),
        load_torch(device),
        rasterize=rasterize,
        interpolate=interpolate,
        interpolate_adjoint=interpolate_adjoint,
        antialias=antialias,
        antialias_adjoint=antialias_adjoint,
        silhouette=silhouette,
        silhouette_taped=silhouette_taped,
        silhouette_adjoint=silhouette_adjoint,
        silhouette_misfit=silhouette_misfit,
        colour_misfit=colour_misfit,
        trace=trace,
        radiance=radiance,
        radiance_adjoint=radiance_adjoint,
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


def about(device: torch.device) -> str:
    """What the backend runs on.

    Raises:
        BackendError: `device` is not the CPU.
    """
    if device.type != "cpu":
        raise BackendError(f"the cpu backend cannot work on {device}", "use --device cpu, or another backend")
    threads = thread_count()
    return f"Numba {numba.__version__}, {threads} thread{'s' if threads > 1 else ''}"
