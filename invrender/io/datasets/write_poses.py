"""Pose files of every kind that is read here, for pictures that lie in `images/` and masks in `masks/`."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.datasets.cameras_json import NAME
from invrender.io.datasets.distortion import COLMAP_MODELS, Distortion
from invrender.io.datasets.lens_fields import COEFFICIENTS, PARALLEL
from invrender.io.datasets.middlebury import CENTRE, ENDING
from invrender.io.datasets.posed import Lens
from invrender.io.files.atomic import atomic_path, atomic_write_text

_FLIP = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Written:
    """A view whose picture has been written.

    Attributes:
        image: its file in the dataset's `images`, such as 'train/r_0.png'.
        mask: its file in the dataset, such as 'masks/train/r_0.png', or None.
        lens: with focal lengths, principal point and the picture's size in pixels.
        world_to_camera: [4,4] float64, OpenGL axes.
        split: train, val or test, or None.
        clip: near and far in world units, or None.
    """

    image: str
    mask: str | None
    lens: Lens
    world_to_camera: NDArray[np.float64]
    split: str | None = None
    clip: tuple[float, float] | None = None

    @property
    def opencv(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """World-to-camera rotation [3,3] and shift [3] with OpenCV's axes."""
        return _FLIP @ self.world_to_camera[:3, :3], _FLIP @ self.world_to_camera[:3, 3]


Bounds = torch.Tensor | None
PARALLEL_FORMATS = ("transforms", "nerfstudio")  # those that have words for cameras with parallel rays


def holds(to: str, distortion: Distortion) -> bool:
    """Whether a format has words for a distortion."""
    if to.startswith("colmap"):
        return True
    if to == "nerfstudio":  # its OPENCV has no rational part
        return distortion.model == "OPENCV_FISHEYE" or (
            distortion.model == "FULL_OPENCV" and not any(distortion.coefficients[5:])
        )
    return to != "middlebury" and distortion.model in COEFFICIENTS


def _transforms(folder: Path, views: Sequence[Written], bounds: Bounds) -> list[Path]:
    frames = []
    for view in views:
        matrix = np.eye(4)
        matrix[:3, :3] = view.world_to_camera[:3, :3].T
        matrix[:3, 3] = -matrix[:3, :3] @ view.world_to_camera[:3, 3]
        own = {"file_path": f"images/{view.image}", "transform_matrix": matrix.tolist()}
        near = {} if view.clip is None else {"near": view.clip[0], "far": view.clip[1]}
        frames.append({**_fields(view.lens), **near, **own, **({"mask_path": view.mask} if view.mask else {})})
    table = _hoisted(frames, "frames")
    if any(view.split for view in views):
        for split in ("train", "val", "test"):
            table[f"{split}_filenames"] = [f"images/{view.image}" for view in views if (view.split or "train") == split]
    return _json(folder / "transforms.json", table, bounds)


def _fields(lens: Lens) -> dict[str, Any]:
    """The fields of transforms.json for a lens."""
    bent, model = lens.distortion, PARALLEL[0] if lens.parallel else "OPENCV"
    coefficients: dict[str, float] = {}
    if bent is not None:
        rational = bent.model == "FULL_OPENCV"
        model = bent.model if not rational or any(bent.coefficients[5:]) else "OPENCV"
        named = dict(zip(COEFFICIENTS[bent.model], bent.coefficients, strict=True))
        coefficients = {key: value for key, value in named.items() if value or not rational}
    names = {"fl_x": lens.fx, "fl_y": lens.fy, "cx": lens.cx, "cy": lens.cy, "w": lens.width, "h": lens.height}
    return {"camera_model": model, **names, **coefficients}


