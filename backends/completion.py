"""Kernels that a backend lacks are filled in by another, and its description says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, cast

from invrender.backends.torch.colour_misfit import colour_misfit_by
from invrender.backends.torch.misfit import misfit_by
from invrender.backends.torch.radiance_over import radiance_adjoint_by, radiance_by
from invrender.kernels import Backend

_COMPOSED = ("silhouette_misfit", "colour_misfit", "radiance_torch")
"""Made of the backend's own kernels where it has no fused one."""

_COMPANIONS = ("_adjoint", "_taped", "_misfit", "_light", "_torch")


def completed(name: str, about: str, others: Backend, **kernels: Callable[..., Any]) -> Backend:
    """A backend made of its own kernels and, where it has none, another's.

    Without a fused comparison with masks or with pictures, one is composed of the backend's own kernels and
    adjoints, where it has these.

    Args:
        name: as `--backend` calls it.
        about: what it runs on.
        others: a backend on the same device, mostly the reference.
        kernels: the backend's own, by their name in `Backend`.
    """
    own = replace(others, **cast("Any", kernels))
    if "silhouette_misfit" not in kernels and "silhouette_taped" in kernels:
        own = replace(own, silhouette_misfit=misfit_by(own.silhouette_taped, own.silhouette_adjoint))
    if "colour_misfit" not in kernels:
        composed = colour_misfit_by(own.rasterize, own.interpolate, own.interpolate_adjoint)
        own = replace(own, colour_misfit=composed)
    own = replace(own, radiance_torch=radiance_by(own.trace))
    if "radiance" not in kernels and others.name == "torch":
        own = replace(own, radiance=own.radiance_torch, radiance_adjoint=radiance_adjoint_by(own.trace))
    foreign = [kernel for kernel in _all_kernels(others) if kernel not in {*kernels, *_COMPOSED}]
    named = [kernel for kernel in foreign if kernel == _head(kernel) or _head(kernel) in kernels]
    where = "in plain torch" if others.name == "torch" else f"by the {others.name} backend"
    note = f"; {where}: {', '.join(named)}" if named else ""
    return replace(own, name=name, description=about + note)


def kernel_names(backend: Backend) -> list[str]:
    """The kernels of a backend; adjoints, taped forms and the fused misfit count with the kernel they belong to."""
    return [name for name in _all_kernels(backend) if name == _head(name)]


def _all_kernels(backend: Backend) -> list[str]:
    return [
        field.name for field in fields(backend) if callable(getattr(backend, field.name)) and field.name != "in_slabs"
    ]


def _head(kernel: str) -> str:
    """The kernel that an adjoint, taped form or misfit belongs to; other kernels belong to themselves."""
    head, found, _ = kernel.rpartition("_")
    return head if found and kernel.endswith(_COMPANIONS) else kernel
