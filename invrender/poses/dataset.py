"""Writing what was found as a dataset: pictures, masks, transforms.json, sparse points, and what is told of them.

The fields of transforms.json are those of `invrender.io.datasets.transforms`, with OpenCV's distortion k1, k2, p1, p2,
nerfstudio's `ply_file_path` and `mask_path`, the object's box as `bounds`, and the `unit`.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from invrender.errors import OutputExistsError, UsageError
from invrender.io.files.atomic import cannot_write
from invrender.io.files.paths import entries, is_file, is_folder, listing
from invrender.io.images import write_png
from invrender.io.pixels import open_picture, read_picture, turned
from invrender.poses.model import FoundLens, Model
from invrender.poses.photographs import Photograph
from invrender.poses.prepare import upright_mask
from invrender.poses.similarity import Floats

REPORT = "poses.json"
_OURS = ("images", "masks", "transforms.json", "points.ply", REPORT)
_JPEG_QUALITY = 98


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuse a place where something lies that is not to be replaced.

    Raises:
        OutputExistsError: a dataset without `overwrite`, or files that were not written from here.
        UsageError: it is a file.
    """
    if is_file(folder):
        raise UsageError(f"{folder} is a file, not a folder", "choose another folder with -o")
    held = entries(folder)
    if not held:
        return
    others = [name for name in held if name not in _OURS]
    if others or not is_file(folder / REPORT):
        raise OutputExistsError(
            f"{folder} holds {listing(others or held, 2)}, which no search for cameras wrote",
            f"choose a new folder, such as -o {folder / 'dataset'}",
        )
    if not overwrite:
        raise OutputExistsError(
            f"{folder} holds a dataset", "pass --overwrite to replace it, or choose another folder with -o"
        )


def put_in_place(new: Path, folder: Path, old: Path) -> None:
    """Give a complete dataset its name; one that is there goes to `old` first, and comes back if that fails.

    Raises:
        UsageError: the place cannot be written to.
    """
    try:
        there = is_folder(folder)
        if there:
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if there:
                old.rename(folder)
            raise
    except OSError as error:
        raise cannot_write(folder, error) from error


def write_model(folder: Path, model: Model, bounds: Floats, unit: str, report: Mapping[str, Any]) -> None:
    """Write a dataset into an empty folder.

    Raises:
        InputError: a picture or mask that could be read before cannot be now.
        UsageError: there is no room.
    """
    try:
        files = [_copy_picture(picture.photograph, folder) for picture in model.pictures]
        masks = [_copy_mask(picture.photograph, folder) for picture in model.pictures]
        write_points(folder / "points.ply", model)
    except OSError as error:
        raise cannot_write(folder, error) from error
    table = _table(model, files, masks, bounds, unit)
    for name, content in (("transforms.json", table), (REPORT, report)):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", errors="backslashreplace")


def _copy_picture(photo: Photograph, folder: Path) -> str:
    """The file as it is; where viewers turn it, its pixels turned, so that nobody has to know of Exif."""
    target = folder / "images" / photo.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if photo.orientation == 1:
        shutil.copyfile(photo.path, target)
        return f"images/{photo.name}"
    picture = read_picture(photo.path)
    values = turned(picture.values, photo.orientation)
    upright = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    if picture.alpha is not None:
        upright.putalpha(Image.fromarray(turned(picture.alpha, photo.orientation)))
    with open_picture(photo.path) as stored:
        profile = stored.info.get("icc_profile")
    lossless = {"lossless": True} if photo.path.suffix.lower() == ".webp" else {"quality": _JPEG_QUALITY}
    upright.save(target, icc_profile=profile, subsampling=0, **lossless)
    return f"images/{photo.name}"


def _copy_mask(photo: Photograph, folder: Path) -> str | None:
    if photo.mask is None:
        return None
    name = f"masks/{photo.name}.png"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if photo.orientation == 1 and photo.mask.suffix.lower() == ".png":
        shutil.copyfile(photo.mask, folder / name)
    else:
        write_png(folder / name, upright_mask(photo))
    return name


def _table(model: Model, files: list[str], masks: list[str | None], bounds: Floats, unit: str) -> dict[str, Any]:
    lenses = [_lens_fields(lens) for lens in model.lenses]
    shared = {key: value for key, value in lenses[0].items() if all(lens.get(key) == value for lens in lenses)}
    frames = []
    for lens, pose, file, mask in zip(lenses, model.camera_to_world, files, masks, strict=True):
        own = {key: value for key, value in lens.items() if key not in shared}
        named = {"file_path": file, **({"mask_path": mask} if mask is not None else {})}
        frames.append({**named, **own, "transform_matrix": pose.tolist()})
    facts = {"unit": unit, "bounds": bounds.tolist(), "ply_file_path": "points.ply"}
    return {**shared, **facts, "frames": frames}


def _lens_fields(lens: FoundLens) -> dict[str, Any]:
    height, width = lens.size
    bent = any(lens.distortion)
    return {
        "camera_model": "OPENCV" if bent else "PINHOLE",
        "camera_angle_x": 2 * math.atan(width / 2 / lens.fx),
        "camera_angle_y": 2 * math.atan(height / 2 / lens.fy),
        **{"fl_x": lens.fx, "fl_y": lens.fy, "cx": lens.cx, "cy": lens.cy, "w": width, "h": height},
        **(dict(zip(("k1", "k2", "p1", "p2"), lens.distortion, strict=True)) if bent else {}),
    }


def write_points(path: Path, model: Model) -> None:
    """Write the sparse points as binary PLY: x y z float, red green blue uchar (sRGB)."""
    kinds = [*((axis, "<f4") for axis in "xyz"), *((colour, "u1") for colour in ("red", "green", "blue"))]
    rows = np.empty(len(model.points), np.dtype(kinds))
    for k, axis in enumerate("xyz"):
        rows[axis] = model.points[:, k]
    for k, colour in enumerate(("red", "green", "blue")):
        rows[colour] = model.colours[:, k]
    fields = [*(f"property float {axis}" for axis in "xyz"), *(f"property uchar {c}" for c in ("red", "green", "blue"))]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}", *fields, "end_header", ""]
    path.write_bytes("\n".join(header).encode() + rows.tobytes())
