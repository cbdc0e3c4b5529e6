"""Fixtures for every test: the command line in a subprocess, backends by name, and one thread per worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from invrender.backends import select
from invrender.errors import BackendError
from invrender.kernels import Backend
from invrender.kernels.radiance import RadianceGradient
from invrender.nouns import Cameras

torch.set_num_threads(1)  # what the tests compute is so small that threads only get in each other's way
if "PYTEST_XDIST_WORKER" in os.environ:  # and the workers share the cores
    os.environ["OMP_NUM_THREADS"] = "1"


ENVIRON = dict(os.environ)
HAS_GPU = torch.cuda.is_available() or os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


NEEDS_VULKAN = "NEED_VULKAN_DRIVER"
"""Environment variable that turns a missing Vulkan driver from a reason to skip into a failure."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes a GPU, or Numba's simulator of one; `test_there_is_a_gpu` is skipped in their name.

    What takes a Vulkan driver is left out in the name of `test_there_is_a_vulkan_driver`.
    """
    if (any(item.get_closest_marker("vulkan") for item in items)) and without_vulkan() and NEEDS_VULKAN not in ENVIRON:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("vulkan")])
        items[:] = [item for item in items if not item.get_closest_marker("vulkan")]
    if not HAS_GPU:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("gpu")])
        items[:] = [item for item in items if not item.get_closest_marker("gpu")]


@pytest.fixture(scope="session")
def no_vulkan() -> str:
    """Why tests that take a Vulkan driver are left out; empty where they run."""
    return "" if NEEDS_VULKAN in ENVIRON else without_vulkan()


@cache
def without_vulkan() -> str:
    """Why the vulkan backend cannot work here, or nothing."""
    if find_spec("slangpy") is None:
        return "slangpy is not installed"
    from invrender.backends.vulkan.backend import usable

    try:
        usable()
    except BackendError as error:
        return error.cause
    return ""


@dataclass(frozen=True)
class Outcome:
    """What one call of the command line left behind."""

    code: int
    stdout: str
    stderr: str


RunCli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INVRENDER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """Run `invrender ARGUMENTS...` through its real entry point, in a subprocess whose folder is tmp_path."""

    def run(*arguments: object, environment: dict[str, str] | None = None, timeout: float = 600) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "invrender.cli.app", *map(str, arguments)],
            cwd=tmp_path,
            env=cli_environment() | (environment or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def cli_environment() -> dict[str, str]:
    """The environment of a subprocess that runs this checkout, without colours, one thread."""
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def open_backend() -> Callable[[str], Backend]:
    """`select` for tensors in main memory."""
    return lambda name: _on_host(select(name))


@pytest.fixture(scope="session")
def open_volumes() -> Callable[[str], Backend]:
    """The same for volumes alone."""
    return lambda name: _on_host(select(name, needs=("volumes",)))


def _on_host(backend: Backend) -> Backend:
    """A backend whose kernels take tensors in main memory to its device, and give their results back from there."""
    if backend.device.type == "cpu":
        return backend
    names = [field.name for field in fields(backend) if callable(getattr(backend, field.name))]
    return replace(backend, **{name: _carried(getattr(backend, name), backend.device) for name in names})


def _carried(kernel: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        given = (_moved(value, device) for value in arguments)
        return _returned(kernel(*given, **{name: _moved(value, device) for name, value in named.items()}), device)

    return call


def _moved(value: Any, device: torch.device) -> Any:
    """Tensors, and those in tuples and dataclasses, on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, Cameras):  # which are in main memory for all
        return value
    if isinstance(value, tuple):
        return tuple(_moved(part, device) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _moved(getattr(value, f.name), device) for f in fields(value) if f.init})
    return value


def _returned(value: Any, device: torch.device) -> Any:
    """Tensors back in main memory; what else a kernel returns stays where it is, and its own kernels are carried."""
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, tuple):
        return tuple(_returned(part, device) for part in value)
    if isinstance(value, RadianceGradient):
        return replace(value, **{field.name: _returned(getattr(value, field.name), device) for field in fields(value)})
    if callable(value):
        return _carried(value, device)
    if hasattr(value, "forward"):
        return _Carrier(value, device)
    return value


@dataclass(frozen=True)
class _Carrier:
    """A `RayBundle` for tensors in main memory."""

    bundle: Any
    device: torch.device

    def __getattr__(self, name: str) -> Any:
        return _returned(getattr(self.bundle, name), self.device)
