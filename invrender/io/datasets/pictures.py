"""The pictures and masks of a dataset: found, checked against the intrinsics, turned, read and scaled down."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.errors import InputError
from invrender.io.coverage import of_levels
from invrender.io.datasets.masks import find_mask, mask_hint
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.sizes import Size, fit_all, upright
from invrender.io.datasets.sources import relative
from invrender.io.files.paths import entries, is_folder, listing, shown
from invrender.io.images import read_image, read_mask_as
from invrender.io.pixels import Header, read_header, turned

log = logging.getLogger(__name__)
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pictures:
    """What was read.

    Attributes:
        posed: the views, their lenses knowing the pictures' sizes.
        coverage: [H,W] each, scaled down; 0 of views without a mask.
        colours: [H,W,3] linear each, scaled down; empty unless all views have them and they were asked for.
        size: (H, W) before that.
        masked: whether each view has a mask.
    """

    posed: list[PosedImage]
    coverage: list[Array]
    colours: list[Array]
    size: Size
    masked: tuple[bool, ...]


def read_pictures(
    posed: list[PosedImage], root: Path, masks: Path | None, size: int | None, images: bool, unmasked: bool = False
) -> Pictures:
    """Read the pictures and masks of views whose files exist.

    Args:
        posed: the views.
        root: the dataset's folder.
        masks: a folder of masks that comes before all others, or None.
        size: the longer side to scale down to, or None.
        images: whether colours are wanted.
        unmasked: whether views may be without a mask.

    Raises:
        InputError: files are damaged or too large, sizes differ or contradict the intrinsics, or masks are missing.
    """
    heads = [_header(view, root) for view in posed]
    mask_files = _mask_files(posed, heads, root, masks, unmasked)
    mask_heads = [None if file is None else read_header(file) for file in mask_files]
    posed, turns = fit_all(posed, heads, mask_heads, root)
    sizes = [upright(head.size, turn) for head, turn in zip(heads, turns, strict=True)]
    _check_sizes(sizes, posed, root)
    notes: dict[str, list[str]] = {}
    coverage: list[Array] = []
    colours: list[Array] = []
    masked: list[bool] = []
    for view, file, turn in zip(posed, mask_files, turns, strict=True):
        rgb, found, note = _read(view, file, root, images, unmasked)
        notes.setdefault(note, []).append(view.name)
        masked.append(found is not None)
        mask = np.zeros(sizes[0], np.float32) if found is None else found
        coverage.append(_shrink(_fitted(mask, turn, sizes[0], view, root), size))
        if rgb is not None and images:
            colours.append(_shrink(turned(rgb, turn), size))
    _tell(notes, len(posed))
    return Pictures(posed, coverage, colours if len(colours) == len(posed) else [], sizes[0], tuple(masked))


def _header(view: PosedImage, root: Path) -> Header:
    path = _pixels_of(view)
    if path.suffix.lower() == ".npy":
        raise InputError(
            f"{root}: {shown(relative(path, root))} is a numpy array, which datasets of transmittance alone hold",
            'write "kind": "transmittance" (or "line-integral") into the pose file, or save pictures',
        )
    return read_header(path)


def _pixels_of(view: PosedImage) -> Path:
    """A view's picture, or its mask where it has none: a frame names one of both."""
    path = view.image or view.mask
    assert path is not None
    return path


def _read(
    view: PosedImage, file: Path | None, root: Path, images: bool, unmasked: bool
) -> tuple[Array | None, Array | None, str]:
    """Colours, coverage or None, and what is to be said of it; without a mask file the picture's alpha is the mask."""
    rgb, alpha = read_image(view.image) if view.image is not None and (images or file is None) else (None, None)
    if file is None and alpha is not None and alpha.min() < 1:
        stored = alpha if _pixels_of(view).suffix.lower() == ".exr" else np.rint(alpha * 255).astype(np.uint8)
        return rgb, *of_levels(stored, _pixels_of(view))
    file = file or find_mask(root / "masks", view.name, view.image)
    if file is None and unmasked:
        return rgb, None, ""
    if file is None:
        what = "no alpha channel" if alpha is None else "an alpha channel that is opaque everywhere"
        _refuse_unmasked([view], what, root)
    return rgb, *read_mask_as(file)


