"""Camera files: one viewpoint, or a path by key frames, which `render --camera` and `--path` take.

A camera, as `render --save-camera` and the preview's window write it:

    {"eye": [2, 1, 3], "target": [0, 0, 0], "up": [0, 1, 0], "fov": 45}

A path, as JSON or TOML, whose keys are cameras with a time in seconds:

    {"fps": 24, "closed": false, "keys": [{"time": 0, "eye": ..., "target": ...}, {"time": 2, ...}]}

`eye` and `target` are points in world units, `up` any direction (0,1,0 where it is left out), `fov` degrees across the
smaller side of the picture (45), or `extent` in its place: world units across that side, of a camera with parallel
rays. Times rise; `fps` is pictures a second (20); a `closed` path returns to its start.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from invrender.cameras.path import FPS, CameraPath
from invrender.cameras.viewpoint import FOV, UP, Triple, Viewpoint
from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.files.json_table import check_names, read_json_table
from invrender.io.files.paths import shown
from invrender.io.scenes.toml_file import read_toml

EXAMPLE = '{"eye": [2, 1, 3], "target": [0, 0, 0], "up": [0, 1, 0], "fov": 45}'
PATH_EXAMPLE = '{"keys": [{"time": 0, "eye": [2, 1, 3], "target": [0, 0, 0]}, {"time": 2, "eye": ...}]}'
ENDINGS = (".json", ".toml")
_CAMERA = ("eye", "target", "up", "fov", "extent")
_PATH = ("keys", "fps", "closed")


def is_camera_file(name: str) -> bool:
    """Whether a name is a file's, and not that of a scene's camera."""
    return name.lower().endswith(ENDINGS)


def read_viewpoint(path: str | Path) -> Viewpoint:
    """The viewpoint of a camera file.

    Raises:
        InputError: it is missing or damaged, has a field that is unknown, or no view.
    """
    source = Path(path)
    table = _table(source, "camera", EXAMPLE)
    if "keys" in table:
        raise InputError(f"{shown(source)} holds a camera path", "give it to --path")
    return _viewpoint(source, table, _CAMERA, "a camera")


def write_viewpoint(path: str | Path, view: Viewpoint) -> None:
    """Write a viewpoint so that `read_viewpoint` gives the same.

    Raises:
        UsageError: the place cannot be written to.
    """
    _write(path, _fields(view))


def read_camera_path(path: str | Path) -> CameraPath:
    """The path of a file of key frames.

    Raises:
        InputError: it is missing or damaged, has a field that is unknown, fewer than two keys, or times that do not
            rise.
    """
    source = Path(path)
    table = _table(source, "camera path", PATH_EXAMPLE)
    check_names(source, table, _PATH, "a camera path")
    keys = table.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise InputError(f"{shown(source)} has no list of 'keys'", f"write {PATH_EXAMPLE}")
    closed, fps = table.get("closed", False), table.get("fps", FPS)
    if not isinstance(closed, bool):
        raise InputError(f"{shown(source)}: 'closed' is neither true nor false", "write one of them")
    times = tuple(_number(source, f"time of key {k + 1}", key.get("time")) for k, key in enumerate(keys))
    views = tuple(_viewpoint(source, key, (*_CAMERA, "time"), f"key {k + 1}") for k, key in enumerate(keys))
    try:
        return CameraPath(times, views, _number(source, "fps", fps), closed)
    except UsageError as error:
        raise InputError(f"{shown(source)}: {error.cause}", error.remedy) from error


def write_camera_path(path: str | Path, way: CameraPath) -> None:
    """Write a camera path as JSON so that `read_camera_path` gives the same.

    Raises:
        UsageError: the place cannot be written to.
    """
    keys = [{"time": time, **_fields(key)} for time, key in zip(way.times, way.keys, strict=True)]
    _write(path, {"fps": way.fps, "closed": way.closed, "keys": keys})


def _table(path: Path, what: str, example: str) -> dict[str, Any]:
    if path.suffix.lower() == ".toml":
        return read_toml(path, what)
    return read_json_table(path, what, example)


def _viewpoint(path: Path, table: dict[str, Any], known: tuple[str, ...], what: str) -> Viewpoint:
    check_names(path, table, known, what)
    for name in ("eye", "target"):
        if name not in table:
            raise InputError(f"{shown(path)}: {what} has no '{name}'", f"write {EXAMPLE}")
    eye, target, up = (_point(path, name, table.get(name, UP)) for name in ("eye", "target", "up"))
    if "fov" in table and "extent" in table:
        raise InputError(
            f"{shown(path)}: {what} has both 'fov' and 'extent'", "leave 'extent' out, or 'fov' of a parallel camera"
        )
    extent = _number(path, "extent", table["extent"]) if "extent" in table else None
    try:
        return Viewpoint(eye, target, up, _number(path, "fov", table.get("fov", FOV)), extent)
    except UsageError as error:
        raise InputError(f"{shown(path)}: {error.cause}", error.remedy) from error


def _point(path: Path, name: str, values: Any) -> Triple:
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise InputError(f"{shown(path)}: '{name}' is not three numbers", f"write {EXAMPLE}")
    x, y, z = (_number(path, name, value) for value in values)
    return x, y, z


def _number(path: Path, name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or abs(value) > 1e30:
        told = "missing" if value is None else "no finite number"
        raise InputError(f"{shown(path)}: '{name}' is {told}", "write a number")
    return float(value)


def _fields(view: Viewpoint) -> dict[str, Any]:
    lens = {"fov": view.fov} if view.extent is None else {"extent": view.extent}
    return {"eye": list(view.eye), "target": list(view.target), "up": list(view.up), **lens}


def _write(path: str | Path, table: dict[str, Any]) -> None:
    atomic_write_bytes(path, (json.dumps(table, indent=2) + "\n").encode())
