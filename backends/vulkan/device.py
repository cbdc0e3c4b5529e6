"""The Vulkan device: opened once per process and adapter, with its shaders and its caches.

slangpy is the only way in: it compiles the shaders of this folder with Slang, and keeps compiled modules and pipelines
in the user's cache folder. Its device survives no fork, so every use checks that the process is still the same.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import slangpy as spy

from invrender.backends.vulkan.adapters import Adapter
from invrender.errors import BackendError, UsageError
from invrender.jit import tell_unkept, user_cache

SHADERS = Path(__file__).parent / "shaders"

RAYS = "INVRENDER_VULKAN_RAYS"
"""Environment variable: "pipeline" (the default where there are such) or "query" for inline ray queries."""


@dataclass(frozen=True)
class Vulkan:
    """An open device.

    Attributes:
        device: slangpy's.
        adapter: what it runs on.
        by_query: whether rays are traced by queries in compute shaders instead of ray-tracing pipelines.
        process: the number of the process that opened it.
        lock: held while work is recorded and submitted.
        made: compute and ray-tracing pipelines by shader and entry point.
    """

    device: Any = field(repr=False)
    adapter: Adapter
    by_query: bool
    process: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    made: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """
        Raises:
            BackendError: this process was forked from the one that opened the device.
        """
        if os.getpid() != self.process:
            raise BackendError(
                "the Vulkan device was opened before this process was forked from its parent, and cannot be used here",
                "start processes with multiprocessing's 'spawn' method, or select the backend in each of them",
            )


@cache
def opened(adapter: Adapter) -> Vulkan:
    """The device of an adapter, opened at the first call.

    Raises:
        BackendError: it cannot be opened, or traces no rays.
    """
    kept = _cache_folder()
    mute()
    try:
        device = spy.Device(
            type=spy.DeviceType.vulkan,
            enable_rhi_validation=False,
            enable_hot_reload=False,
            adapter_luid=list(adapter.luid) or None,
            compiler_options={"include_paths": [SHADERS]},
            module_cache_path=kept and kept / "modules",
            shader_cache_path=kept and kept / "pipelines",
        )
    except RuntimeError as error:
        raise BackendError(
            f"the Vulkan device {adapter.name} cannot be opened: {_brief(error)}", "run `invrender doctor`"
        ) from error
    return Vulkan(device, adapter, by_query(adapter.features), os.getpid())


def check_rays() -> str:
    """How rays are asked for: "pipeline" or "query".

    Raises:
        UsageError: in a way that does not exist.
    """
    wanted = os.environ.get(RAYS, "pipeline")
    if wanted not in ("pipeline", "query"):
        raise UsageError(f"{RAYS} is {wanted!r}", "set it to pipeline or query, or unset it")
    return wanted


def by_query(features: tuple[str, ...]) -> bool:
    """Whether rays go by queries: only where that is asked for, or where a driver has nothing else."""
    return check_rays() == "query" or "ray_tracing" not in features


def _cache_folder() -> Path | None:
    """Where compiled shaders are kept, apart for each version of slangpy; None where nothing can be written."""
    above = user_cache()
    if above is None:
        return None
    folder = above / "vulkan" / f"slangpy-{spy.__version__}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        tell_unkept(folder, error.strerror)
        return None


def mute() -> None:
    """Leave reports to our own errors: slangpy logs to the console by itself."""
    if not logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
        spy.Logger.get().level = spy.LogLevel.fatal


def _brief(error: BaseException) -> str:
    """The first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
