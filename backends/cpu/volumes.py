"""The cpu backend's volume kernels."""

from __future__ import annotations

import torch

from invrender.backends.cpu import about
from invrender.backends.cpu.composite import composite, composite_adjoint
from invrender.backends.cpu.line_integral import line_integral, line_integral_adjoint
from invrender.backends.cpu.memory import keep_freed
from invrender.backends.cpu.projector import joseph_rays
from invrender.backends.cpu.smooth_step import smooth_step
from invrender.kernels import VolumeKernels


def load(device: torch.device) -> VolumeKernels:
    """The kernels.

    Raises:
        BackendError: `device` is not the CPU.
    """
    keep_freed()
    return VolumeKernels(
        "cpu", about(device), device, line_integral, line_integral_adjoint, joseph_rays, smooth_step,
        composite, composite_adjoint,
    )  # fmt: skip