def _hoisted(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """A table of rows, in which fields that are the same in all of them stand once."""
    shared = {key: value for key, value in rows[0].items() if all(row.get(key) == value for row in rows)}
    own = [{key: value for key, value in row.items() if key not in shared} for row in rows]
    return {**shared, name: own}


def _json(path: Path, table: dict[str, Any], bounds: Bounds) -> list[Path]:
    told = {} if bounds is None else {"bounds": bounds.tolist()}
    atomic_write_text(path, json.dumps({**told, **table}, indent=1) + "\n")
    return [path]


def _cameras(folder: Path, views: Sequence[Written], bounds: Bounds) -> list[Path]:
    rows = []
    for view in views:
        fields = _fields(view.lens)
        model = {"model": fields.pop("camera_model")}
        plain = {ours: fields.pop(theirs) for theirs, ours in _PLAIN.items()}
        own = {"file": f"images/{view.image}", "world_to_camera": view.world_to_camera.tolist()}
        more = {"mask": view.mask, "split": view.split, "distortion": {**model, **fields} if fields else None}
        if view.lens.distortion is not None and not fields:  # a fisheye's coefficients are written even where 0
            more["distortion"] = model
        rows.append({"axes": "opengl", **own, **plain, **{key: value for key, value in more.items() if value}})
    return _json(folder / NAME, _hoisted(rows, "cameras"), bounds)


_PLAIN = {"fl_x": "fx", "fl_y": "fy", "cx": "cx", "cy": "cy", "w": "width", "h": "height"}


def _middlebury(folder: Path, views: Sequence[Written], bounds: Bounds) -> list[Path]:
    lines = [str(len(views))]
    for view in views:
        fx, fy, cx, cy = view.lens.at(_size(view.lens))
        rotation, shift = view.opencv
        k = [fx, 0.0, cx - CENTRE, 0.0, fy, cy - CENTRE, 0.0, 0.0, 1.0]
        numbers = [*k, *rotation.ravel().tolist(), *shift.tolist()]
        lines.append(f"images/{view.image} {' '.join(map(repr, numbers))}")
    path = folder / f"{folder.resolve().name or 'views'}{ENDING}"
    atomic_write_text(path, "\n".join(lines) + "\n")
    del bounds
    return [path]


def _size(lens: Lens) -> tuple[int, int]:
    assert lens.width is not None and lens.height is not None
    return int(lens.height), int(lens.width)


def _colmap_cameras(views: Sequence[Written]) -> tuple[dict[Lens, int], list[tuple[int, str, Lens, list[float]]]]:
    """Each lens once: its number, its model and its parameters."""
    numbers: dict[Lens, int] = {}
    for view in views:
        numbers.setdefault(view.lens, len(numbers) + 1)
    rows = []
    for lens, number in numbers.items():
        model = "PINHOLE" if lens.distortion is None else lens.distortion.model
        bent = () if lens.distortion is None else lens.distortion.coefficients
        if model == "FULL_OPENCV" and not any(bent[4:]):  # more programs know the smaller model
            model, bent = "OPENCV", bent[:4]
        rows.append((number, model, lens, [*lens.at(_size(lens)), *bent]))
    return numbers, rows


def _quaternion(rotation: NDArray[np.float64]) -> list[float]:
    """(w, x, y, z) of a rotation, w not below 0."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(rotation).as_quat().tolist()
    return [w, x, y, z] if w >= 0 else [-w, -x, -y, -z]


def _test_list(model: Path, views: Sequence[Written]) -> list[Path]:
    aside = [view.image for view in views if view.split in ("test", "val")]
    if not aside:
        return []
    atomic_write_text(model / "test.txt", "\n".join(aside) + "\n")
    return [model / "test.txt"]


def _colmap_text(folder: Path, views: Sequence[Written], bounds: Bounds) -> list[Path]:
    model = folder / "sparse" / "0"
    numbers, rows = _colmap_cameras(views)
    cameras = [
        f"{n} {name} {int(lens.width or 0)} {int(lens.height or 0)} {' '.join(map(repr, values))}"
        for n, name, lens, values in rows
    ]
    images = [f"# Number of images: {len(views)}"]
    for index, view in enumerate(views, 1):
        rotation, shift = view.opencv
        pose = " ".join(map(repr, [*_quaternion(rotation), *shift.tolist()]))
        images += [f"{index} {pose} {numbers[view.lens]} {view.image}", ""]
    texts = {"cameras.txt": cameras, "points3D.txt": ["# no points"], "images.txt": images}
    for name, lines in texts.items():
        atomic_write_text(model / name, "\n".join(lines) + "\n")
    del bounds
    return [*(model / name for name in texts), *_test_list(model, views)]


def _colmap_binary(folder: Path, views: Sequence[Written], bounds: Bounds) -> list[Path]:
    model = folder / "sparse" / "0"
    codes = {name: code for code, (name, _, _) in COLMAP_MODELS.items()}
    numbers, rows = _colmap_cameras(views)
    cameras = struct.pack("<Q", len(rows))
    for number, name, lens, values in rows:
        head = struct.pack("<iiQQ", number, codes[name], int(lens.width or 0), int(lens.height or 0))
        cameras += head + struct.pack(f"<{len(values)}d", *values)
    images = struct.pack("<Q", len(views))
    for index, view in enumerate(views, 1):
        rotation, shift = view.opencv
        images += struct.pack("<i7di", index, *_quaternion(rotation), *shift.tolist(), numbers[view.lens])
        images += view.image.encode("utf-8", "surrogateescape") + b"\0" + struct.pack("<Q", 0)
    contents = {"cameras.bin": cameras, "points3D.bin": struct.pack("<Q", 0), "images.bin": images}
    for name, content in contents.items():
        with atomic_path(model / name) as temporary:
            temporary.write_bytes(content)
    del bounds
    return [*(model / name for name in contents), *_test_list(model, views)]


WRITERS: dict[str, Callable[[Path, Sequence[Written], Bounds], list[Path]]] = {
    "transforms": _transforms,
    "nerfstudio": _transforms,
    "colmap": _colmap_binary,
    "colmap-text": _colmap_text,
    "middlebury": _middlebury,
    "cameras": _cameras,
}
"""By format: what writes the poses of views into a folder and returns the files."""
