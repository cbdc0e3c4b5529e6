"""Kernels that a backend lacks are filled in by the reference, and its description says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, cast

from invrender.kernels import Backend


def completed(name: str, about: str, reference: Backend, **kernels: Callable[..., Any]) -> Backend:
    """A backend made of its own kernels and, where it has none, the reference's.

    Args:
        name: as `--backend` calls it.
        about: what it runs on.
        reference: the torch backend on the same device.
        kernels: the backend's own, by their name in `Backend`.
    """
    foreign = [kernel for kernel in kernel_names(reference) if kernel not in kernels]
    note = f"; in plain torch: {', '.join(foreign)}" if foreign else ""
    return replace(reference, name=name, description=about + note, **cast("Any", kernels))


def kernel_names(backend: Backend) -> list[str]:
    """The kernels of a backend; adjoints and taped forms are counted with their forward half."""
    names = [field.name for field in fields(Backend) if callable(getattr(backend, field.name))]
    return [name for name in names if not name.endswith(("_adjoint", "_taped"))]
