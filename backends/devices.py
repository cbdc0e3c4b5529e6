"""Where backends can work: devices by name, and the errors for a device or a package that is missing."""

from __future__ import annotations

import os
from importlib.util import find_spec

import torch

from invrender.errors import BackendError, UsageError

CPU = torch.device("cpu")
NO_OTHER = "use --backend torch, or --backend auto for the best one that works here"
"""The remedy where a backend asked for by name cannot work."""


def named(device: str | torch.device | None) -> torch.device:
    """The device of that name; the CPU for None.

    Raises:
        UsageError: no device has that name.
        BackendError: it is a CUDA device, and torch can use none.
    """
    try:
        found = torch.device(device or "cpu")
    except RuntimeError as error:
        raise UsageError(f"there is no device called {str(device)!r}", "use cpu, cuda or cuda:N") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise BackendError("torch can use no CUDA device here", "use --device cpu, or install a torch built for CUDA")
    return found


def gpu() -> torch.device:
    """Where the cuda backend works: on the CPU if Numba is asked to simulate a GPU, as tests do.

    Raises:
        BackendError: there is no GPU that torch can use.
    """
    if is_simulated():
        return CPU
    if not torch.cuda.is_available():
        raise BackendError("the cuda backend needs a GPU, and torch can use none here", NO_OTHER)
    return torch.device("cuda")


def needs_gpu(device: torch.device) -> None:
    """Refuse other devices before numba-cuda is imported, which takes half a second.

    Raises:
        BackendError: `device` is not a CUDA device, and Numba is not asked to simulate one.
    """
    if device.type != "cuda" and not is_simulated():
        raise BackendError(f"the cuda backend cannot work on {device}", "use --device cuda, or another backend")


def is_simulated() -> bool:
    """Whether Numba is asked to run CUDA kernels on the CPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def has_package(name: str) -> bool:
    """Whether a package is installed, without importing it."""
    return find_spec(name) is not None


def without_package(name: str, error: ImportError) -> BackendError:
    """The error where Numba, its CUDA part or slangpy cannot be imported."""
    if name == "cpu":
        return BackendError(f"the cpu backend needs Numba: {error}", "pip install numba")
    if name == "vulkan":
        cause = f"the vulkan backend needs slangpy: {str(error).splitlines()[0]}"
        return BackendError(cause, f"pip install 'invrender[vulkan]'; or {NO_OTHER}")
    major = (torch.version.cuda or "13").split(".")[0]
    cause = f"the cuda backend needs numba-cuda: {str(error).splitlines()[0]}"
    return BackendError(cause, f"pip install 'invrender[cuda{major}]'")
