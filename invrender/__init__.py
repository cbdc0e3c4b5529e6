"""invrender turns images into 3-D assets: meshes, volumes and scene parameters.

mesh = invrender.read("data/mug.glb")
picture = invrender.render(mesh, size=256, views=4)      # [4,256,256,3] linear RGB, differentiable
outcome = invrender.reconstruct("data/mug.glb", "outputs/mug", views=12)

The names below are the public ones, and each is imported when it is first used: `import invrender` costs next to
nothing. The folders of the library can be imported too; what they hold may change between versions.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invrender.evaluate.compare import evaluate
    from invrender.io.assets import read, write
    from invrender.io.network import read_network
    from invrender.io.volumes.field import read_field
    from invrender.methods.reconstruct import reconstruct
    from invrender.methods.train import train
    from invrender.nouns import (
        Camera,
        Cameras,
        DirectionalLight,
        Environment,
        Lights,
        Material,
        Medium,
        Mesh,
        PointLight,
        Rays,
        Scene,
        SpotLight,
        TransferFunction,
        Views,
        Volume,
    )
    from invrender.parameters.fit_field import fit_field
    from invrender.parameters.neural_field import LearnedField
    from invrender.render.pictures import render

__version__ = "0.1.0"

# By default the threads of torch's OpenMP wait for their next operation by spinning, on cores that our kernels need in
# between. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_NOUNS = "invrender.nouns"
_PUBLIC = {
    "Camera": _NOUNS,
    "Cameras": _NOUNS,
    "DirectionalLight": _NOUNS,
    "Environment": _NOUNS,
    "LearnedField": "invrender.parameters.neural_field",
    "Lights": _NOUNS,
    "Material": _NOUNS,
    "Medium": _NOUNS,
    "Mesh": _NOUNS,
    "PointLight": _NOUNS,
    "Rays": _NOUNS,
    "Scene": _NOUNS,
    "SpotLight": _NOUNS,
    "TransferFunction": _NOUNS,
    "Views": _NOUNS,
    "Volume": _NOUNS,
    "evaluate": None,
    "fit_field": "invrender.parameters.fit_field",
    "reconstruct": "invrender.methods.reconstruct",
    "read": "invrender.io.assets",
    "read_field": "invrender.io.volumes.field",
    "read_network": "invrender.io.network",
    "render": None,
    "train": "invrender.methods.train",
    "write": "invrender.io.assets",
}
"""Where each public name is; None: it is a package that can be called (see `callable_package`)."""

__all__ = [
    "Camera",
    "Cameras",
    "DirectionalLight",
    "Environment",
    "LearnedField",
    "Lights",
    "Material",
    "Medium",
    "Mesh",
    "PointLight",
    "Rays",
    "Scene",
    "SpotLight",
    "TransferFunction",
    "Views",
    "Volume",
    "__version__",
    "evaluate",
    "fit_field",
    "read",
    "read_field",
    "read_network",
    "reconstruct",
    "render",
    "train",
    "write",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'invrender' has no attribute {name!r}")
    module = _PUBLIC[name]
    if module is None:
        return importlib.import_module(f"invrender.{name}")
    found = getattr(importlib.import_module(module), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