def _refuse_unmasked(views: list[PosedImage], what: str, root: Path) -> NoReturn:
    named = listing(relative(_pixels_of(view), root) for view in views)
    one = len(views) == 1
    cause = (
        f"{named} has {what}, and there is no mask for it" if one else f"{len(views)} images have {what} and no mask"
    )
    raise InputError(f"{root}: {cause}{'' if one else f': {named}'}", mask_hint(root, views[0].name))


def _mask_files(
    posed: list[PosedImage], heads: list[Header], root: Path, masks: Path | None, unmasked: bool
) -> list[Path | None]:
    """The mask file of each view, or None where its alpha comes first."""
    if masks is not None:
        return _given_masks(posed, masks)
    files, bare = [], []
    for view, head in zip(posed, heads, strict=True):
        file = view.mask
        if file is None and not head.alpha:
            file = find_mask(root / "masks", view.name, view.image)
            bare += [view] if file is None else []
        files.append(file)
    if bare and not unmasked:
        _refuse_unmasked(bare, "no alpha channel", root)
    return files


def _given_masks(posed: list[PosedImage], masks: Path) -> list[Path | None]:
    """The mask of each view in a folder that the user named."""
    if not is_folder(masks):
        raise InputError(f"there is no folder {shown(masks)} of masks", "give --masks a folder with one mask per image")
    files = [find_mask(masks, view.name, view.image) for view in posed]
    missing = [view.name for view, file in zip(posed, files, strict=True) if file is None]
    if missing:
        raise InputError(
            f"{masks} lacks the masks of {len(missing)} of {len(posed)} views: {listing(missing)}",
            f"it holds {listing(entries(masks), 3) or 'nothing'}: name them after the images, such as"
            f" {masks / f'{Path(missing[0]).name}.png'}",
        )
    return files


def _check_sizes(sizes: list[Size], posed: list[PosedImage], root: Path) -> None:
    for size, view in zip(sizes, posed, strict=True):
        if size != sizes[0]:
            raise InputError(
                f"{root}: the images differ in size: {shown(posed[0].name)} is {_wide(sizes[0])},"
                f" {shown(view.name)} is {_wide(size)}",
                "bring all images of a dataset to one size",
            )


def _fitted(mask: Array, turn: int, size: Size, view: PosedImage, root: Path) -> Array:
    """A mask turned as its picture is, unless it stands upright already, and scaled to the picture's size."""
    lying = (mask.shape[0] > mask.shape[1]) != (size[0] > size[1])
    if turn != 1 and lying:
        mask = turned(mask, turn)
    if mask.shape == size:
        return mask
    height, width = mask.shape
    if abs(width * size[0] - height * size[1]) > max(size):
        raise InputError(
            f"{root}: the mask of {shown(view.name)} is {_wide(mask.shape)}, its image {_wide(size)}",
            "make masks of the size of the images",
        )
    way = Image.Resampling.BOX if width > size[1] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(mask).resize((size[1], size[0]), way))


def _tell(notes: dict[str, list[str]], views: int) -> None:
    for note, names in notes.items():
        if note:
            which = shown(names[0]) if len(names) == 1 else f"{shown(names[0])} and {len(names) - 1} more of {views}"
            log.warning("the masks hold %s alone, taken for background and object (%s)", note, which)


def _wide(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]}"


def _shrink(image: Array, size: int | None) -> Array:
    """The image with its longer side brought down to `size` by averaging over areas."""
    height, width = image.shape[:2]
    if size is None or max(height, width) <= size:
        return image
    target = (max(1, round(width * size / max(height, width))), max(1, round(height * size / max(height, width))))
    planes = image[:, :, None] if image.ndim == 2 else image
    small = [
        np.asarray(Image.fromarray(planes[..., c]).resize(target, Image.Resampling.BOX)) for c in range(planes.shape[2])
    ]
    return small[0] if image.ndim == 2 else np.stack(small, axis=2)
