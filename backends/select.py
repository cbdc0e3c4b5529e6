"""Where a backend's name becomes a `Backend`: the list of backends, the self-test, and the choice among them.

`auto` takes the first backend of the list that passes its self-test. A backend asked for by name is used or an error
says why not; nothing falls back in silence. `invrender.backends.select_volume` chooses by the same rules.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

import torch

from invrender.errors import BackendError, UsageError
from invrender.kernels import Backend
from invrender.nouns.topology import topology

PLANNED = ("vulkan",)
"""Names that the command line knows and this version does not have yet."""

B = TypeVar("B")
Loader: TypeAlias = Callable[[torch.device], B]

CPU = torch.device("cpu")
_NO_OTHER = "use --backend torch, or --backend auto for the best one that works here"


def _cpu(device: torch.device) -> Backend:
    try:
        from invrender.backends.cpu import load
    except ImportError as error:
        raise without_package("cpu", error) from error
    return load(device)


def _cuda(device: torch.device) -> Backend:
    needs_gpu(device)
    try:
        from invrender.backends.cuda import load
    except ImportError as error:
        raise without_package("cuda", error) from error
    return load(device)


def needs_gpu(device: torch.device) -> None:
    """Refuse other devices before numba-cuda is imported, which takes half a second.

    Raises:
        BackendError: `device` is not a CUDA device, and Numba is not asked to simulate one.
    """
    if device.type != "cuda" and not _is_simulated():
        raise BackendError(f"the cuda backend cannot work on {device}", "use --device cuda, or another backend")


def _torch(device: torch.device) -> Backend:
    from invrender.backends.torch import load

    return load(device)


def without_package(name: str, error: ImportError) -> BackendError:
    """What to say where Numba or its CUDA part cannot be imported."""
    if name == "cpu":
        return BackendError(f"the cpu backend needs Numba: {error}", "pip install numba")
    major = (torch.version.cuda or "13").split(".")[0]
    cause = f"the cuda backend needs numba-cuda: {str(error).splitlines()[0]}"
    return BackendError(cause, f"pip install 'invrender[cuda{major}]'")


BACKENDS: dict[str, Loader[Backend]] = {"cuda": _cuda, "cpu": _cpu, "torch": _torch}
"""Loaders by name, in the order in which `auto` tries them. They raise BackendError where they cannot work."""


def select(name: str = "auto", device: str | torch.device | None = None) -> Backend:
    """The backend of that name, tested.

    Args:
        name: "auto" or a key of `BACKENDS`.
        device: where its tensors live, as torch spells it. Unless given, the GPU for "cuda", and for "auto" where there
            is one; else the CPU.

    Raises:
        UsageError: no backend or device has that name.
        BackendError: it exists but does not run here.
    """
    return choose(name, device, BACKENDS, self_test)


def choose(
    name: str, device: str | torch.device | None, loaders: Mapping[str, Loader[B]], test: Callable[[B], str]
) -> B:
    """`select` among any loaders; `test` gives an empty string, or what is wrong."""
    if name == "auto":
        places = [_device(device)] if device else [*([torch.device("cuda")] if torch.cuda.is_available() else []), CPU]
        return _first_working(places, loaders, test)
    if name not in loaders:
        _refuse(name, loaders)
    place = _device(device or (_gpu() if name == "cuda" else CPU))
    backend = loaders[name](place)
    problem = test(backend)
    if problem:
        raise BackendError(f"the {name} backend does not work on {place}: {problem}", _NO_OTHER)
    return backend


def self_test(backend: Backend) -> str:
    """Draw one triangle and move it: an empty string if the answers are right, else what is wrong."""
    clip = torch.tensor([[[-0.49, -0.54, 0, 1], [0.48, -0.54, 0, 1], [-0.49, 0.49, 0, 1]]], device=backend.device)
    faces = torch.tensor([[0, 1, 2]], device=backend.device)
    try:
        face_id, depth = backend.rasterize(clip, faces, (16, 16))
        edges = topology(faces)
        area, tape = backend.silhouette_taped(clip, faces, edges, (16, 16))
        growth = (backend.silhouette_adjoint(torch.ones_like(area), tape)[..., :2] * clip[..., :2]).sum()
    except Exception as error:  # noqa: BLE001 - whatever it is, the backend does not work here
        return f"{type(error).__name__}: {error}".splitlines()[0]
    # Right angle, legs of 7.76 and 8.24 pixels: area 32, and d area / d scale is twice that.
    if not 24 <= int((face_id == 0).sum()) <= 40 or not bool((depth[face_id == 0].abs() < 1e-6).all()):
        return "the self-test triangle is rasterized wrongly"
    if abs(float(area.sum()) - 32) > 1 or abs(float(growth) - 64) > 2:
        return "the self-test triangle has a wrong area or derivative"
    return ""


def _first_working(places: list[torch.device], loaders: Mapping[str, Loader[B]], test: Callable[[B], str]) -> B:
    """The first backend that passes its self-test; torch itself only where no kernels of ours run, GPU or not."""
    problems = []
    for name, load in loaders.items():
        for place in places:
            try:
                backend = load(place)
            except BackendError as error:
                problems.append(f"{name} ({error.cause})")
                continue
            problem = test(backend)
            if not problem:
                return backend
            problems.append(f"{name} ({problem})")
    raise BackendError(f"no backend works here: {', '.join(problems)}", "run `invrender doctor` for the fixes")


def _gpu() -> torch.device:
    """Where the cuda backend works: on the CPU if Numba is asked to simulate a GPU, as tests do."""
    if _is_simulated():
        return CPU
    if not torch.cuda.is_available():
        raise BackendError("the cuda backend needs a GPU, and torch can use none here", _NO_OTHER)
    return torch.device("cuda")


def _is_simulated() -> bool:
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def _refuse(name: str, loaders: Mapping[str, Loader[B]]) -> None:
    if name in PLANNED:
        raise BackendError(f"the {name} backend is not part of this version", _NO_OTHER)
    known = ["auto", *loaders, *PLANNED]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no backend called {name!r}", f"{hint}use one of: {', '.join(known)}")


def _device(device: str | torch.device | None) -> torch.device:
    try:
        place = torch.device(device or "cpu")
    except RuntimeError as error:
        raise UsageError(f"there is no device called {str(device)!r}", "use cpu, cuda or cuda:N") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise BackendError("torch can use no CUDA device here", "use --device cpu, or install a torch built for CUDA")
    return place
