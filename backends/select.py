"""Where a backend's name becomes a `Backend`: the list of backends, and the choice among them.

`auto` takes the first backend of the list that passes its self-test. A backend asked for by name is used or an error
says why not; what `auto` passes over is said.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import torch

from invrender.backends.devices import CPU, NO_OTHER, gpu, has_package, named, needs_gpu, without_package
from invrender.backends.self_test import self_test
from invrender.errors import BackendError, UsageError
from invrender.kernels import PARTS, Backend, Part

Device: TypeAlias = str | torch.device | None


def _cpu(device: Device) -> Backend:
    device = named(device)
    try:
        from invrender.backends.cpu import load

        return load(device)
    except ImportError as error:
        raise without_package("cpu", error) from error


def _cuda(device: Device) -> Backend:
    device = named(device or gpu())
    needs_gpu(device)
    try:
        from invrender.backends.cuda import load
    except ImportError as error:
        raise without_package("cuda", error) from error
    return load(device)


def _vulkan(device: Device) -> Backend:
    try:
        from invrender.backends.vulkan.backend import load
    except ImportError as error:
        raise without_package("vulkan", error) from error
    return load(None if device is None else str(device))


def _torch(device: Device) -> Backend:
    from invrender.backends.torch import load

    return load(named(device))


Loader: TypeAlias = Callable[[Device], Backend]
BACKENDS: dict[str, Loader] = {"cuda": _cuda, "vulkan": _vulkan, "cpu": _cpu, "torch": _torch}
"""Loaders by name, in the order in which `auto` tries them. They take the device that one asks for, or None for the
best, and raise BackendError where they cannot work."""


def select(name: str = "auto", device: Device = None, needs: tuple[Part, ...] = PARTS) -> Backend:
    """The backend of that name, tested.

    The self-test calls kernels, which compiles them on a machine that has not done so yet (seconds) and else loads
    them (some hundredths of a second). A caller that needs kernels of meshes or volumes alone says so in `needs`: the
    others are not tested, but the backend that is returned has them, too.

    Args:
        name: "auto" or a key of `BACKENDS`.
        device: where its tensors live, as torch spells it. Unless given, the GPU for "cuda", and for "auto" where there
            is one; else the CPU. For "vulkan", the number or a part of the name of the Vulkan device.
        needs: what the backend has to pass its self-test for.

    Raises:
        UsageError: no backend or device has that name.
        BackendError: it exists but does not run here.
    """
    if name == "auto":
        return _first_working(device, needs)
    if name not in BACKENDS:
        _refuse(name)
    backend = BACKENDS[name](device)
    problem = self_test(backend, needs)
    if problem:
        raise BackendError(f"the {name} backend does not work on {device or backend.device}: {problem}", NO_OTHER)
    return backend


def _first_working(wanted: Device, needs: tuple[Part, ...]) -> Backend:
    """The first backend that passes its self-test; torch itself only where no kernels of ours run, GPU or not.

    What should have worked and did not is said, and noted in the backend.
    """
    problems: list[str] = []
    for name, device in _candidates(wanted):
        try:
            backend = BACKENDS[name](device)
            problem = self_test(backend, needs)
        except BackendError as error:
            problem = error.cause
        if not problem:
            return _noted(backend, problems)
        if device is None or name in ("torch", device.type):  # elsewhere it is not expected to work
            problems.append(f"{name} ({problem})")
    raise BackendError(f"no backend works here: {', '.join(problems)}", "run `invrender doctor` for the fixes")


def _candidates(wanted: Device) -> Iterator[tuple[str, torch.device | None]]:
    """Backends with the devices that they are tried on; vulkan only where there is hardware for it."""
    devices = [named(wanted)] if wanted else [*([torch.device("cuda")] if torch.cuda.is_available() else []), CPU]
    for name in BACKENDS:
        if name != "vulkan":
            yield from ((name, device) for device in devices)
        elif not wanted and has_package("slangpy"):
            from invrender.backends.vulkan.probe import has_hardware

            if has_hardware():
                yield name, None


def _noted(backend: Backend, problems: list[str]) -> Backend:
    if not problems:
        return backend
    said = f"passed over backend {', '.join(problems)}; using {backend.name} on {backend.device} instead"
    logging.getLogger(__name__).warning("%s; `invrender doctor` has the fix", said)
    return replace(backend, passed_over=said)


def _refuse(name: str) -> None:
    known = ["auto", *BACKENDS]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no backend called {name!r}", f"{hint}use one of: {', '.join(known)}")
