"""Where a backend's name becomes `VolumeKernels`, by the rules of `invrender.backends.select`; their self-test."""

from __future__ import annotations

import torch

from invrender.backends.select import Loader, choose, needs_gpu, without_package
from invrender.kernels import VolumeKernels
from invrender.nouns import Cameras


def _cuda(device: torch.device) -> VolumeKernels:
    needs_gpu(device)
    try:
        from invrender.backends.cuda.volumes import load
    except ImportError as error:
        raise without_package("cuda", error) from error
    return load(device)


def _cpu(device: torch.device) -> VolumeKernels:
    try:
        from invrender.backends.cpu.volumes import load
    except ImportError as error:
        raise without_package("cpu", error) from error
    return load(device)


def _torch(device: torch.device) -> VolumeKernels:
    from invrender.backends.torch import composite, line_integral, smooth_step
    from invrender.backends.torch import projector as joseph

    return VolumeKernels(
        name="torch",
        description=f"plain torch {torch.__version__} on {device}",
        device=device,
        line_integral=line_integral.line_integral,
        line_integral_adjoint=line_integral.line_integral_adjoint,
        joseph_rays=joseph.joseph_rays,
        smooth_step=smooth_step.smooth_step,
        composite=composite.composite,
        composite_adjoint=composite.composite_adjoint,
    )


VOLUMES: dict[str, Loader[VolumeKernels]] = {"cuda": _cuda, "cpu": _cpu, "torch": _torch}
"""Loaders by name, in the order in which `auto` tries them. They raise BackendError where they cannot work."""


def select_volume(name: str = "auto", device: str | torch.device | None = None) -> VolumeKernels:
    """The volume kernels of a backend, tested.

    Args:
        name: "auto" or a key of `VOLUMES`.
        device: where their tensors live, as torch spells it. Unless given, the GPU for "cuda", and for "auto" where
            there is one; else the CPU.

    Raises:
        UsageError: no backend or device has that name.
        BackendError: it exists but does not run here.
    """
    return choose(name, device, VOLUMES, self_test)


def self_test(kernels: VolumeKernels) -> str:
    """Measure one density along an axis, there and back: an empty string if the answers are right, else what is wrong.

    What it calls, a reconstruction needs anyway: on a machine that has compiled nothing yet, no time is lost.
    """
    bounds = torch.tensor([[-1.0, -1, -1], [1, 1, 1]], dtype=torch.float64, device=kernels.device)
    density = (torch.linspace(-1, 1, 5) + 2).expand(3, 4, 5).contiguous().to(kernels.device)
    lens = torch.tensor([[[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]]], dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64)[None]
    eye[0, 2, 3] = -3
    ray = torch.tensor([[-3.0, 0.3, 0.2]], dtype=torch.float64, device=kernels.device)
    try:
        depth = kernels.line_integral(density, bounds, ray, torch.tensor([[1.0, 0, 0]]).to(ray))
        rays = kernels.joseph_rays((3, 4, 5), bounds, Cameras(eye, lens, (1, 1)))
        one = torch.ones(len(rays.pixels), device=kernels.device)
        gradient, loss = rays.normal(density, 0 * one, one)
        slope = float((gradient * density).sum())
    except Exception as error:  # noqa: BLE001 - whatever it is, the backend does not work here
        return f"{type(error).__name__}: {error}".splitlines()[0]
    # The density is x + 2: 4 along x, and along z in the middle 4 as well, so half its square is 8 and the slope 16.
    if abs(float(depth.sum()) - 4) > 1e-3:
        return "the self-test density has a wrong optical depth"
    if abs(loss - 8) > 1e-2 or abs(slope - 16) > 2e-2:
        return "the self-test density has a wrong projection or derivative"
    return ""
