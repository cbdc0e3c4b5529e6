"""Shared by the methods for volumes: grid and box from their settings, and the cameras for an asset's own views."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from invrender.cameras.around import around
from invrender.errors import UsageError
from invrender.io.datasets.dataset import read_cameras
from invrender.io.datasets.kinds import PLAIN
from invrender.nouns import Cameras, Views, Volume
from invrender.nouns.colours import linear
from invrender.nouns.coverage import covers
from invrender.run.settings import VolumeRunSettings

Tensor = torch.Tensor

WHOLE = 0.99  # coverage of a pixel that shows nothing but the object


def read_asset(settings: VolumeRunSettings) -> Volume:
    """The volume file that the settings name, its array and frame."""
    from invrender.io.volumes.read import read_volume  # all formats, of which meshes need none

    return read_volume(
        settings.input, key=settings.key, frame=settings.frame, shape=settings.shape, dtype=settings.dtype
    )


def own_cameras(volume: Volume, settings: VolumeRunSettings, count: int, size: int) -> Cameras:
    """The cameras of an asset's own views, square images of `size` pixels."""
    if settings.cameras not in ("orbit", "sphere"):
        return read_cameras(Path(settings.cameras), (size, size))
    kind: Literal["orbit", "sphere"] = "orbit" if settings.cameras == "orbit" else "sphere"
    return around(
        volume, kind, count, size,
        distance=settings.distance, fov=settings.fov, elevation=settings.elevation, parallel=settings.ortho,
    )  # fmt: skip


def grid_shape(grid: tuple[int, ...]) -> tuple[int, int, int]:
    """Samples along z, y, x from one number for all or three.

    Raises:
        UsageError: no such grid exists.
    """
    if len(grid) not in (1, 3) or min(grid) < 2:
        raise UsageError(
            f"a grid of {' x '.join(map(str, grid))} is impossible", "use --grid N or --grid z,y,x, each >= 2"
        )
    depth, height, width = grid * (3 // len(grid))
    return depth, height, width


def grid_box(corners: tuple[float, ...]) -> Tensor:
    """The box [2,3] float64 from x, y, z of its lower and its upper corner.

    Raises:
        UsageError: they are not that.
    """
    if len(corners) != 6 or not all(low < high for low, high in zip(corners[:3], corners[3:], strict=True)):
        raise UsageError(
            "--bounds needs both corners of a box", "use --bounds x0,y0,z0,x1,y1,z1, the lower corner first"
        )
    return torch.tensor(corners, dtype=torch.float64).reshape(2, 3)


def decibels(value: float | None) -> str:
    """A PSNR for people; None is an infinite one."""
    return "exact" if value is None else f"{value:.2f} dB"


def unmasked(cameras: Cameras) -> Views:
    """Cameras as views without masks, of which only how they stand is to be told."""
    return Views(cameras, torch.ones(len(cameras), 1, 1))


def refuse_object(name: str | None) -> None:
    """Refuse the choice of an object where the input is a dataset.

    Raises:
        UsageError: one was named.
    """
    if name is not None:
        raise UsageError("--object goes with a mesh file, and the input is a dataset", "leave --object out")


def is_plain(images: Tensor, masks: Tensor) -> bool:
    """Whether all pixels [N,H,W,3] of the object have one value, as those of silhouettes have.

    They are looked at view by view, until what is apart within views is enough among however many pixels.
    """
    count, within = 0, torch.zeros(3, dtype=torch.float64)
    origin, total, squares = within.clone(), within.clone(), within.clone()
    for image, mask in zip(images, masks, strict=True):
        inside = linear(image[covers(mask, WHOLE)]).double()
        if not len(inside):
            continue
        mean = inside.mean(0)
        origin = origin if count else mean  # from which values are counted, since their squares are small then
        apart = (inside - mean).square().sum(0)
        count, within = count + len(inside), within + apart
        total += len(inside) * (mean - origin)
        squares += apart + len(inside) * (mean - origin).square()
        if float(within.max()) >= PLAIN**2 * masks.numel():
            return False
    return count > 0 and float((squares - total.square() / count).max()) < PLAIN**2 * max(count - 1, 1)
