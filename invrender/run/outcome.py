"""What a run's folder offers to those who look at it: how the run stands, and the result where it is no asset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from invrender.errors import InputError
from invrender.io.assets import MESH_RESULTS, NETWORK, VOLUME_RESULTS, no_asset
from invrender.render.transfer_file import FILE as TRANSFER
from invrender.run.place import CONFIG, RECORD, settle
from invrender.run.record import read_record, state
from invrender.run.resolve import parse_toml

SCENE = "scene.toml"


def found_transfer(folder: Path) -> dict[str, Any] | None:
    """The transfer function that a run found for a known volume, as options of `render`, and that `volume`.

    None where the folder is no run's, or the run is one for a mesh or a volume.

    Raises:
        InputError: a run that has no result, and how it stands; or one whose result is a scene.
    """
    settle(folder)
    record = read_record(folder / RECORD)
    if record is None or any((folder / name).is_file() for name in (*MESH_RESULTS, *VOLUME_RESULTS)):
        return None
    if (folder / SCENE).is_file():
        raise InputError(
            f"the run in {folder} found the values of a scene, which are in {SCENE} and metrics.json",
            f"name {folder / SCENE}, such as `invrender inspect {folder / SCENE}`",
        )
    if (folder / NETWORK).is_file():
        raise no_asset(folder)
    if not (folder / TRANSFER).is_file():
        raise InputError(
            f"the run in {folder} has no result yet (it is {state(record)})", "let it finish, or run it again"
        )
    try:
        table = json.loads((folder / TRANSFER).read_text(encoding="utf-8"))
        settings = parse_toml((folder / CONFIG).read_text(encoding="utf-8"))
        return {"volume": str(settings["known"]), **{key: str(table[key]) for key in ("window", "colormap", "opacity")}}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{folder / TRANSFER} is damaged: {error}", "run the reconstruction again") from error


def as_options(transfer: dict[str, Any]) -> str:
    """The command that draws a volume with a transfer function that was found."""
    options = " ".join(f"--{key} '{transfer[key]}'" for key in ("window", "colormap", "opacity"))
    return f"invrender render {transfer['volume']} -o picture.png {options}"
