"""cameras.json: our own list of cameras, plain enough to be written by a few lines of any program.

    {"axes": "opencv",
     "cameras": [{"file": "images/a.jpg", "width": 640, "height": 480,
                  "fx": 500, "fy": 500, "cx": 320, "cy": 240,
                  "world_to_camera": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]],
                  "distortion": {"model": "OPENCV", "k1": -0.1},
                  "mask": "masks/a.png", "split": "test"}]}

Fields beside `cameras` hold for every camera that does not say otherwise.

    file              the picture, from the folder of cameras.json; or `mask` alone
    axes              opencv (x right, y down, z ahead) or opengl (x right, y up, z back): of the poses, always needed
    world_to_camera   4 rows of 4 numbers, or 3 of 4; or camera_to_world instead
    fx fy cx cy       in pixels from the top left corner (the middle of the first pixel is (0.5, 0.5)); fy may be left
                      out; or K, 3 rows of 3
    width height      of the picture that these are for
    distortion        model: a `camera_model` of transforms.json, and its coefficients by name; or a list of OpenCV's,
                      k1 k2 p1 p2 k3 k4 k5 k6, of which the last may be left out
    mask              white is the object
    split             train, val or test
    bounds            of the file: both corners of the object's box, [[x, y, z], [x, y, z]]
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.datasets.lens_fields import COEFFICIENTS, lens_of, number_of
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.middlebury import lens_of_matrix
from invrender.io.datasets.posed import Lens, PosedImage, opengl_from_opencv, rigid_inverse
from invrender.io.files.paths import nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

NAME = "cameras.json"
AXES = ("opencv", "opengl")
SPLITS = ("train", "val", "test")
_FIELDS = (
    "file", "axes", "world_to_camera", "camera_to_world", "fx", "fy", "cx", "cy", "K", "width", "height", "distortion",
    "mask", "split", "bounds", "cameras",
)  # fmt: skip
_OTHER_NAMES = {"fx": "fl_x", "fy": "fl_y", "cx": "cx", "cy": "cy", "width": "w", "height": "h"}
_LIST = COEFFICIENTS["FULL_OPENCV"]


def read_cameras_json(path: Path, table: dict[str, Any]) -> list[PosedImage]:
    """The views of a cameras.json.

    Args:
        path: of the file.
        table: its content.

    Raises:
        InputError: a field is missing, unknown or impossible.
    """
    cameras = table["cameras"]
    if not isinstance(cameras, list) or not cameras:
        raise InputError(f"{path} lists no views: 'cameras' is no list, or an empty one", "list one object per view")
    locator = Locator(path.parent, IMAGE_EXTENSIONS)
    shared = {key: value for key, value in table.items() if key != "cameras"}
    return [_view(f"{path}, camera {i}", camera, shared, locator) for i, camera in enumerate(cameras)]


def _view(where: str, camera: Any, shared: dict[str, Any], locator: Locator) -> PosedImage:
    if not isinstance(camera, dict):
        raise InputError(f"{where} is no object with fields", "write one object per view")
    fields = {**shared, **camera}
    _check_names(fields, where)
    named = _text(fields, "file", where) or _text(fields, "mask", where)
    if not named:
        raise InputError(f"{where} names no file", "give each camera a 'file'")
    where = f"{where} ({shown(named)})"
    split = _text(fields, "split", where)
    if split is not None and split not in SPLITS:
        raise InputError(f"{where}: the split '{shown(split)}' is unknown", f"use one of {', '.join(SPLITS)}")
    path = PureWindowsPath(named)
    stem = path.with_suffix("") if path.suffix.lower() in IMAGE_EXTENSIONS else path
    image, mask = (None if (n := _text(fields, key, where)) is None else locator.find(n) for key in ("file", "mask"))
    return PosedImage(stem.as_posix(), image, mask, _pose(fields, where), _lens(fields, where), split=split)


def _check_names(fields: dict[str, Any], where: str) -> None:
    for name in fields:
        close = None if name in _FIELDS else nearest(name, _FIELDS)
        if close:
            raise InputError(f"{where}: there is no field '{shown(name)}'", f"did you mean '{close}'?")


def _text(fields: dict[str, Any], key: str, where: str) -> str | None:
    value = fields.get(key)
    if not isinstance(value, str | None):
        raise InputError(f"{where}: '{key}' is {shown(repr(value))}, not a name", "write a text")
    return value


def _pose(fields: dict[str, Any], where: str) -> Any:
    """World-to-camera, OpenGL axes."""
    axes = fields.get("axes")
    if axes not in AXES:
        raise InputError(
            f"{where}: 'axes' is {'missing' if axes is None else shown(repr(axes))}",
            "write opencv (y down, z ahead) or opengl (y up, z back)",
        )
    given = [key for key in ("world_to_camera", "camera_to_world") if fields.get(key) is not None]
    if len(given) != 1:
        raise InputError(
            f"{where} has {'both' if given else 'none'} of world_to_camera and camera_to_world", "give one"
        )
    matrix = _matrix(fields[given[0]], given[0], where, ((4, 4), (3, 4)))
    if given[0] == "world_to_camera":
        return opengl_from_opencv(matrix, where) if axes == "opencv" else opengl_from_opencv(_flipped(matrix), where)
    turned = matrix.copy()
    if axes == "opencv":
        turned[:, 1:3] *= -1
    return rigid_inverse(turned, where)


def _flipped(matrix: Any) -> Any:
    flipped = matrix.copy()
    flipped[1:3] *= -1
    return flipped


def _matrix(rows: Any, key: str, where: str, shapes: tuple[tuple[int, int], ...]) -> Any:
    try:
        matrix = np.asarray(rows, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: '{key}' is no matrix of numbers", "write it as a list of rows") from error
    if matrix.shape not in shapes:
        raise InputError(
            f"{where}: '{key}' has the shape {matrix.shape}", f"write {shapes[0][0]} rows of {shapes[0][1]}"
        )
    return matrix


def _lens(fields: dict[str, Any], where: str) -> Lens:
    known = {theirs: number_of(fields, ours, where) for ours, theirs in _OTHER_NAMES.items()}
    if fields.get("K") is not None:
        matrix = _matrix(fields["K"], "K", where, ((3, 3),))
        own = lens_of_matrix(matrix.ravel(), where, centre=0.0)
        known.update(fl_x=own.fx, fl_y=own.fy, cx=own.cx, cy=own.cy)
    if known["fl_x"] is None:
        raise InputError(f"{where} has no focal length", "give 'fx' in pixels, or 'K'")
    return lens_of({**known, **_distortion(fields.get("distortion"), where)}, where)


def _distortion(given: Any, where: str) -> dict[str, Any]:
    """The fields of transforms.json that mean the same."""
    if given is None:
        return {}
    if isinstance(given, list) and len(given) <= len(_LIST):
        return dict(zip(_LIST, given, strict=False))
    model = str(given.get("model", "OPENCV")).upper() if isinstance(given, dict) else ""
    known = ("model", *COEFFICIENTS.get(model, given if isinstance(given, dict) else ()))
    if not isinstance(given, dict) or any(key not in known for key in given):
        raise InputError(
            f"{where}: the distortion {shown(repr(given))} is not understood",
            f"write {{'model': NAME, ...}} with the coefficients {', '.join(known[1:] or _LIST)}, or a list of them",
        )
    return {"camera_model": model, **{key: value for key, value in given.items() if key != "model"}}
