"""A posed image as files describe it, before its pixels are read: common to transforms.json and COLMAP models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.distortion import Distortion

_INFINITE = 1e30
"""Beyond what floats of 32 bits and their squares can hold."""


@dataclass(frozen=True)
class Lens:
    """A camera's intrinsics, each None where the file is silent.

    Attributes:
        fx, fy, cx, cy: in pixels of an image of `width` x `height` (or of the image itself where those are None).
        angle_x, angle_y: full angles of view in radians; they count where fx is None.
        distortion: None of a pinhole.
        parallel: whether rays are parallel; then fx and fy are pixels per world unit, and there are no angles.
        span_x, span_y, span: of parallel rays: world units across the picture's width, its height, and its longer side;
            they count where fx is None.
    """

    fx: float | None = None
    fy: float | None = None
    cx: float | None = None
    cy: float | None = None
    width: float | None = None
    height: float | None = None
    angle_x: float | None = None
    angle_y: float | None = None
    distortion: Distortion | None = None
    parallel: bool = False
    span_x: float | None = None
    span_y: float | None = None
    span: float | None = None

    def at(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """(fx, fy, cx, cy) in pixels of an image of `size` (H, W), which may be a scaled copy of the one described."""
        height, width = size
        across, along = width / (self.width or width), height / (self.height or height)
        cx = width / 2 if self.cx is None else self.cx * across
        cy = height / 2 if self.cy is None else self.cy * along
        if self.fx is not None:
            return self.fx * across, (self.fx if self.fy is None else self.fy) * along, cx, cy
        if self.parallel:
            return *self._per_unit(size), cx, cy
        fx = None if self.angle_x is None else width / 2 / math.tan(self.angle_x / 2)
        fy = None if self.angle_y is None else height / 2 / math.tan(self.angle_y / 2)
        if fx is None and fy is None:
            raise ValueError("a lens needs fx, angle_x or angle_y")
        # square pixels of the image that the angle was meant for, which a copy may have stretched
        return fx or (fy or 0.0) / along * across, fy or (fx or 0.0) / across * along, cx, cy

    def _per_unit(self, size: tuple[int, int]) -> tuple[float, float]:
        """Pixels of an image of `size` (H, W) per world unit, across and down, where fx is None."""
        height, width = size
        if self.span is not None:
            longer = max(self.width or width, self.height or height)
            return longer / self.span * width / (self.width or width), longer / self.span * height / (
                self.height or height
            )
        if self.span_x is None and self.span_y is None:
            raise ValueError("a lens of parallel rays needs fx or a span")
        across = None if self.span_x is None else width / self.span_x
        along = None if self.span_y is None else height / self.span_y
        return across or along or 0.0, along or across or 0.0


@dataclass(frozen=True)
class PosedImage:
    """One view of a dataset.

    Attributes:
        name: unique within the dataset, a relative path without extension ('train/r_0').
        image: the image file, or None where there are only masks.
        mask: the mask file that the dataset names, or None.
        world_to_camera: [4,4] float64, OpenGL axes.
        lens: the intrinsics.
        clip: near and far in world units, or None.
        split: train, val or test, as the dataset says, or None.
    """

    name: str
    image: Path | None
    mask: Path | None
    world_to_camera: NDArray[np.float64]
    lens: Lens
    clip: tuple[float, float] | None = None
    split: str | None = None

    @property
    def pixels(self) -> Path:
        """The picture, or the mask where there is none: a view names one of both."""
        path = self.image or self.mask
        assert path is not None
        return path


def rigid_inverse(matrix: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """The world-to-camera matrix of a camera-to-world one; a uniform scale on its axes is taken off.

    Args:
        matrix: [4,4] or [3,4].
        where: the file and view, for the message.

    Raises:
        InputError: it is not a rotation and a shift.
    """
    axes, position = matrix[:3, :3], matrix[:3, 3]
    usable = bool((np.abs(matrix) < _INFINITE).all())
    lengths = np.linalg.norm(axes, axis=0) if usable else np.zeros(3)
    if not lengths.min() > 1 / _INFINITE:
        raise InputError(
            f"{where}: its camera matrix holds NaN, infinity, an empty axis or absurd numbers",
            "export the cameras again",
        )
    if matrix.shape[0] == 4 and np.abs(matrix[3] - (0, 0, 0, 1)).max() > 1e-6:
        last = ", ".join(f"{value:g}" for value in matrix[3])
        raise InputError(
            f"{where}: the last row of its camera matrix is ({last}), not (0, 0, 0, 1)",
            "write the position into the last column: the matrix looks transposed",
        )
    axes = nearest_rotation(axes, where)
    inverse = np.eye(4)
    inverse[:3, :3] = axes.T
    inverse[:3, 3] = -inverse[:3, :3] @ position
    return inverse


def nearest_rotation(axes: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """The rotation [3,3] in axes [3,3], its columns, without their common length and what rounding made of them.

    Raises:
        InputError: they are sheared, unevenly scaled, or a mirror image.
    """
    lengths = np.linalg.norm(axes, axis=0)
    rotation = axes / lengths
    if np.abs(rotation.T @ rotation - np.eye(3)).max() > 1e-3 or np.ptp(lengths) > 1e-3 * lengths.max():
        raise InputError(
            f"{where}: its camera matrix is sheared or unevenly scaled",
            "apply the scale of the cameras, or, where its numbers were rounded, write at least 4 digits of them",
        )
    if np.linalg.det(rotation) < 0:
        raise InputError(
            f"{where}: its camera matrix is a mirror image", "use OpenGL axes: +X right, +Y up, looking down -Z"
        )
    u, _, vt = np.linalg.svd(rotation)
    nearest: NDArray[np.float64] = u @ vt
    return nearest


def opengl_from_opencv(matrix: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """World-to-camera [4,4] with OpenGL axes of one [4,4] or [3,4] with OpenCV's (+X right, +Y down, looking along +Z).

    Raises:
        InputError: it is not a rotation and a shift.
    """
    if not bool((np.abs(matrix) < _INFINITE).all()) or not bool((np.abs(matrix[:3, :3]).sum(axis=0) > 0).all()):
        raise InputError(f"{where}: its camera matrix holds NaN or absurd numbers", "export the cameras again")
    rotation = nearest_rotation(matrix[:3, :3], where)
    if abs(np.linalg.norm(matrix[0, :3]) - 1) > 1e-2:
        raise InputError(f"{where}: its world-to-camera matrix is scaled", "write a rotation and a shift")
    flip = np.diag([1.0, -1.0, -1.0])
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = flip @ rotation, flip @ matrix[:3, 3]
    return result
