"""Datasets of transmittance: a folder with transforms.json and one grey image per view, or line integrals instead.

Beside the poses, transforms.json holds `kind` ('transmittance', or 'line-integral' for optical depths), and where they
are known `bounds` ([2,3] corners of the box), `grid` (samples along z, y, x) and `extinction` (the factor on the
density that the images were made with). Images are .npy (float32), or grey .png, .tif or .exr whose values are taken as
they are, never decoded from sRGB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.errors import InputError
from invrender.io.datasets.dataset import POSE_FILES, read_cameras
from invrender.io.datasets.transforms import transforms_table
from invrender.io.files.atomic import atomic_path, atomic_write_text
from invrender.io.files.paths import existing_file, listing
from invrender.io.images import read_image, write_png
from invrender.nouns import Cameras

Kind = Literal["transmittance", "line-integral"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class TransmittanceViews:
    """Posed images of transmittance or optical depth.

    Attributes:
        cameras: N cameras.
        images: [N,H,W] float32: transmittance, or optical depth where `kind` is 'line-integral'.
        kind: which of both.
        bounds: [2,3] float64 corners of the volume's box in the world, or None.
        grid: samples along z, y, x, or None.
        extinction: the factor on the density that the images were made with; 1 where nothing is said.
        eight_bit: whether the images hold no more than 256 grey levels.
    """

    cameras: Cameras
    images: torch.Tensor
    kind: Kind = "transmittance"
    bounds: torch.Tensor | None = None
    grid: tuple[int, int, int] | None = None
    extinction: float = 1.0
    eight_bit: bool = False


def is_transmittance(path: str | Path) -> bool:
    """Whether a path names such a dataset: its pose file says of which kind it is."""
    pose = _pose_file(Path(path))
    if pose is None:
        return False
    try:
        return _table(pose).get("kind") in get_args(Kind)
    except InputError:
        return False


def write_transmittance(folder: str | Path, views: TransmittanceViews) -> list[Path]:
    """Write views as transforms.json and view_000.png (8 bits) or, unless `eight_bit`, view_000.npy (float32).

    Returns:
        The files written, transforms.json first.
    """
    target = Path(folder)
    digits = max(3, len(str(len(views.cameras) - 1)))
    suffix = "png" if views.eight_bit else "npy"
    files = [f"view_{i:0{digits}d}.{suffix}" for i in range(len(views.cameras))]
    for file, image in zip(files, views.images.detach().cpu(), strict=True):
        if views.eight_bit:
            write_png(target / file, image)
        else:
            with atomic_path(target / file) as temporary:
                np.save(temporary, image.numpy().astype(np.float32))
    facts: dict[str, Any] = {"kind": views.kind, "extinction": views.extinction}
    if views.bounds is not None:
        facts["bounds"] = views.bounds.tolist()
    if views.grid is not None:
        facts["grid"] = list(views.grid)
    table = {**facts, **transforms_table(views.cameras, files)}
    atomic_write_text(target / POSE_FILES[0], json.dumps(table, indent=1) + "\n")
    return [target / POSE_FILES[0], *(target / file for file in files)]


def read_transmittance(folder: str | Path) -> TransmittanceViews:
    """Read such a dataset: the values as they are, unchecked but for their shape.

    Raises:
        InputError: poses or images are missing or damaged, sizes differ, or a field cannot be understood.
    """
    pose = _pose_file(Path(folder))
    if pose is None:
        raise InputError(
            f"{folder} holds no transforms.json", "name a dataset folder (see `invrender render --dataset`)"
        )
    table = _table(pose)
    kind = table.get("kind", "transmittance")
    if kind not in get_args(Kind):
        raise InputError(f"{pose} holds images of the kind {kind!r}", f"use one of {', '.join(get_args(Kind))}")
    files = _files(table, pose)
    images = [_read(file) for file in files]
    sizes = {image.shape for image in images}
    if len(sizes) > 1:
        shown = listing(f"{width} x {height}" for height, width in sorted(sizes))
        raise InputError(f"{pose.parent} holds images of different sizes: {shown}", "scale them to one size")
    height, width = images[0].shape
    grid = table.get("grid")
    return TransmittanceViews(
        read_cameras(pose, (height, width)),
        torch.from_numpy(np.stack(images)),
        kind,
        _bounds(table, pose),
        None if grid is None else _grid(grid, pose),
        _extinction(table, pose),
        all(file.suffix.lower() in (".png", ".jpg", ".jpeg") and _is_eight_bit(file) for file in files),
    )


def _pose_file(path: Path) -> Path | None:
    if path.is_file() and path.suffix.lower() == ".json":
        return path
    return next((path / name for name in POSE_FILES if (path / name).is_file()), None)


def _table(pose: Path) -> dict[str, Any]:
    try:
        table = json.loads(pose.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise InputError(f"{pose} is not valid JSON: {error}", "correct that place in the file") from error
    if not isinstance(table, dict):
        raise InputError(f"{pose} holds no table of views", "write an object with 'frames'")
    return table


def _files(table: dict[str, Any], pose: Path) -> list[Path]:
    frames = table.get("frames")
    if (
        not isinstance(frames, list)
        or not frames
        or not all(isinstance(frame, dict) and "file_path" in frame for frame in frames)
    ):
        raise InputError(f"{pose} lists no views, or one without 'file_path'", "list the views under 'frames'")
    files = [_with_suffix(pose.parent / str(frame["file_path"])) for frame in frames]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"{pose.parent}: {len(missing)} of {len(files)} images are missing: {listing(missing)}",
            "put the files there, or leave their views out of the list",
        )
    return files


def _with_suffix(path: Path) -> Path:
    candidates = (path.with_name(path.name + suffix) for suffix in (".npy", ".png", ".exr", ".tif"))
    return path if path.is_file() else next((file for file in candidates if file.is_file()), path)


def _read(path: Path) -> Array:
    """[H,W] float32 as stored; integers over their whole range are 0 to 1."""
    suffix = existing_file(path, "image").suffix.lower()
    if suffix == ".exr":
        return np.asarray(read_image(path)[0].mean(2))
    try:
        if suffix == ".npy":
            values = np.asarray(np.load(path, allow_pickle=False))
        else:
            with Image.open(path) as image:
                values = np.asarray(image if image.mode[0] in "IFL" else image.convert("L"))
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise InputError(f"{path} cannot be read as an image: {error}", "export it again") from error
    if values.ndim != 2 or values.dtype.kind not in "uif":
        raise InputError(f"{path} is no grey image (its array is {values.shape})", "write one number per pixel")
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return values.astype(np.float32) / np.float32(255 if values.dtype == np.uint8 else 65535)


def _is_eight_bit(path: Path) -> bool:
    with Image.open(path) as image:
        return image.mode not in ("I", "F", "I;16", "I;16B")


def _bounds(table: dict[str, Any], pose: Path) -> torch.Tensor | None:
    if table.get("bounds") is None:
        return None
    try:
        bounds = torch.tensor(table["bounds"], dtype=torch.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{pose}: 'bounds' are no numbers", "write both corners, [[x, y, z], [x, y, z]]") from error
    if bounds.shape != (2, 3) or not bool((bounds[1] > bounds[0]).all()):
        raise InputError(f"{pose}: 'bounds' are no box", "write both corners, the lower one first")
    return bounds


def _grid(grid: Any, pose: Path) -> tuple[int, int, int]:
    if not (isinstance(grid, list) and len(grid) == 3 and all(isinstance(n, int) and n > 1 for n in grid)):
        raise InputError(f"{pose}: 'grid' is {grid!r}", "write the samples along z, y and x, such as [128, 128, 128]")
    return grid[0], grid[1], grid[2]


def _extinction(table: dict[str, Any], pose: Path) -> float:
    value = table.get("extinction", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InputError(f"{pose}: 'extinction' is {value!r}", "write the factor on the density, above 0")
    return float(value)
