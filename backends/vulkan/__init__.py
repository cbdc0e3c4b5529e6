"""The vulkan backend: Slang shaders through slangpy, on any vendor's GPU that traces rays, or a software driver.

Tensors live in the host's memory: what a kernel takes is copied to the device, and what it gives is copied back.
"""

from __future__ import annotations

from functools import partial

import torch

from invrender.backends.completion import completed
from invrender.backends.cpu import load as load_cpu
from invrender.backends.vulkan.adapters import Adapter, choose
from invrender.backends.vulkan.composite import composite, composite_adjoint
from invrender.backends.vulkan.device import Vulkan, opened
from invrender.backends.vulkan.interpolate import interpolate, interpolate_adjoint
from invrender.backends.vulkan.line_integral import line_integral, line_integral_adjoint
from invrender.backends.vulkan.probe import adapters
from invrender.backends.vulkan.rasterize import Rasterizer
from invrender.backends.vulkan.trace import Tracer
from invrender.errors import BackendError
from invrender.kernels import Backend

CPU = torch.device("cpu")


def load(wanted: str | None = None) -> Backend:
    """The vulkan backend on an adapter, the best one unless one is asked for; see `adapters.choose`.

    Raises:
        UsageError: there is no such adapter.
        BackendError: none works here; the message says why.
    """
    return kernels_on(opened(usable(wanted)))


def usable(wanted: str | None = None) -> Adapter:
    """The adapter that `load` takes, without opening it here. A failure that is on record is tried once more."""
    try:
        return choose(adapters(), wanted)
    except BackendError:
        return choose(adapters(fresh=True), wanted)


def kernels_on(vulkan: Vulkan) -> Backend:
    """All kernels on a device that is open; the cpu backend fills in for those that are not written in Slang."""
    return completed(
        "vulkan",
        about(vulkan.adapter, vulkan.by_query),
        load_cpu(CPU),
        rasterize=Rasterizer(vulkan),
        interpolate=partial(interpolate, vulkan),
        interpolate_adjoint=partial(interpolate_adjoint, vulkan),
        trace=Tracer(vulkan),
        line_integral=partial(line_integral, vulkan),
        line_integral_adjoint=partial(line_integral_adjoint, vulkan),
        composite=partial(composite, vulkan),
        composite_adjoint=partial(composite_adjoint, vulkan),
    )


def about(adapter: Adapter, by_query: bool) -> str:
    """What it runs on, in words."""
    kind = "software" if adapter.software else "hardware"
    return f"{adapter.name} ({kind}), rays by {'queries' if by_query else 'ray-tracing pipelines'}"
