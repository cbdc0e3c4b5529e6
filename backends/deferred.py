"""Kernels that are imported when they are first called: a backend names them all, and a run calls a few."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Deferred:
    """A function of a module, imported by its first call.

    Attributes:
        module: where it is.
        name: what it is called there.
    """

    module: str
    name: str

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Call the function."""
        return self.function(*given, **named)

    @cached_property
    def function(self) -> Any:
        """The function itself."""
        return getattr(importlib.import_module(self.module), self.name)


def deferred(package: str, names: Mapping[str, Sequence[str]]) -> dict[str, Deferred]:
    """Functions by their name, from the names in each module of a package."""
    return {name: Deferred(f"{package}.{module}", name) for module, each in names.items() for name in each}
