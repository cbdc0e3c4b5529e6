"""Pictures of a box with a noise texture, seen from known cameras, and models made of such cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from invrender.poses.model import OPENCV_FROM_OPENGL, FoundLens, Model
from invrender.poses.photographs import Photograph
from invrender.poses.prepare import Prepared

HALF = np.array([1.0, 0.6, 0.8])
"""Half sides of the box."""


def look_from(place):
    """A camera-to-world matrix (OpenGL axes) at `place` that looks at the origin, upright."""
    back = np.asarray(place, float) / np.linalg.norm(place)
    right = np.cross((0, 1, 0), back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(back, right), back, place], axis=1)
    return pose


def ring(count, first=0.0, last=360.0, distance=5.0, elevation=25.0):
    """Cameras on an arc around the origin, [N,4,4]."""
    azimuths = np.radians(np.linspace(first, last, count, endpoint=last - first < 360))
    level = distance * np.cos(np.radians(elevation))
    height = distance * np.sin(np.radians(elevation))
    return np.stack([look_from((level * np.sin(a), height, level * np.cos(a))) for a in azimuths])


def photograph_box(pose, size=240, focal=330.0, seed=0):
    """[H,W,4] uint8: the box by its slabs, with noise of several octaves as its colour, and alpha."""
    centres = np.arange(size) + 0.5 - size / 2
    x, y = np.meshgrid(centres / focal, -centres / focal)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1) @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        low, high = (-HALF - pose[:3, 3]) / rays, (HALF - pose[:3, 3]) / rays
    near, far = np.minimum(low, high).max(-1), np.maximum(low, high).min(-1)
    hit = near < far
    points = pose[:3, 3] + np.where(hit, near, 0)[..., None] * rays
    colours = 128 + 400 * _noise(points, seed)
    return np.concatenate([np.clip(colours, 0, 255), 255.0 * hit[..., None]], axis=-1).astype(np.uint8)


def _noise(points, seed):
    random = np.random.default_rng(seed)
    total = np.zeros(points.shape)
    for cells in (8, 16, 32):
        at = np.moveaxis((points / 2.2 + 0.5) * (cells - 1), -1, 0)
        for channel in range(3):
            grid = random.normal(size=(cells,) * 3) * cells**-0.3
            total[..., channel] += map_coordinates(grid, at, order=1, mode="nearest") / 4
    return total


def write_photographs(folder: Path, poses, **more):
    """Pictures view_00.png, ... of the box in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, pose in enumerate(poses):
        Image.fromarray(photograph_box(pose, **more)).save(folder / f"view_{i:02d}.png")


def made_model(poses, points, size=(100, 120), focal=100.0, masks=None):
    """A model in which every view sees all points."""
    lens = FoundLens(focal, focal, size[1] / 2, size[0] / 2, size)
    pictures = [
        Prepared(Photograph(f"view_{i:02d}.png", Path(f"view_{i:02d}.png"), size), f"{i:06d}.png", 1.0,
                 None if masks is None else masks[i], 100.0)
        for i in range(len(poses))
    ]  # fmt: skip
    count = len(points)
    return Model(
        tuple(pictures), np.asarray(poses), (lens,) * len(poses), np.asarray(points, float),
        np.full((count, 3), 200, np.uint8), np.full(count, len(poses)), np.full(count, 0.5),
        (np.arange(count),) * len(poses),
    )  # fmt: skip


def disc_mask(pose, centre, radius, size=(100, 120), focal=100.0):
    """[H,W] bool: a ball as a camera sees it."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    local = (pose @ OPENCV_FROM_OPENGL)[:3, :3].T @ (np.asarray(centre) - pose[:3, 3])
    rays = np.stack([(columns - size[1] / 2) / focal, (rows - size[0] / 2) / focal, np.ones(size)], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    along = rays @ local
    return local @ local - along**2 < radius**2
