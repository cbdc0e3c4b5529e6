"""Packages that can be called: `invrender.render(mesh)` draws, and `invrender.render.raster` is still a module in it.

The public functions `render` and `evaluate` have the names of the packages that hold them. Importing any module of such
a package puts the package itself under that name, so the package has to be what answers a call.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package that hands calls to the function of its own name in one of its modules, imported by the first call."""

    _call_in: str

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function."""
        return self._function()(*arguments, **named)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._function())

    def _function(self) -> Any:
        return getattr(importlib.import_module(self._call_in), self.__name__.rpartition(".")[2])


def make_callable(package: str, module: str) -> None:
    """Let calls of a package go to the function of its name in `module`."""
    itself = sys.modules[package]
    itself.__class__ = CallablePackage
    itself.__dict__["_call_in"] = module
