"""The frame of a dataset made from photographs: +Y up, the object in the middle and one unit long, or metres."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import listing, shown
from invrender.poses.model import Model
from invrender.poses.similarity import Similarity

Floats = NDArray[np.float64]

_CLEAR = 0.02  # variance of the cameras' right-hand axes along 'up', as a share of the next larger one
_LEVEL = 0.2  # length of the mean of the cameras' up axes along 'up', below which its sign is open


def up_of(camera_to_world: Floats) -> Floats:
    """Where up is [3], unit, from cameras [N,4,4] (OpenGL axes).

    People hold cameras level, some upside down: their right-hand axes lie in the horizon, and up is what stands
    upright on all of them. Where these axes span no plane (all cameras look one way), it is the mean of the up axes.
    Its sign is that of most cameras' own up; where these cancel, cameras stand above rather than below what they look
    at.
    """
    right, up, back = (camera_to_world[:, :3, k] for k in range(3))
    values, axes = np.linalg.eigh(right.T @ right / len(right))
    mean = up.mean(0)
    if values[0] > _CLEAR + 0.1 * values[1] or values[1] < _CLEAR:
        axis = mean if np.linalg.norm(mean) > 1e-6 else axes[:, 0]
        return np.asarray(axis / np.linalg.norm(axis))
    axis = axes[:, 0]
    sign = mean @ axis if abs(mean @ axis) > _LEVEL else back.mean(0) @ axis
    return np.asarray(axis if sign >= 0 else -axis)


def levelled(model: Model) -> Model:
    """The model turned so that up is +Y, and its first camera looks from +Z."""
    up = up_of(model.camera_to_world)
    back = model.camera_to_world[0, :3, 2]
    across = np.cross(up, back)
    if np.linalg.norm(across) < 1e-3:  # it looks straight down
        across = model.camera_to_world[0, :3, 0] - up * (up @ model.camera_to_world[0, :3, 0])
    across /= np.linalg.norm(across)
    return model.moved(Similarity(1.0, np.stack([across, up, np.cross(across, up)]), np.zeros(3)))


def centred(model: Model, bounds: Floats, factor: float = 1.0) -> tuple[Model, Floats]:
    """The model and the object's box [2,3] with the box in the middle and its longest side of length `factor`."""
    scale = factor / float((bounds[1] - bounds[0]).max())
    by = Similarity(scale, np.eye(3), -scale * bounds.mean(0))
    return model.moved(by), by.points(bounds)


def metres_per_unit(model: Model, scale_by: tuple[str, str, float]) -> float:
    """What to multiply by, so that two cameras are as many metres apart as was said.

    Raises:
        InputError: a name is none of a placed picture, or both cameras stand in one place.
    """
    first, second = (_position(model, name) for name in scale_by[:2])
    distance = float(np.linalg.norm(first - second))
    if not distance > 1e-9:
        raise InputError(
            f"the cameras of {shown(scale_by[0])} and {shown(scale_by[1])} stand in one place",
            "give --scale-by two pictures taken from different places",
        )
    return scale_by[2] / distance


def _position(model: Model, name: str) -> Floats:
    names = [picture.photograph.name for picture in model.pictures]
    hits = [i for i, known in enumerate(names) if name in (known, PurePosixPath(known).name, PurePosixPath(known).stem)]
    if len(hits) != 1:
        what = "is not among the placed pictures" if not hits else "means several pictures"
        raise InputError(f"--scale-by: {shown(name)} {what}", f"name two of {listing(names)}")
    return np.asarray(model.camera_to_world[hits[0], :3, 3])
