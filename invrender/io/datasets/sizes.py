"""The size that intrinsics are for against that of the pictures: scaled copies, turned photographs, mistakes."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from pathlib import Path

from invrender.errors import InputError
from invrender.io.datasets.posed import Lens, PosedImage
from invrender.io.files.paths import listing, shown
from invrender.io.pixels import Header

log = logging.getLogger(__name__)
Size = tuple[int, int]
_SHORTEST = 0.05
"""Focal lengths of pinholes, in sides of the picture: shorter ones see more than 168 degrees."""


def fit_all(
    posed: list[PosedImage], headers: list[Header], masks: list[Header | None], root: Path
) -> tuple[list[PosedImage], list[int]]:
    """The views with lenses that know the pictures' sizes, and how the pixels of each are to be turned.

    Args:
        posed: the views.
        headers: of their pictures.
        masks: headers of their masks, None where alpha is the mask.
        root: the dataset's folder, for messages.

    Returns:
        the views, and Exif's orientation to apply to each (1 where the pixels are right as they are stored).

    Raises:
        InputError: the pictures are no scaled copies of what the intrinsics are for.
    """
    turns = [_fit(view, header, mask, root) for view, header, mask in zip(posed, headers, masks, strict=True)]
    _tell(posed, headers, turns)
    shapes = [upright(header.size, turn) for header, turn in zip(headers, turns, strict=True)]
    fitted = [replace(view, lens=_complete(view.lens, size)) for view, size in zip(posed, shapes, strict=True)]
    for view, size in zip(fitted, shapes, strict=True):
        _check_lens(view, size, root)
    return fitted, turns


def _check_lens(view: PosedImage, size: Size, root: Path) -> None:
    """Refuse angles of view of nothing or of half a turn, and principal points far from the picture."""
    fx, fy, cx, cy = view.lens.at(size)
    height, width = size
    if view.lens.parallel:
        if not all(0 < scale < math.inf for scale in (fx, fy)):
            raise InputError(
                f"{root}: {shown(view.name)} has {fx:g}, {fy:g} pixels per world unit", "give numbers above 0"
            )
    elif not all(_SHORTEST < focal / side < 1e9 for focal, side in ((fx, width), (fy, height))):
        raise InputError(
            f"{root}: the focal lengths {fx:g}, {fy:g} of {shown(view.name)} are impossible for its picture of"
            f" {width} x {height} pixels",
            "give them in pixels of the picture, neither in millimetres nor as parts of its width",
        )
    if max(abs(cx) / width, abs(cy) / height) > 1e4:
        raise InputError(
            f"{root}: the principal point ({cx:g}, {cy:g}) of {shown(view.name)} is nowhere near its picture of"
            f" {width} x {height} pixels",
            "give it in pixels from the top left corner",
        )


def upright(size: Size, orientation: int) -> Size:
    """(H, W) of a stored picture after it has been turned."""
    return (size[1], size[0]) if orientation >= 5 else size


def _fit(view: PosedImage, header: Header, mask: Header | None, root: Path) -> int:
    """The orientation to apply to a view's pixels: the intrinsics' size decides, or else the mask's."""
    lens, stored = view.lens, header.size
    turned = upright(stored, header.orientation)
    if lens.width is None and lens.height is None and mask is not None and mask.size == turned != stored:
        return header.orientation
    if fits(lens, stored):
        _check_centre(view, stored, root)
        return 1
    if header.orientation >= 5 and fits(lens, turned):
        return header.orientation
    meant, there = f"{_number(lens.width)} x {_number(lens.height)}", f"{stored[1]} x {stored[0]}"
    if fits(lens, (stored[1], stored[0])):
        raise InputError(
            f"{root}: the intrinsics of {shown(view.name)} are of {meant} pixels, but its picture is {there}:"
            " width and height are swapped",
            "turn the pictures by 90 degrees, or, where the poses are of the pictures as they are, write"
            f" w = {stored[1]}, h = {stored[0]} and swap fl_x with fl_y and cx with cy",
        )
    raise InputError(
        f"{root}: the intrinsics of {shown(view.name)} are of {meant} pixels, but its picture is {there}:"
        " one is no scaled copy of the other",
        "write the size that fl_x, fl_y, cx and cy are of as w and h, or take the pictures that the poses were found"
        " with (cropped ones need their own cx and cy)",
    )


def fits(lens: Lens, size: Size) -> bool:
    """Whether a picture of `size` (H, W) is a scaled copy of what a lens is for, within a pixel of rounding."""
    if lens.width is None or lens.height is None:
        return True
    height, width = size
    low = max((width - 1) / lens.width, (height - 1) / lens.height)
    high = min((width + 1) / lens.width, (height + 1) / lens.height)
    return low <= high


def _check_centre(view: PosedImage, size: Size, root: Path) -> None:
    """Refuse intrinsics without a size whose principal point is the middle of a picture of another size."""
    lens = view.lens
    if lens.width is not None or lens.height is not None or lens.cx is None or lens.cy is None:
        return
    across, along = 2 * lens.cx / size[1], 2 * lens.cy / size[0]
    if abs(across - 1) > 0.2 and across > 0 and abs(across - along) < 0.02 * across:
        raise InputError(
            f"{root}: the principal point ({lens.cx:g}, {lens.cy:g}) of {shown(view.name)} is the middle of a picture"
            f" of {2 * lens.cx:g} x {2 * lens.cy:g} pixels, but its picture is {size[1]} x {size[0]}",
            "write the size that the intrinsics are of as w and h",
        )


def _complete(lens: Lens, size: Size) -> Lens:
    """The lens with both sides of the picture that it is for, where it names one."""
    height, width = size
    if lens.width is not None and lens.height is None:
        return replace(lens, height=lens.width * height / width)
    if lens.height is not None and lens.width is None:
        return replace(lens, width=lens.height * width / height)
    return lens


def _tell(posed: list[PosedImage], headers: list[Header], turns: list[int]) -> None:
    """Say what was scaled, turned, or left as it was stored."""
    scaled, turned, left = [], [], []
    for view, header, turn in zip(posed, headers, turns, strict=True):
        height, width = upright(header.size, turn)
        lens = view.lens
        if (lens.width or width) != width or (lens.height or height) != height:
            scaled.append((view.name, f"{_number(lens.width)} x {_number(lens.height)}", f"{width} x {height}"))
        if turn != 1:
            turned.append(view.name)
        elif header.orientation != 1:
            left.append((view.name, header.orientation))
    if scaled:
        name, meant, there = scaled[0]
        log.warning("intrinsics of %s pixels are scaled to pictures of %s (%s)", meant, there, _of(name, len(scaled)))
    if turned:
        log.warning("turned as their Exif orientation says, so that they fit the intrinsics: %s", listing(turned))
    if left:
        name, number = left[0]
        log.warning(
            "the Exif orientation %d is not applied (%s): the poses are taken to be of the pixels as they are stored."
            " Turn the pictures if they are of what viewers show",
            number,
            _of(name, len(left)),
        )


def _of(name: str, count: int) -> str:
    return shown(name) if count == 1 else f"{shown(name)} and {count - 1} more"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"
