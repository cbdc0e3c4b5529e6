"""The cameras of the views that a finished run learnt from, as its settings give them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from invrender.errors import InvrenderError
from invrender.io.files.paths import is_file
from invrender.methods.launch import backend_for
from invrender.methods.names import METHODS
from invrender.methods.reconstruct import Layers, method_and_settings
from invrender.nouns import Cameras
from invrender.run.heard import heard
from invrender.run.place import CONFIG
from invrender.run.resolve import read_toml


def input_cameras(run: Path, backend: str = "auto") -> tuple[Cameras | None, str]:
    """Where a run's views were seen from; else None, and why that is not known.

    Args:
        run: its folder. The input has to be where it was: the settings tell the rest.
        backend: draws what an asset has to show again.
    """
    if not is_file(run / CONFIG) or read_toml(run / CONFIG).get("method") not in METHODS:
        return None, f"{run} is no folder of a reconstruction"
    try:
        method, settings = method_and_settings(Layers({}, file=run / CONFIG))
        settings = dataclasses.replace(settings, backend=backend, device=None, strict=False)
        with heard(True):
            views = method.views(method.load(settings, backend_for(method, settings)))
    except InvrenderError as error:
        return None, f"the input of {run} cannot be read again: {error.cause}"
    return (None, f"the run in {run} had no views") if views is None else (views.cameras, "")
