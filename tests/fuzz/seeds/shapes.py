"""The shapes that the seeds show: a coloured box as a mesh, a ball as a mask, as chords and as samples; and cameras."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERTICES = np.array([[x, y, z] for z in (-0.5, 0.5) for y in (-0.4, 0.4) for x in (-0.3, 0.3)])
FACES = np.array([[0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4],
                  [2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5]])  # fmt: skip
UV = np.array([[x, y] for _ in (0, 1) for y in (0.1, 0.9) for x in (0.1, 0.9)])

SIDE, FOV, DISTANCE, RADIUS = 24, 0.8, 3.0, 0.8
FOCAL = SIDE / 2 / math.tan(FOV / 2)


def picture(values: NDArray[np.uint8] | NDArray[np.uint16], kind: str = "PNG", mode: str | None = None) -> bytes:
    """An image file of [H,W] or [H,W,C] values."""
    written = io.BytesIO()
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(written, kind)
    return written.getvalue()


def checkers(kind: str = "PNG") -> bytes:
    """A texture of 8 x 8 pixels."""
    rows, columns = np.mgrid[:8, :8]
    return picture(np.stack([32 * rows, 32 * columns, 255 * ((rows + columns) % 2)], 2).astype(np.uint8), kind)


def camera_to_world(count: int) -> list[NDArray[np.float64]]:
    """[4,4] poses on a ring, looking at 0, in OpenGL's axes."""
    poses = []
    for angle in np.arange(count) * 2 * math.pi / count + 0.2:
        back = np.array([math.sin(angle) * math.cos(0.5), math.sin(0.5), math.cos(angle) * math.cos(0.5)])
        right = np.array([math.cos(angle), 0.0, -math.sin(angle)])
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(back, right), back], 1)
        pose[:3, 3] = DISTANCE * back
        poses.append(pose)
    return poses


def chords() -> NDArray[np.float64]:
    """[H,W] lengths of the pixels' rays within a ball at 0, the same from every side."""
    across = (np.arange(SIDE) + 0.5 - SIDE / 2) / FOCAL
    slope = np.hypot(*np.meshgrid(across, across))
    closest = DISTANCE * np.sin(np.arctan(slope))
    return 2 * np.sqrt(np.clip(RADIUS**2 - closest**2, 0, None))


def ball(z: int = 7, y: int = 6, x: int = 5) -> NDArray[np.float32]:
    """[Z,Y,X] samples of a soft ball."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (z, y, x)), indexing="ij")
    return np.clip(1 - np.sqrt(sum(axis**2 for axis in axes)), 0, None).astype(np.float32)
