"""The methods by name. Light: their settings are imported for `--help`, the rest when one is called for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.errors import UsageError
from invrender.io.files.paths import nearest

if TYPE_CHECKING:
    from invrender.run.method import Method
    from invrender.run.settings import RunSettings

AUTO = "auto"

METHODS = {
    "silhouette": "invrender.methods.silhouette",
    "photometric": "invrender.methods.photometric",
    "transmittance": "invrender.methods.transmittance",
    "volume": "invrender.methods.volume_colour",
    "scene": "invrender.methods.scene",
    "scattering": "invrender.methods.scattering",
}
"""Folders by name. In each, settings.py has SETTINGS, PRESETS and suits(path), and method.py METHOD."""

ABOUT = {
    "silhouette": "A mesh from masks: of a dataset, of photographs, or of a mesh's own views.",
    "photometric": "A textured mesh from photographs.",
    "transmittance": "A density volume from X-ray-like pictures: tomography.",
    "volume": "A volume with colours from pictures, or the transfer function of one that is known.",
    "scene": "Lights, cameras and materials of a scene from pictures of it.",
    "scattering": "A scattering medium, such as a cloud, from pictures of it.",
}
"""What each of them is for, in a line."""


def settings_of(name: str) -> type[RunSettings]:
    """The settings class of a method.

    Raises:
        UsageError: there is no such method.
    """
    settings: type[RunSettings] = _module(name, "settings").SETTINGS
    return settings


def presets_of(name: str) -> Mapping[str, Mapping[str, object]]:
    """The presets of a method: values of its settings by preset.

    Raises:
        UsageError: there is no such method.
    """
    presets: Mapping[str, Mapping[str, object]] = _module(name, "settings").PRESETS
    return presets


def method_called(name: str) -> Method:
    """A method, with all that it refers to.

    Raises:
        UsageError: there is no such method.
    """
    method: Method = _module(name, "method").METHOD
    return method


def method_for(source: Path) -> str:
    """The name of the method that an input is meant for, as far as it shows: the last whose `suits` accepts it."""
    return next(name for name in reversed(METHODS) if _module(name, "settings").suits(source))


def _module(name: str, part: str) -> Any:
    if name not in METHODS:
        near = nearest(name, METHODS)
        hint = f"did you mean {near}? " if near else ""
        raise UsageError(f"--method is {name!r}", f"{hint}choose one of {', '.join([AUTO, *METHODS])}")
    return importlib.import_module(f"{METHODS[name]}.{part}")
