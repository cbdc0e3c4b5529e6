"""The pictures and masks of a dataset: found, checked against the intrinsics, and read one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.coverage import of_levels
from invrender.io.datasets.checks import relative
from invrender.io.datasets.develop import Layers, develop, fitted_mask
from invrender.io.datasets.layout import Place, canvas_of, check_room, lay_out
from invrender.io.datasets.masks import find_mask, mask_files, refuse_unmasked
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.sizes import fit_all, upright
from invrender.io.files.paths import shown
from invrender.io.images import read_image_as, read_mask_as
from invrender.io.pixels import Header, read_header, turned
from invrender.nouns.colours import in_bytes as colours_in_bytes
from invrender.nouns.coverage import FULL
from invrender.nouns.coverage import in_bytes as to_bytes

log = logging.getLogger(__name__)
Array = NDArray[np.float32]
Item = TypeVar("Item")
SILENT = 5.0  # seconds between two words of how far reading is
_DETAIL = 4  # a JPEG is unpacked to at least so many times the sides that are wanted


@dataclass(frozen=True)
class Pictures:
    """What was read.

    Attributes:
        places: the views, with pinholes as lenses, and where their pictures lie.
        coverage: [N,H,W] float32 or in bytes (`nouns.coverage`), scaled down; 0 of views without a mask.
        colours: [N,H,W,3] straight, float32 linear or in bytes (`nouns.colours`), or None unless all views have them
            and they were asked for.
        covered: [N,H,W] likewise, 1 within the pictures and 0 where there is none, or None where they fill the canvas.
        masked: whether each view has a mask.
        deep: whether a file may hold more than 8 bits.
    """

    places: list[Place]
    coverage: NDArray[Any]
    colours: NDArray[Any] | None
    covered: NDArray[Any] | None
    masked: tuple[bool, ...]
    deep: bool

    def masks(self) -> list[NDArray[Any]]:
        """[h,w] each, as they are kept: the masks of the views that have one, without what pads them."""
        places = zip(self.coverage, self.places, self.masked, strict=True)
        return [mask[: place.size[0], : place.size[1]] for mask, place, there in places if there]


def read_pictures(
    posed: Sequence[PosedImage], root: Path, masks: Path | None, size: int | None, images: bool, unmasked: bool,
    in_bytes: bool = False,
) -> Pictures:  # fmt: skip
    """Read the pictures and masks of views whose files exist.

    Args:
        posed: the views.
        root: the dataset's folder.
        masks: a folder of masks that comes before all others, or None.
        size: the longer side to scale down to, or None.
        images: whether colours are wanted.
        unmasked: whether views may be without a mask.
        in_bytes: whether coverage is kept in bytes, and colours where no picture holds more than 8 bits.

    Raises:
        InputError: files are damaged or too large, sizes contradict the intrinsics, or masks are missing.
        MemoryLimitError: the result does not fit in memory.
    """
    heads = [header_of(view, root) for view in posed]
    files = mask_files(posed, [head.alpha for head in heads], root, masks, unmasked)
    fitted, turns = fit_all(list(posed), heads, [None if file is None else read_header(file) for file in files], root)
    sizes = [upright(head.size, turn) for head, turn in zip(heads, turns, strict=True)]
    places = lay_out(fitted, turns, sizes, size, root)
    coloured = images and all(view.image is not None for view in posed)
    canvas, count = canvas_of(places), len(places)
    deep = any(head.deep for head in heads)
    fine = not in_bytes or deep
    colour, share = (np.dtype(np.float32 if floats else np.uint8) for floats in (fine, not in_bytes))
    check_room(count, canvas, 2 * share.itemsize + (3 * colour.itemsize if coloured else 0), max(sizes), root)
    colours = np.zeros((count, *canvas, 3), colour) if coloured else None
    coverage, covered = (np.zeros((count, *canvas), share) for _ in range(2))
    full = FULL if in_bytes else 1
    notes = _Notes({}, [])
    masked = []
    for i, (place, file) in enumerate(_told(list(zip(places, files, strict=True)))):
        layers = _read(place, file, root, images, unmasked, notes)
        region = (i, slice(place.size[0]), slice(place.size[1]))
        masked.append(layers.mask is not None)
        covered[region] = full if layers.known is None else _kept(layers.known, in_bytes)
        if layers.mask is not None:
            coverage[region] = _kept(layers.mask, in_bytes)
        if colours is not None and layers.colours is not None:
            colours[region] = layers.colours if fine else colours_in_bytes(layers.colours)
    notes.tell(count)
    filled = all(bool((each == full).all()) for each in covered)
    return Pictures(places, coverage, colours, None if filled else covered, tuple(masked), deep)


def _kept(part: Array, in_bytes: bool) -> NDArray[Any]:
    return to_bytes(torch.from_numpy(part)).numpy() if in_bytes else part


def _told(items: Sequence[Item]) -> Iterator[Item]:
    """Items, and every few seconds a word of how many of them have been taken, at the level INFO."""
    begun = spoken = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - spoken > SILENT:
            left = (now - begun) / done * (len(items) - done)
            log.info("pictures read: %d of %d, %.0f s left", done, len(items), left)
            spoken = now
        yield item


@dataclass(frozen=True)
class _Notes:
    """What is to be said of the views, once for all of them: by two values of masks, and of colours."""

    values: dict[str, list[str]]
    multiplied: list[str]

    def tell(self, views: int) -> None:
        for note, names in self.values.items():
            log.warning("the masks hold %s alone, taken for background and object (%s)", note, _which(names, views))
        if self.multiplied:
            log.warning(
                "colours look multiplied by their alpha, which straight ones are not: they are divided by it (%s)",
                _which(self.multiplied, views),
            )


def _which(names: list[str], views: int) -> str:
    return shown(names[0]) if len(names) == 1 else f"{shown(names[0])} and {len(names) - 1} more of {views}"


def header_of(view: PosedImage, root: Path) -> Header:
    """The header of a view's picture, or of its mask where it has none: a frame names one of both.

    Raises:
        InputError: it is no picture, damaged, or beyond the limit.
    """
    path = view.pixels
    if path.suffix.lower() == ".npy":
        raise InputError(
            f"{root}: {shown(relative(path, root))} is a numpy array, which datasets of transmittance alone hold",
            'write "kind": "transmittance" (or "line-integral") into the pose file, or save pictures',
        )
    return read_header(path)


def _read(place: Place, file: Path | None, root: Path, images: bool, unmasked: bool, notes: _Notes) -> Layers:
    """One view's layers on its region of the canvas."""
    view, rgb, alpha = place.view, None, None
    if view.image is not None and (images or file is None):
        rgb, alpha, multiplied = read_image_as(view.image, _enough(place))
        notes.multiplied.extend([view.name] if multiplied else [])
    mask, note = _mask_of(view, file, alpha, root, unmasked)
    if note:
        notes.values.setdefault(note, []).append(view.name)
    if place.turn != 1:
        rgb, alpha = (None if part is None else turned(part, place.turn) for part in (rgb, alpha))
    mask = None if mask is None else fitted_mask(mask, place, root)
    return develop(rgb if images else None, alpha, mask, place, str(root))


def _enough(place: Place) -> tuple[int, int]:
    """(H, W) of the stored pixels that suffice for a view's region."""
    factor = _DETAIL * max(place.size) / max(place.pinhole_size)
    height, width = (int(side * factor) for side in upright(place.full, place.turn))
    return height, width


def _mask_of(
    view: PosedImage, file: Path | None, alpha: Array | None, root: Path, unmasked: bool
) -> tuple[Array | None, str]:
    """Coverage, or None, and what is to be said of it; without a mask file the picture's alpha is the mask."""
    if file is None and alpha is not None and alpha.min() < 1:
        stored = alpha if view.pixels.suffix.lower() == ".exr" else np.rint(alpha * 255).astype(np.uint8)
        return of_levels(stored, view.pixels)
    file = file or find_mask(root / "masks", view.name, view.image)
    if file is None and not unmasked:
        what = "no alpha channel" if alpha is None else "an alpha channel that is opaque everywhere"
        refuse_unmasked([view], what, root)
    return (None, "") if file is None else read_mask_as(file)
