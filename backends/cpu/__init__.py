"""The cpu backend: Numba kernels on all cores, for tensors in main memory. The default where there is no GPU."""

from __future__ import annotations

from typing import Any

import torch

from invrender.backends.completion import completed
from invrender.backends.cpu.memory import keep_freed
from invrender.backends.cpu.threads import thread_count
from invrender.backends.deferred import deferred
from invrender.backends.torch import load as load_torch
from invrender.errors import BackendError
from invrender.kernels import Backend

_NAMES: dict[str, tuple[str, ...]] = {
    "antialias": ("antialias", "antialias_adjoint"),
    "backproject": ("backproject",),
    "colour_misfit": ("colour_misfit",),
    "composite": ("composite", "composite_adjoint"),
    "field": ("field", "field_light", "field_misfit"),
    "interpolate": ("interpolate", "interpolate_adjoint"),
    "line_integral": ("line_integral", "line_integral_adjoint"),
    "misfit": ("silhouette_misfit",),
    "projector": ("joseph_rays",),
    "radiance": ("radiance",),
    "radiance_adjoint": ("radiance_adjoint",),
    "rasterize": ("rasterize",),
    "silhouette": ("silhouette", "silhouette_adjoint", "silhouette_taped"),
    "smooth_step": ("smooth_step",),
    "trace": ("trace",),
}
"""The kernels in each module of this folder."""

KERNELS: dict[str, Any] = deferred(__name__, _NAMES)
"""Kernels by their name in `Backend`."""


def load(device: torch.device) -> Backend:
    """The cpu backend.

    Raises:
        BackendError: `device` is not the CPU.
    """
    keep_freed()
    return completed("cpu", about(device), load_torch(device), **KERNELS)


def about(device: torch.device) -> str:
    """What the backend runs on.

    Raises:
        BackendError: `device` is not the CPU.
        ImportError: Numba cannot be imported.
    """
    if device.type != "cpu":
        raise BackendError(f"the cpu backend cannot work on {device}", "use --device cpu, or another backend")
    import numba

    threads = thread_count()
    return f"Numba {numba.__version__}, {threads} thread{'s' if threads > 1 else ''}"
