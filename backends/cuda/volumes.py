"""The cuda backend's volume kernels."""

from __future__ import annotations

import torch

from invrender.backends.cuda import about
from invrender.backends.cuda.composite import composite, composite_adjoint
from invrender.backends.cuda.line_integral import line_integral, line_integral_adjoint
from invrender.backends.cuda.projector import joseph_rays
from invrender.backends.cuda.smooth_step import smooth_step
from invrender.kernels import VolumeKernels


def load(device: torch.device) -> VolumeKernels:
    """The kernels; on the CPU only under Numba's simulator.

    Raises:
        BackendError: `device` is not a CUDA device.
    """
    return VolumeKernels(
        "cuda", about(device), device, line_integral, line_integral_adjoint, joseph_rays, smooth_step, composite,
        composite_adjoint,
    )  # fmt: skip
