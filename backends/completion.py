"""Kernels that a backend lacks are filled in by the reference, and its description says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, cast

from invrender.backends.misfit import misfit_by
from invrender.kernels import Backend, VolumeKernels


def completed(name: str, about: str, reference: Backend, **kernels: Callable[..., Any]) -> Backend:
    """A backend made of its own kernels and, where it has none, the reference's.

    Args:
        name: as `--backend` calls it.
        about: what it runs on.
        reference: the torch backend on the same device.
        kernels: the backend's own, by their name in `Backend`.
    """
    foreign = [kernel for kernel in kernel_names(reference) if kernel not in kernels]
    own = replace(reference, **cast("Any", kernels))
    if "silhouette_misfit" not in kernels:
        own = replace(own, silhouette_misfit=misfit_by(own.silhouette_taped, own.silhouette_adjoint))
    note = f"; in plain torch: {', '.join(foreign)}" if foreign else ""
    return replace(own, name=name, description=about + note)


def kernel_names(backend: Backend | VolumeKernels) -> list[str]:
    """The kernels of a backend; adjoints, taped forms and the fused misfit count with the kernel they belong to."""
    names = [field.name for field in fields(backend) if callable(getattr(backend, field.name))]
    return [name for name in names if not name.endswith(("_adjoint", "_taped", "_misfit"))]
