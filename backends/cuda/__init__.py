"""The cuda backend: the bodies of the cpu backend as Numba CUDA kernels over torch's CUDA tensors."""

from __future__ import annotations

import numba_cuda
import torch
from numba import cuda

from invrender.backends.completion import completed
from invrender.backends.cuda.antialias import antialias, antialias_adjoint
from invrender.backends.cuda.backproject import backproject
from invrender.backends.cuda.composite import composite, composite_adjoint
from invrender.backends.cuda.field import field, field_light, field_misfit
from invrender.backends.cuda.interpolate import interpolate, interpolate_adjoint
from invrender.backends.cuda.line_integral import line_integral, line_integral_adjoint
from invrender.backends.cuda.projector import joseph_rays
from invrender.backends.cuda.radiance import radiance, radiance_adjoint
from invrender.backends.cuda.rasterize import rasterize
from invrender.backends.cuda.silhouette import silhouette, silhouette_adjoint, silhouette_taped
from invrender.backends.cuda.smooth_step import smooth_step
from invrender.backends.cuda.target import SIMULATED, folders
from invrender.backends.cuda.trace import trace
from invrender.backends.devices import needs_gpu
from invrender.backends.torch import load as load_torch
from invrender.jit import announce
from invrender.kernels import Backend


def load(device: torch.device) -> Backend:
    """The cuda backend; on the CPU only under Numba's simulator, which is slow beyond use and meant for tests.

    Raises:
        BackendError: `device` is not a CUDA device.
    """
    return completed(
        "cuda",
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
    """Select the device and describe what the backend runs on; log that kernels will be compiled, where that is so.

    Raises:
        BackendError: `device` is not a CUDA device.
    """
    needs_gpu(device)
    if SIMULATED:
        return f"numba-cuda {numba_cuda.__version__} on Numba's simulator"
    if device.index is not None:
        torch.cuda.set_device(device)
        cuda.select_device(device.index)  # numba-cuda keeps to the first device that it met otherwise
    if not any(kept for folder in folders if folder for kept in folder.rglob("*.nbi")):
        announce(kept=None not in folders)
    return f"numba-cuda {numba_cuda.__version__} on {torch.cuda.get_device_name(device)}"
