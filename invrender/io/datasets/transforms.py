"""transforms.json, the pose file of NeRF's Blender scenes, instant-ngp and nerfstudio.

The fields: `camera_angle_x`, or `fl_x fl_y cx cy w h`, for the whole file or per frame; `frames`, each with `file_path`
(with or without extension), `transform_matrix` (camera-to-world, OpenGL axes), and `mask_path` where there is one. Ours
adds `near` and `far`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from invrender.cameras.projection import intrinsics
from invrender.errors import InputError
from invrender.io.datasets.posed import DISTORTION, Lens, PosedImage, rigid_inverse
from invrender.io.files.paths import existing_file, nearest
from invrender.io.pixels import IMAGE_EXTENSIONS
from invrender.nouns import Cameras

_LENS_KEYS = {
    "fl_x": "fx",
    "fl_y": "fy",
    "cx": "cx",
    "cy": "cy",
    "w": "width",
    "h": "height",
    "camera_angle_x": "angle_x",
    "camera_angle_y": "angle_y",
}
_MODELS = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")


def read_transforms(path: Path) -> list[PosedImage]:
    """The views that a transforms.json lists; image files are looked up, but not read and not demanded.

    Raises:
        InputError: the file is missing or broken, a field is missing or impossible, or lenses are distorted.
    """
    table = _load(existing_file(path, "pose"))
    frames = table.get("frames")
    if not isinstance(frames, list) or not frames:
        hint = nearest("frames", table)
        remedy = f"rename '{hint}' to 'frames'" if hint else "list the views under 'frames'"
        raise InputError(f"{path} lists no views: 'frames' is missing or empty", remedy)
    return [_frame(path, index, frame, table) for index, frame in enumerate(frames)]


def _load(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(
            f"{path} is not valid JSON at {place}: {error.msg}", "correct that place in the file"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8", "save it as UTF-8") from error
    if not isinstance(table, dict):
        raise InputError(f"{path} holds no object of fields", 'write {"camera_angle_x": ..., "frames": [...]}')
    return table


def _frame(path: Path, index: int, frame: Any, table: dict[str, Any]) -> PosedImage:
    where = f"{path}, frame {index}"
    if not isinstance(frame, dict):
        raise InputError(f"{where} is not an object", "write {'file_path': ..., 'transform_matrix': ...}")
    named = frame.get("file_path") or frame.get("mask_path")
    if not isinstance(named, str):
        raise InputError(f"{where} names no file", "give each frame a 'file_path'")
    where = f"{where} ({named})"
    fields = {**table, **frame}
    _check_model(fields, where)
    image = _find(path.parent, frame["file_path"]) if frame.get("file_path") else None
    mask = _find(path.parent, frame["mask_path"]) if frame.get("mask_path") else None
    clip = (_number(fields, "near", where), _number(fields, "far", where))
    return PosedImage(
        name=_name(named),
        image=image,
        mask=mask,
        world_to_camera=rigid_inverse(_matrix(frame, where), where),
        lens=_lens(fields, where),
        clip=(clip[0], clip[1]) if clip[0] and clip[1] and 0 < clip[0] < clip[1] else None,
    )


def _check_model(fields: dict[str, Any], where: str) -> None:
    """Refuse lenses that are not a pinhole's."""
    model = str(fields.get("camera_model", "OPENCV")).upper()
    if model not in _MODELS or fields.get("is_fisheye"):
        raise InputError(f"{where}: a camera of the model '{model}' is no pinhole", "undistort the images to PINHOLE")
    bent = [key for key in DISTORTION if _number(fields, key, where)]
    if bent:
        raise InputError(
            f"{where}: the lens is distorted ({', '.join(f'{key} = {fields[key]:g}' for key in bent)})",
            "undistort the images first (`colmap image_undistorter`, or OpenCV's undistort)",
        )


def _lens(fields: dict[str, Any], where: str) -> Lens:
    values = {ours: _number(fields, theirs, where) for theirs, ours in _LENS_KEYS.items()}
    lens = Lens(**values)
    if lens.fx is None and lens.angle_x is None:
        raise InputError(f"{where} has no focal length", "add 'camera_angle_x' (radians), or 'fl_x' (pixels)")
    for key, ours in _LENS_KEYS.items():
        value = values[ours]
        angle = ours.startswith("angle")
        if value is not None and ours not in ("cx", "cy") and not 0 < value < (math.pi if angle else math.inf):
            hint = "give the angle in radians" if angle else "give it in pixels, above 0"
            raise InputError(f"{where}: '{key}' = {value:g} is impossible", hint)
    return lens


def _number(fields: dict[str, Any], key: str, where: str) -> float | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where}: '{key}' is {value!r}, not a number", "correct that field")
    return float(value)


def _matrix(frame: dict[str, Any], where: str) -> Any:
    try:
        matrix = np.asarray(frame["transform_matrix"], np.float64)
    except KeyError as error:
        raise InputError(
            f"{where} has no 'transform_matrix'", "give its camera-to-world matrix, 4 rows of 4"
        ) from error
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: its 'transform_matrix' is not 4 rows of 4 numbers", "correct it") from error
    if matrix.shape not in ((4, 4), (3, 4)):
        raise InputError(f"{where}: its 'transform_matrix' has the shape {matrix.shape}", "write 4 rows of 4 numbers")
    return matrix


def _find(folder: Path, named: str) -> Path:
    """The file that is meant; where none is there, the path as it was named."""
    path = folder / named.replace("\\", "/")
    if path.is_file():
        return path
    candidates = (path.with_name(path.name + extension) for extension in IMAGE_EXTENSIONS)
    return next((candidate for candidate in candidates if candidate.is_file()), path)


def _name(named: str) -> str:
    path = Path(named.replace("\\", "/"))
    stem = path.with_suffix("") if path.suffix.lower() in IMAGE_EXTENSIONS else path
    return stem.as_posix()


def transforms_table(cameras: Cameras, files: list[str]) -> dict[str, Any]:
    """What goes into transforms.json for cameras whose images are `files`; numbers keep all their digits."""
    fx, fy, cx, cy = (values.detach().tolist() for values in intrinsics(cameras))
    height, width = cameras.size
    world = cameras.world_to_camera.detach().numpy()
    frames = []
    for i, file in enumerate(files):
        p = cameras.projection[i].detach()
        matrix = np.eye(4)
        matrix[:3, :3] = world[i, :3, :3].T
        matrix[:3, 3] = -matrix[:3, :3] @ world[i, :3, 3]
        lens = {
            **{"camera_angle_x": 2 * math.atan(width / 2 / fx[i]), "camera_angle_y": 2 * math.atan(height / 2 / fy[i])},
            **{"fl_x": fx[i], "fl_y": fy[i], "cx": cx[i], "cy": cy[i], "w": width, "h": height},
            **{"near": float(p[2, 3] / (p[2, 2] - 1)), "far": float(p[2, 3] / (p[2, 2] + 1))},
        }
        frames.append((lens, {"file_path": file, "transform_matrix": matrix.tolist()}))
    shared = {key: value for key, value in frames[0][0].items() if all(lens[key] == value for lens, _ in frames)}
    own = [{**{k: v for k, v in lens.items() if k not in shared}, **frame} for lens, frame in frames]
    return {**shared, "frames": own}
