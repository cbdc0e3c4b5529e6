"""What structure from motion found, as plain arrays: cameras, lenses, points and who sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.poses.prepare import Prepared
from invrender.poses.similarity import Similarity

Floats = NDArray[np.float64]
OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class FoundLens:
    """A lens in pixels of the original picture: OpenCV's model, with distortion k1, k2, p1, p2 (0: none)."""

    fx: float
    fy: float
    cx: float
    cy: float
    size: tuple[int, int]
    distortion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def pixels(self, points: Floats) -> Floats:
        """Where points [P,3] of the camera's frame (OpenCV axes, z > 0) appear: [P,2] pixels."""
        x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
        k1, k2, p1, p2 = self.distortion
        r2 = x * x + y * y
        radial = 1 + k1 * r2 + k2 * r2 * r2
        return np.stack(
            [
                self.fx * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)) + self.cx,
                self.fy * (y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y) + self.cy,
            ],
            axis=1,
        )


@dataclass(frozen=True)
class Model:
    """Placed pictures and sparse points.

    Attributes:
        pictures: [N] in the order of their names.
        camera_to_world: [N,4,4], OpenGL axes.
        lenses: [N].
        points: [P,3].
        colours: [P,3] uint8 sRGB.
        seen: [P] how many pictures see a point.
        errors: [P] mean distance in pixels between where a point is seen and where it is projected.
        views_of: for each picture the indices of the points that it sees.
    """

    pictures: tuple[Prepared, ...]
    camera_to_world: Floats
    lenses: tuple[FoundLens, ...]
    points: Floats
    colours: NDArray[np.uint8]
    seen: NDArray[np.int64]
    errors: Floats
    views_of: tuple[NDArray[np.int64], ...]

    def moved(self, by: Similarity) -> Model:
        """The same in another frame."""
        return replace(self, camera_to_world=by.poses(self.camera_to_world), points=by.points(self.points))

    def projected(self, view: int, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Pixels [P,2] of points [P,3] in a view, and [P] which of them lie before the camera and in the picture."""
        pose = self.camera_to_world[view] @ OPENCV_FROM_OPENGL
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        before = local[:, 2] > 1e-9
        local[~before] = (0, 0, 1)
        lens = self.lenses[view]
        pixels = lens.pixels(local)
        inside = ((pixels >= 0) & (pixels < (lens.size[1], lens.size[0]))).all(axis=1)
        return pixels, before & inside

    def in_mask(self, view: int, points: Floats, rim: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """[P] which points fall into the mask of a view, or within `rim` pixels of it, and [P] which into the picture.

        The view must have a mask.
        """
        picture = self.pictures[view]
        assert picture.mask is not None
        mask = picture.mask
        pixels, there = self.projected(view, points)
        column, row = np.floor(np.where(there[:, None], pixels, 0) * picture.scale).astype(np.int64).T
        hit = np.zeros(len(points), bool)
        for down in (-rim, 0, rim):
            for right in (-rim, 0, rim):
                r = np.clip(row + down, 0, mask.shape[0] - 1)
                c = np.clip(column + right, 0, mask.shape[1] - 1)
                hit |= mask[r, c]
        return hit & there, there


def model_of(reconstruction: Any, prepared: Mapping[str, Prepared]) -> Model:
    """A `Model` of a pycolmap.Reconstruction, with lenses for the original pictures."""
    images = sorted((im for im in reconstruction.images.values() if im.has_pose), key=lambda im: im.name)
    ids = sorted(reconstruction.points3D)
    index = {number: i for i, number in enumerate(ids)}
    points = [reconstruction.points3D[number] for number in ids]
    views_of = [
        np.unique([index[p.point3D_id] for p in image.points2D if p.has_point3D()]).astype(np.int64) for image in images
    ]
    return Model(
        tuple(prepared[image.name] for image in images),
        np.stack([_camera_to_world(image.cam_from_world()) for image in images]),
        tuple(_lens(reconstruction.cameras[image.camera_id], prepared[image.name]) for image in images),
        np.array([p.xyz for p in points], np.float64).reshape(-1, 3),
        np.array([p.color for p in points], np.uint8).reshape(-1, 3),
        np.array([len({e.image_id for e in p.track.elements}) for p in points], np.int64),
        np.array([p.error for p in points], np.float64),
        tuple(views_of),
    )


def _camera_to_world(camera_from_world: Any) -> Floats:
    pose = np.eye(4)
    pose[:3] = camera_from_world.inverse().matrix()
    return pose @ OPENCV_FROM_OPENGL


def _lens(camera: Any, picture: Prepared) -> FoundLens:
    """COLMAP's parameters (its models.h) in the original picture's pixels; its pixel coordinates are ours."""
    v = [float(value) for value in camera.params]
    name = camera.model.name
    focal = v[:2] if name in ("PINHOLE", "OPENCV") else [v[0], v[0]]
    rest = v[2:] if name in ("PINHOLE", "OPENCV") else v[1:]
    bent = [*rest[2:], 0.0, 0.0, 0.0, 0.0][:4]
    height, width = picture.photograph.size
    across, along = width / camera.width, height / camera.height
    return FoundLens(
        focal[0] * across, focal[1] * along, rest[0] * across, rest[1] * along, (height, width),
        (bent[0], bent[1], bent[2], bent[3]),
    )  # fmt: skip
