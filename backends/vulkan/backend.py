"""The vulkan backend: Slang shaders through slangpy, on any vendor's GPU that traces rays, or a software driver.

Tensors live in the host's memory: what a kernel takes is copied to the device, and what it gives is copied back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from invrender.backends.completion import completed
from invrender.backends.cpu import load as load_cpu
from invrender.backends.devices import CPU
from invrender.backends.vulkan.adapters import Adapter, choose
from invrender.backends.vulkan.antialias import antialias, antialias_adjoint
from invrender.backends.vulkan.composite import composite, composite_adjoint
from invrender.backends.vulkan.device import Vulkan, check_rays, opened
from invrender.backends.vulkan.field import field, field_light, field_misfit
from invrender.backends.vulkan.interpolate import interpolate, interpolate_adjoint
from invrender.backends.vulkan.line_integral import line_integral, line_integral_adjoint
from invrender.backends.vulkan.misfit import silhouette_misfit
from invrender.backends.vulkan.probe import adapters
from invrender.backends.vulkan.projector import joseph_rays
from invrender.backends.vulkan.rasterize import rasterize
from invrender.backends.vulkan.silhouette import silhouette, silhouette_adjoint, silhouette_taped
from invrender.backends.vulkan.smooth_step import smooth_step
from invrender.backends.vulkan.trace import Tracer
from invrender.kernels import Backend


def load(wanted: str | None = None) -> Backend:
    """The vulkan backend on an adapter, the best one unless one is asked for; see `adapters.choose`.

    Raises:
        UsageError: there is no such adapter.
        BackendError: none works here; the message says why.
    """
    check_rays()
    return kernels_on(opened(usable(wanted)), load_cpu(CPU))


def usable(wanted: str | None = None) -> Adapter:
    """The adapter that `load` takes, without opening it here."""
    return choose(adapters(), wanted)


def kernels_on(vulkan: Vulkan, others: Backend) -> Backend:
    """All kernels on a device that is open; another backend fills in for those that are not written in Slang."""
    return completed(
        "vulkan",
        about(vulkan.adapter, vulkan.by_query),
        others,
        interpolate=partial(interpolate, vulkan),
        interpolate_adjoint=partial(interpolate_adjoint, vulkan),
        trace=Tracer(vulkan),
        line_integral=partial(line_integral, vulkan),
        line_integral_adjoint=partial(line_integral_adjoint, vulkan),
        joseph_rays=partial(joseph_rays, vulkan),
        smooth_step=partial(smooth_step, vulkan),
        composite=partial(composite, vulkan),
        composite_adjoint=partial(composite_adjoint, vulkan),
        field=partial(field, vulkan),
        field_misfit=partial(field_misfit, vulkan),
        field_light=partial(field_light, vulkan),
        **exact_kernels(vulkan),
    )


def exact_kernels(vulkan: Vulkan) -> dict[str, Callable[..., Any]]:
    """Kernels that compute in doubles and 64-bit integers; none where the device has no such numbers."""
    if not {"double", "int64"} <= set(vulkan.adapter.features):
        return {}
    silhouettes = (silhouette, silhouette_taped, silhouette_adjoint, silhouette_misfit)
    kernels = (rasterize, *silhouettes, antialias, antialias_adjoint)
    return {kernel.__name__: partial(kernel, vulkan) for kernel in kernels}


def about(adapter: Adapter, by_query: bool) -> str:
    """What it runs on, in words."""
    kind = "software" if adapter.software else "hardware"
    return f"{adapter.name} ({kind}), rays by {'queries' if by_query else 'ray-tracing pipelines'}"
