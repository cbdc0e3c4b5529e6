"""transforms.json, the pose file of NeRF's Blender scenes, instant-ngp and nerfstudio.

The fields: `camera_angle_x`, or `fl_x fl_y cx cy w h`, for the whole file or per frame; `frames`, each with `file_path`
(with or without extension), `transform_matrix` (camera-to-world, OpenGL axes), and `mask_path` where there is one. Ours
adds `near` and `far`. Of cameras with parallel rays see `lens_fields`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from invrender.cameras.parallel import check_straight, depth_range
from invrender.cameras.projection import intrinsics
from invrender.errors import InputError
from invrender.io.datasets.lens_fields import PARALLEL, is_parallel, lens_of, number_of
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.posed import Lens, PosedImage, rigid_inverse
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS
from invrender.nouns import Cameras

log = logging.getLogger(__name__)
EXAMPLE = '{"camera_angle_x": ..., "frames": [{"file_path": ..., "transform_matrix": ...}]}'


def read_transforms(path: Path, extensions: Sequence[str] = IMAGE_EXTENSIONS) -> list[PosedImage]:
    """The views that a transforms.json lists; image files are looked up, but not read and not demanded.

    Args:
        path: of the file.
        extensions: of images, tried in this order where a name has none.

    Raises:
        InputError: the file is missing or broken, a field is missing or impossible, or a lens is of an unknown model.
    """
    return transforms_views(path, read_pose_table(path), extensions)


def transforms_views(
    path: Path, table: dict[str, Any], extensions: Sequence[str] = IMAGE_EXTENSIONS
) -> list[PosedImage]:
    """The views in the fields `table` of the file `path`; see `read_transforms`."""
    locator = Locator(path.parent, extensions)
    views = [_frame(path, index, frame, table, locator) for index, frame in enumerate(frames_of(table, path))]
    if "camera_angle_x" in table and "fl_x" in table:
        _compare_angle(views[0].lens, path)
    return views


def read_pose_table(path: Path) -> dict[str, Any]:
    """All fields of a pose file.

    Raises:
        InputError: the file is missing or no object in JSON.
    """
    return read_json_table(path, "pose", EXAMPLE)


def frames_of(table: dict[str, Any], path: Path) -> list[Any]:
    """The frames that a pose file lists, of whatever type they are.

    Raises:
        InputError: there are none.
    """
    frames = table.get("frames")
    if isinstance(frames, list) and frames:
        return frames
    hint = nearest("frames", (key for key in table if key != "frames"))
    remedy = f"rename '{shown(hint)}' to 'frames'" if hint else "list the views under 'frames'"
    raise InputError(f"{path} lists no views: 'frames' is missing or empty", remedy)


def _frame(path: Path, index: int, frame: Any, table: dict[str, Any], locator: Locator) -> PosedImage:
    where = f"{path}, frame {index}"
    if not isinstance(frame, dict):
        raise InputError(f"{where} is not an object", "write {'file_path': ..., 'transform_matrix': ...}")
    for key in ("file_path", "mask_path"):
        if not isinstance(frame.get(key, ""), str | None):
            raise InputError(f"{where}: '{key}' is {shown(repr(frame[key]))}, not a name", "write the file's name")
    named = frame.get("file_path") or frame.get("mask_path")
    if not named:
        raise InputError(f"{where} names no file", "give each frame a 'file_path'")
    where = f"{where} ({shown(named)})"
    fields = {**table, **frame}
    image = locator.find(frame["file_path"]) if frame.get("file_path") else None
    mask = locator.find(frame["mask_path"]) if frame.get("mask_path") else None
    clip = (number_of(fields, "near", where), number_of(fields, "far", where))
    return PosedImage(
        name=_name(named),
        image=image,
        mask=mask,
        world_to_camera=rigid_inverse(_matrix(frame, where), where),
        lens=lens_of(fields, where),
        clip=_clip(*clip, is_parallel(fields)),
    )


def _clip(near: float | None, far: float | None, flat: bool) -> tuple[float, float] | None:
    """The depths between which a camera sees, if they make sense; parallel rays start at 0."""
    if near is None or far is None or not near < far or not (near >= 0 if flat else near > 0):
        return None
    return near, far


def _compare_angle(lens: Lens, path: Path) -> None:
    """Say so where the angle of view that the file tells is another than that of its focal length."""
    if lens.fx is None or lens.angle_x is None or lens.width is None:
        return
    angle = 2 * math.atan(lens.width / 2 / lens.fx)
    if abs(angle - lens.angle_x) > 0.02 * angle:
        log.warning(
            "%s: fl_x and w make an angle of view of %.4g radians, camera_angle_x says %.4g: fl_x counts",
            shown(path), angle, lens.angle_x,
        )  # fmt: skip


def _matrix(frame: dict[str, Any], where: str) -> Any:
    if frame.get("transform_matrix") is None:
        raise InputError(f"{where} has no 'transform_matrix'", "give its camera-to-world matrix, 4 rows of 4")
    try:
        matrix = np.asarray(frame["transform_matrix"], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: its 'transform_matrix' is not 4 rows of 4 numbers", "correct it") from error
    if matrix.shape not in ((4, 4), (3, 4)):
        raise InputError(f"{where}: its 'transform_matrix' has the shape {matrix.shape}", "write 4 rows of 4 numbers")
    return matrix


def _name(named: str) -> str:
    """A relative path without extension, for a path from whatever machine."""
    path = PureWindowsPath(named)
    stem = path.with_suffix("") if path.suffix.lower() in IMAGE_EXTENSIONS else path
    return stem.as_posix().removeprefix(PureWindowsPath(path.anchor).as_posix()) or stem.name


def transforms_table(cameras: Cameras, files: list[str]) -> dict[str, Any]:
    """What goes into transforms.json for cameras whose images are `files`; numbers keep all their digits.

    Raises:
        UsageError: pixels are no rectangles, or parallel rays meet them at a slant, for which the file has no words.
    """
    check_straight(cameras)
    near, far = (values.detach().tolist() for values in depth_range(cameras))
    flat = cameras.parallel.tolist()
    fx, fy, cx, cy = (values.detach().tolist() for values in intrinsics(cameras))
    height, width = cameras.size
    world = cameras.world_to_camera.detach().numpy()
    frames = []
    for i, file in enumerate(files):
        matrix = np.eye(4)
        matrix[:3, :3] = world[i, :3, :3].T
        matrix[:3, 3] = -matrix[:3, :3] @ world[i, :3, 3]
        kind: dict[str, Any] = {"camera_model": PARALLEL[0]} if flat[i] else _angles(width / fx[i], height / fy[i])
        lens = {
            **kind,
            **{"fl_x": fx[i], "fl_y": fy[i], "cx": cx[i], "cy": cy[i], "w": width, "h": height},
            **{"near": near[i], "far": far[i]},
        }
        frames.append((lens, {"file_path": file, "transform_matrix": matrix.tolist()}))
    shared = {key: value for key, value in frames[0][0].items() if all(lens.get(key) == value for lens, _ in frames)}
    own = [{**{k: v for k, v in lens.items() if k not in shared}, **frame} for lens, frame in frames]
    return {**shared, "frames": own}


def _angles(across: float, along: float) -> dict[str, Any]:
    """The angles of view of a picture that is so wide and high at depth 1."""
    return {"camera_angle_x": 2 * math.atan(across / 2), "camera_angle_y": 2 * math.atan(along / 2)}
