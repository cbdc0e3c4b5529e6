"""Where a backend's name becomes `VolumeKernels`: Numba on all cores, or the plain torch reference on any device."""

from __future__ import annotations

import difflib

import torch

from invrender.backends.torch import composite, joseph, line_integral, smooth_step
from invrender.errors import BackendError, UsageError
from invrender.kernels import VolumeKernels

NAMES = ("auto", "cpu", "torch")
PLANNED = ("cuda", "vulkan")


def select_volume(name: str = "auto", device: str | torch.device | None = None) -> VolumeKernels:
    """The volume kernels of a backend; auto means cpu, or torch where a device other than the CPU is named.

    Raises:
        UsageError: there is no such backend or device.
        BackendError: it cannot run here, or has no volume kernels.
    """
    place = _device(device)
    if name == "auto":
        name = "cpu" if place.type == "cpu" else "torch"
    if name == "torch":
        return _torch(place)
    if name == "cpu":
        if place.type != "cpu":
            raise BackendError(f"the cpu backend does not run on {place}", "use --backend torch, or leave --device out")
        return _cpu()
    if name in PLANNED:
        raise BackendError(f"the {name} backend has no volume kernels in this version", "use --backend cpu or torch")
    near = difflib.get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no backend called {name!r}", f"{hint}use one of: {', '.join((*NAMES, *PLANNED))}")


def _torch(place: torch.device) -> VolumeKernels:
    return VolumeKernels(
        name="torch",
        description=f"plain torch {torch.__version__} on {place}",
        device=place,
        line_integral=line_integral.line_integral,
        line_integral_adjoint=line_integral.line_integral_adjoint,
        joseph_rays=joseph.joseph_rays,
        smooth_step=smooth_step.smooth_step,
        composite=composite.composite,
        composite_adjoint=composite.composite_adjoint,
    )


def _cpu() -> VolumeKernels:
    try:
        from invrender.backends.cpu import volume_composite, volume_exact, volume_joseph, volume_step
    except ImportError as error:
        raise BackendError(
            f"the cpu backend cannot start: {error}", "run 'pip install numba', or use --backend torch"
        ) from error
    return VolumeKernels(
        name="cpu",
        description=f"Numba on {torch.get_num_threads()} threads",
        device=torch.device("cpu"),
        line_integral=volume_exact.line_integral,
        line_integral_adjoint=volume_exact.line_integral_adjoint,
        joseph_rays=volume_joseph.joseph_rays,
        smooth_step=volume_step.smooth_step,
        composite=volume_composite.composite,
        composite_adjoint=volume_composite.composite_adjoint,
    )


def _device(device: str | torch.device | None) -> torch.device:
    try:
        place = torch.device(device or "cpu")
    except RuntimeError as error:
        raise UsageError(f"there is no device called {str(device)!r}", "use cpu, cuda or cuda:N") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise BackendError("torch can use no CUDA device here", "use --device cpu, or install a torch built for CUDA")
    return place
