"""Lenses that bend straight lines: the models that files name, as few as describe them all.

The formulas are COLMAP's (colmap.github.io/cameras.html, src/colmap/sensor/models.h) and OpenCV's (the Brown-Conrady
model with its rational extension, and `cv::fisheye`); pycolmap evaluates them, so that every model has one source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invrender.errors import InputError

if TYPE_CHECKING:
    import pycolmap

# by COLMAP's number: name, how many of the parameters are the pinhole's, and all of them
COLMAP_MODELS = {
    0: ("SIMPLE_PINHOLE", 3, 3),
    1: ("PINHOLE", 4, 4),
    2: ("SIMPLE_RADIAL", 3, 4),
    3: ("RADIAL", 3, 5),
    4: ("OPENCV", 4, 8),
    5: ("OPENCV_FISHEYE", 4, 8),
    6: ("FULL_OPENCV", 4, 12),
    7: ("FOV", 4, 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 3, 4),
    9: ("RADIAL_FISHEYE", 3, 5),
    10: ("THIN_PRISM_FISHEYE", 4, 12),
    11: ("RAD_TAN_THIN_PRISM_FISHEYE", 4, 16),
    12: ("SIMPLE_DIVISION", 3, 4),
    13: ("DIVISION", 4, 5),
    14: ("SIMPLE_FISHEYE", 3, 3),
    15: ("FISHEYE", 4, 4),
    16: ("EUCM", 4, 6),
}
MODELS = {name: (pinhole, count) for name, pinhole, count in COLMAP_MODELS.values()}
"""By name: how many parameters are the pinhole's (focal lengths, principal point), and how many there are."""

# models of which others are special cases, and how many coefficients they take
_GENERAL = {
    "SIMPLE_RADIAL": "FULL_OPENCV",
    "RADIAL": "FULL_OPENCV",
    "OPENCV": "FULL_OPENCV",
    "SIMPLE_RADIAL_FISHEYE": "OPENCV_FISHEYE",
    "RADIAL_FISHEYE": "OPENCV_FISHEYE",
    "SIMPLE_FISHEYE": "OPENCV_FISHEYE",
    "FISHEYE": "OPENCV_FISHEYE",
    "SIMPLE_DIVISION": "DIVISION",
}
EXTRA = 'run `pip install "invrender[photos]"`, or undistort the images first (`colmap image_undistorter`)'


@dataclass(frozen=True)
class Distortion:
    """How a lens differs from a pinhole.

    Attributes:
        model: FULL_OPENCV (k1 k2 p1 p2 k3 k4 k5 k6), OPENCV_FISHEYE (k1 k2 k3 k4), or another of COLMAP's models with
            two focal lengths.
        coefficients: in the order of COLMAP's parameters, behind fx fy cx cy.
        named: how the file calls it, for messages.
    """

    model: str
    coefficients: tuple[float, ...]
    named: str = ""

    def __str__(self) -> str:
        last = max((i for i, value in enumerate(self.coefficients) if value), default=0)
        numbers = ", ".join(f"{value:g}" for value in self.coefficients[: last + 1])
        return f"{self.named or self.model}: {numbers}"


def distortion_of(model: str, coefficients: Sequence[float]) -> Distortion | None:
    """The distortion of a model of COLMAP's with these coefficients; None where it is a pinhole's.

    Args:
        model: a name of `MODELS`.
        coefficients: behind the focal lengths and the principal point; as many as the model has.
    """
    general = _GENERAL.get(model, model)
    if model in ("PINHOLE", "SIMPLE_PINHOLE") or (general == "FULL_OPENCV" and not any(coefficients)):
        return None
    pinhole, count = MODELS[general]
    filled = [*coefficients, *[0.0] * (count - pinhole - len(coefficients))]
    return Distortion(general, tuple(filled), model)


def camera_of(
    distortion: Distortion, focal: tuple[float, float], centre: tuple[float, float], size: tuple[int, int], where: str
) -> pycolmap.Camera:
    """The camera that evaluates a lens, in pixels whose first one is centred at (0.5, 0.5).

    Args:
        distortion: of the lens.
        focal, centre: (fx, fy) and (cx, cy) in pixels of a picture of `size` (H, W).
        where: the dataset or view, for messages.

    Raises:
        InputError: pycolmap is not installed, or too old for the model.
    """
    try:
        import pycolmap
    except ImportError as error:
        raise InputError(f"{where}: the lens is distorted ({distortion}), which takes pycolmap", EXTRA) from error
    if distortion.model not in pycolmap.CameraModelId.__members__:
        raise InputError(
            f"{where}: pycolmap {pycolmap.__version__} does not know the camera model {distortion.model}",
            "run `pip install -U pycolmap`, or undistort the images first (`colmap image_undistorter`)",
        )
    parameters = [*focal, *centre, *distortion.coefficients]
    return pycolmap.Camera(model=distortion.model, width=size[1], height=size[0], params=parameters)
