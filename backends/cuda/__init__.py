"""The cuda backend: the bodies of the cpu backend as Numba CUDA kernels over torch's CUDA tensors."""

from __future__ import annotations

import numba_cuda
import torch

from invrender.backends.completion import completed
from invrender.backends.cuda.antialias import antialias, antialias_adjoint
from invrender.backends.cuda.interpolate import interpolate, interpolate_adjoint
from invrender.backends.cuda.rasterize import rasterize
from invrender.backends.cuda.silhouette import silhouette, silhouette_adjoint, silhouette_taped
from invrender.backends.cuda.target import SIMULATED
from invrender.backends.cuda.trace import trace
from invrender.backends.torch import load as load_torch
from invrender.errors import BackendError
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
    )


def about(device: torch.device) -> str:
    """What the backend runs on.

    Raises:
        BackendError: `device` is not a CUDA device.
    """
    if device.type != "cuda" and not SIMULATED:
        raise BackendError(f"the cuda backend cannot work on {device}", "use --device cuda, or another backend")
    where = "Numba's simulator" if SIMULATED else torch.cuda.get_device_name(device)
    return f"numba-cuda {numba_cuda.__version__} on {where}"
