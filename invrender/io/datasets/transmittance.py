"""Datasets of transmittance: a folder with transforms.json and one grey image per view, or line integrals instead.

Beside the poses, transforms.json holds `kind` ('transmittance', or 'line-integral' for optical depths), and where they
are known `bounds` ([2,3] corners of the box), `grid` (samples along z, y, x) and `extinction` (the factor on the
density that the images were made with). Images are .npy (float32), or grey .png, .tif or .exr whose values are taken as
they are, never decoded from sRGB; `scale` is what stored numbers are multiplied by. One TIFF or .npy stack may be named
by every view, for one page each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import torch

from invrender.errors import InputError
from invrender.io.datasets.bounds import told_bounds
from invrender.io.datasets.cameras import cameras_of
from invrender.io.datasets.checks import check_files
from invrender.io.datasets.grey import GREY_EXTENSIONS, read_stack
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.sizes import fit_all
from invrender.io.datasets.sources import POSE_FILES
from invrender.io.datasets.transforms import read_pose_table, read_transforms, transforms_table
from invrender.io.files.atomic import atomic_path, atomic_write_text
from invrender.io.files.paths import is_file, listing, nearest, shown
from invrender.io.images import write_png
from invrender.io.pixels import Header
from invrender.nouns import Cameras

Kind = Literal["transmittance", "line-integral"]


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
        quantum: the step between two grey levels that files of integers can tell apart, in the images' units; 0 where
            they hold floats.
        names: of the views, by their files; empty where there are none.
    """

    cameras: Cameras
    images: torch.Tensor
    kind: Kind = "transmittance"
    bounds: torch.Tensor | None = None
    grid: tuple[int, int, int] | None = None
    extinction: float = 1.0
    eight_bit: bool = False
    quantum: float = 0.0
    names: tuple[str, ...] = ()


def is_transmittance(path: str | Path) -> bool:
    """Whether a path names such a dataset: its pose file says of which kind it is."""
    pose = _pose_file(Path(path))
    if pose is None:
        return False
    try:
        kind = read_pose_table(pose).get("kind")
    except InputError:
        return False
    return isinstance(kind, str) and nearest(_spelled(kind), get_args(Kind)) is not None


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
    if views.eight_bit and views.kind == "line-integral":
        facts["scale"] = 1 / 255
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
    table = read_pose_table(pose)
    kind, scale = _kind(table, pose), _positive(table, "scale", None, pose)
    posed = read_transforms(pose, GREY_EXTENSIONS)
    _refuse_distorted(posed, pose)
    files = _files(posed, pose)
    stack = read_stack(files, scale, whole=kind == "transmittance")
    sizes = {image.shape for image in stack.images}
    if len(sizes) > 1:
        shown_sizes = listing(f"{width} x {height}" for height, width in sorted(sizes))
        raise InputError(f"{pose.parent} holds images of different sizes: {shown_sizes}", "scale them to one size")
    height, width = stack.images[0].shape
    heads = [Header((height, width), alpha=False)] * len(posed)
    posed, _ = fit_all(posed, heads, [None] * len(posed), pose.parent)
    grid = table.get("grid")
    return TransmittanceViews(
        cameras_of(posed, (height, width), (height, width)),
        torch.from_numpy(np.stack(stack.images)),
        kind,
        told_bounds(table.get("bounds"), str(pose)),
        None if grid is None else _grid(grid, pose),
        _positive(table, "extinction", 1.0, pose) or 1.0,
        stack.eight_bit,
        stack.quantum,
        _names(files),
    )


def _refuse_distorted(posed: list[PosedImage], pose: Path) -> None:
    bent = next((view for view in posed if view.lens.distortion is not None), None)
    if bent is not None:
        raise InputError(
            f"{pose}: the lens of {shown(bent.name)} is distorted ({bent.lens.distortion})",
            "undistort measurements before they are divided by the reading without an object",
        )


def _names(files: list[Path]) -> tuple[str, ...]:
    """What to call the views: by their files, and by their pages where several share a file."""
    shared = len(set(files)) < len(files)
    return tuple(f"{file.name} page {page}" if shared else file.name for page, file in enumerate(files, 1))


def _pose_file(path: Path) -> Path | None:
    if is_file(path) and path.suffix.lower() == ".json":
        return path
    return next((path / name for name in POSE_FILES if is_file(path / name)), None)


def _spelled(kind: str) -> str:
    return kind.strip().lower().replace("_", "-").replace(" ", "-")


def _kind(table: dict[str, Any], pose: Path) -> Kind:
    told = table.get("kind", "transmittance")
    for kind in get_args(Kind):
        if isinstance(told, str) and _spelled(told) == kind:
            return cast("Kind", kind)
    close = nearest(_spelled(told), get_args(Kind)) if isinstance(told, str) else None
    hint = f"did you mean '{close}'? " if close else ""
    raise InputError(
        f"{pose} holds images of the kind {shown(repr(told))}", f"{hint}Use one of {', '.join(get_args(Kind))}"
    )


def _files(posed: list[PosedImage], pose: Path) -> list[Path]:
    files = [view.image for view in posed if view.image is not None]
    if len(files) < len(posed):
        raise InputError(f"{pose} lists a view without 'file_path'", "name an image for every view")
    check_files(files, len(posed), pose.parent)
    return files


def _grid(grid: Any, pose: Path) -> tuple[int, int, int]:
    if not (isinstance(grid, list) and len(grid) == 3 and all(isinstance(n, int) and n > 1 for n in grid)):
        raise InputError(
            f"{pose}: 'grid' is {shown(repr(grid))}", "write the samples along z, y and x, such as [128, 128, 128]"
        )
    return grid[0], grid[1], grid[2]


def _positive(table: dict[str, Any], key: str, default: float | None, pose: Path) -> float | None:
    value = table.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e150:
        raise InputError(f"{pose}: '{key}' is {shown(repr(value))}", "write a number above 0, or leave it out")
    return float(value)
