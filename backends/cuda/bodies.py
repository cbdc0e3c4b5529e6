"""The shared kernel bodies, compiled for CUDA: the files of `invrender.backends.bodies` under another package name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from invrender.backends.cuda import target

_NAME = "invrender.backends.cuda.loaded_bodies"


def _load(name: str) -> Any:
    if _NAME not in sys.modules:
        package = ModuleType(_NAME)
        package.__path__ = [str(Path(__file__).parents[1] / "bodies")]
        sys.modules[_NAME] = package
        sys.modules[f"{_NAME}.target"] = target
    return importlib.import_module(f"{_NAME}.{name}")


blend = _load("blend")
clip = _load("clip")
composite = _load("composite")
contour = _load("contour")
line_integral = _load("line_integral")
lines = _load("lines")
projector = _load("projector")
raster = _load("raster")
smooth_step = _load("smooth_step")
tree = _load("tree")
weights = _load("weights")
