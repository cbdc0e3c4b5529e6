"""The lens in the fields of transforms.json, of the whole file or of one frame, as nerfstudio and instant-ngp write it.

`camera_model` is OPENCV where nothing is said. Its coefficients are OpenCV's: k1 k2 p1 p2 k3, and with k4 k5 k6 the
rational model. OPENCV_FISHEYE, or `is_fisheye`, takes k1 to k4 (OpenCV's fisheye model). The other models are COLMAP's,
by their names and the names of their parameters.

ORTHOPHOTO (nerfstudio's name; gsplat's ORTHO, ORTHOGRAPHIC and PARALLEL are read, too) is a camera with parallel rays.
Its `fl_x` and `fl_y` are pixels per world unit, as in both of these programs: a point x to the right of the camera's
axis lands on the column cx + fl_x x. In their place may stand `ortho_scale`, world units along the longer side of the
picture (Blender's), or `xmag` and `ymag`, half of those across its width and height (glTF's). Rays start in the plane
through the camera's position.
"""

from __future__ import annotations

import math
from typing import Any

from invrender.errors import InputError
from invrender.io.datasets.distortion import Distortion, distortion_of
from invrender.io.datasets.posed import Lens
from invrender.io.files.paths import shown

LENS_KEYS = {
    "fl_x": "fx",
    "fl_y": "fy",
    "cx": "cx",
    "cy": "cy",
    "w": "width",
    "h": "height",
    "camera_angle_x": "angle_x",
    "camera_angle_y": "angle_y",
}
_OPENCV = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
_FISHEYE = ("k1", "k2", "k3", "k4")
COEFFICIENTS = {
    "OPENCV": _OPENCV,
    "FULL_OPENCV": _OPENCV,
    "SIMPLE_RADIAL": _OPENCV,
    "RADIAL": _OPENCV,
    "PINHOLE": _OPENCV,
    "SIMPLE_PINHOLE": _OPENCV,
    "PERSPECTIVE": _OPENCV,
    "OPENCV_FISHEYE": _FISHEYE,
    "RADIAL_FISHEYE": _FISHEYE,
    "SIMPLE_RADIAL_FISHEYE": _FISHEYE,
    "THIN_PRISM_FISHEYE": ("k1", "k2", "p1", "p2", "k3", "k4", "sx1", "sy1"),
    "FOV": ("omega",),
}
"""The fields of the coefficients by `camera_model`; those of pinholes are looked at, as programs fill them too."""

PARALLEL = ("ORTHOPHOTO", "ORTHOGRAPHIC", "ORTHO", "PARALLEL")
"""The names of `camera_model` for parallel rays; the first one is written."""

_OTHER_LENSES = ("latlong", "equirectangular", "ftheta_p0", "ftheta_p1")  # instant-ngp's


def lens_of(fields: dict[str, Any], where: str) -> Lens:
    """The lens that fields describe.

    Args:
        fields: of the frame, over those of the file.
        where: the file and frame, for messages.

    Raises:
        InputError: there is no focal length, a number is impossible, or the model is unknown.
    """
    if is_parallel(fields):
        return _parallel(fields, where)
    bent = _distortion(fields, where)
    values = {ours: number_of(fields, theirs, where) for theirs, ours in LENS_KEYS.items()}
    lens = Lens(**values, distortion=bent)
    if lens.fx is None and lens.angle_x is None and lens.angle_y is None:
        raise InputError(f"{where} has no focal length", "add 'camera_angle_x' (radians), or 'fl_x' (pixels)")
    if lens.fx is None and bent is not None and "FISHEYE" in bent.model:
        raise InputError(f"{where}: the focal length of a fisheye lens is not its angle of view", "add 'fl_x' (pixels)")
    for key, ours in LENS_KEYS.items():
        value = values[ours]
        angle = ours.startswith("angle")
        if value is not None and ours not in ("cx", "cy") and not 0 < value < (math.pi if angle else math.inf):
            hint = "give the angle in radians" if angle else "give it in pixels, above 0"
            raise InputError(f"{where}: '{key}' = {value:g} is impossible", hint)
    return lens


def is_parallel(fields: dict[str, Any]) -> bool:
    """Whether fields tell of parallel rays."""
    names = (str(fields.get(key) or "").upper() for key in ("camera_model", "camera_type"))
    return any(name in PARALLEL for name in names)


def _parallel(fields: dict[str, Any], where: str) -> Lens:
    bent = next((key for key in _OPENCV if number_of(fields, key, where)), None)
    if bent is not None:
        raise InputError(f"{where}: a camera with parallel rays has a distortion, '{bent}'", "undistort its picture")
    keys = ("fl_x", "fl_y", "cx", "cy", "w", "h", "ortho_scale", "xmag", "ymag")
    given = {key: number_of(fields, key, where) for key in keys}
    for key, value in given.items():
        if value is not None and key not in ("cx", "cy") and not value > 0:
            raise InputError(f"{where}: '{key}' = {value:g} is impossible", "give a number above 0")
    if not any(given[key] for key in ("fl_x", "ortho_scale", "xmag", "ymag")):
        raise InputError(
            f"{where}: nothing tells how much a camera with parallel rays sees",
            "add 'fl_x' (pixels per world unit), or 'ortho_scale' (world units along the longer side)",
        )
    across, along = (None if given[key] is None else 2 * (given[key] or 0.0) for key in ("xmag", "ymag"))
    return Lens(
        given["fl_x"], given["fl_y"], given["cx"], given["cy"], given["w"], given["h"],
        parallel=True, span_x=across, span_y=along, span=given["ortho_scale"],
    )  # fmt: skip


def _distortion(fields: dict[str, Any], where: str) -> Distortion | None:
    model = _model(fields, where)
    coefficients = [number_of(fields, key, where) or 0.0 for key in COEFFICIENTS[model]]
    if COEFFICIENTS[model] is _FISHEYE:
        return distortion_of("OPENCV_FISHEYE", coefficients)
    if COEFFICIENTS[model] is not _OPENCV:
        return distortion_of(model, coefficients)
    rational = any(coefficients[4:])
    return distortion_of("FULL_OPENCV", coefficients) if rational else distortion_of("OPENCV", coefficients[:4])


def _model(fields: dict[str, Any], where: str) -> str:
    """The name of the camera model, one of `COEFFICIENTS`."""
    model = str(fields.get("camera_model") or "OPENCV").upper()
    if fields.get("is_fisheye") and COEFFICIENTS.get(model) is not COEFFICIENTS["THIN_PRISM_FISHEYE"]:
        model = model if "FISHEYE" in model else "OPENCV_FISHEYE"
    other = next((key for key in _OTHER_LENSES if fields.get(key)), None)
    if model not in COEFFICIENTS or other:
        what = f"'{other}' makes a lens" if other else f"the camera model '{shown(model)}' is one"
        raise InputError(
            f"{where}: {what} that is not known here",
            f"undistort the images to PINHOLE, or use one of {', '.join((*COEFFICIENTS, PARALLEL[0]))}",
        )
    return model


def number_of(fields: dict[str, Any], key: str, where: str) -> float | None:
    """A number of a table, or None where it is not there.

    Raises:
        InputError: the field holds something else.
    """
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e150:
        raise InputError(f"{where}: '{key}' is {shown(repr(value))}, not a number that fits", "correct that field")
    return float(value)
