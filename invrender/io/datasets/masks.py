"""Masks of a dataset: where they come from, and the refusal of those that cannot be meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.checks import relative
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.posed import PosedImage
from invrender.io.files.paths import entries, is_folder, listing, shown
from invrender.io.pixels import IMAGE_EXTENSIONS
from invrender.nouns.coverage import coverage

Array = NDArray[np.float32]
_WORDS = ("mask", "matte", "silhouette", "alpha", "segment")
_MARKED = ("{}_mask", "{}-mask", "{}.mask", "mask_{}", "mask-{}")


def find_mask(folder: Path, name: str, image: Path | None) -> Path | None:
    """The mask of a view in a folder of masks: by its name with folders, by its last part, or as COLMAP adds .png.

    Then by its last part with 'mask' before or behind it, as labelling programs write it: r_0_mask, mask_r_0.

    Args:
        folder: of masks.
        name: of the view, such as 'train/r_0'.
        image: its file, such as r_0.jpg, for masks called r_0.jpg.png.
    """
    if not is_folder(folder):
        return None
    locator = Locator(folder, IMAGE_EXTENSIONS)
    inside = PurePosixPath(*(part for part in PurePosixPath(name).parts if part not in ("..", "/")))
    stems = [inside, PurePosixPath(*inside.parts[1:]), PurePosixPath(inside.name)]
    stems += [PurePosixPath(image.name)] if image else []
    stems += [place.with_name(text.format(place.name)) for place in stems if place.name for text in _MARKED]
    found = (locator.at(folder, stem) for stem in stems if stem.name)
    return next((path for path in found if path is not None and path != image), None)


def mask_hint(root: Path, name: str) -> str:
    """What to do for the mask of a view that was not found: where masks may lie instead, or what they should be called.

    Args:
        root: the dataset's folder.
        name: of the view, such as 'train/r_0'.
    """
    held = entries(root / "masks")
    if held:
        wanted = f"masks/{shown(PurePosixPath(name).name)}.png"
        return f"masks/ holds {listing(held, 3)}: name them after the images, such as {wanted}"
    folders = [other for other in entries(root) if any(word in other.lower() for word in _WORDS)]
    elsewhere = next((root / other for other in folders if is_folder(root / other)), None)
    if elsewhere:
        return f"pass --masks {shown(elsewhere)} if these are the masks (white is object)"
    return f"save the images as RGBA, or put masks (white is object) at masks/{shown(name)}.png, or pass --masks DIR"


def refuse_unmasked(views: Sequence[PosedImage], what: str, root: Path) -> NoReturn:
    """Refuse views without a mask (InputError); `what` is what their pictures have instead of one."""
    named = listing(relative(view.pixels, root) for view in views)
    one = len(views) == 1
    cause = (
        f"{named} has {what}, and there is no mask for it" if one else f"{len(views)} images have {what} and no mask"
    )
    raise InputError(f"{root}: {cause}{'' if one else f': {named}'}", mask_hint(root, views[0].name))


def mask_files(
    posed: Sequence[PosedImage], alpha: Sequence[bool], root: Path, masks: Path | None, unmasked: bool
) -> list[Path | None]:
    """The mask file of each view, or None where its alpha comes first or, if that is allowed, where it has none.

    Args:
        posed: the views.
        alpha: whether the picture of each may have an alpha channel.
        root: the dataset's folder.
        masks: a folder of masks that comes before all others, or None.
        unmasked: whether views may be without a mask.

    Raises:
        InputError: masks are missing.
    """
    if masks is not None:
        return _given_masks(posed, masks, unmasked)
    files, bare = [], []
    for view, clear in zip(posed, alpha, strict=True):
        file = view.mask
        if file is None and not clear:
            file = find_mask(root / "masks", view.name, view.image)
            bare += [view] if file is None else []
        files.append(file)
    if bare and not unmasked:
        refuse_unmasked(bare, "no alpha channel", root)
    return files


def _given_masks(posed: Sequence[PosedImage], masks: Path, unmasked: bool) -> list[Path | None]:
    """The mask of each view in a folder that the user named."""
    if not is_folder(masks):
        raise InputError(f"there is no folder {shown(masks)} of masks", "give --masks a folder with one mask per image")
    files = [find_mask(masks, view.name, view.image) for view in posed]
    missing = [view.name for view, file in zip(posed, files, strict=True) if file is None]
    if missing and not (unmasked and len(missing) < len(posed)):
        raise InputError(
            f"{masks} lacks the masks of {len(missing)} of {len(posed)} views: {listing(missing)}",
            f"it holds {listing(entries(masks), 3) or 'nothing'}: name them after the images, such as"
            f" {masks / f'{Path(missing[0]).name}.png'}",
        )
    return files


def check_masks(masks: Sequence[NDArray[Any]], names: Sequence[str], folder: Path) -> None:
    """Refuse masks that are empty, full, or look inverted.

    Args:
        masks: [H,W] coverage each, in floats or bytes.
        names: of the views.
        folder: the dataset's, for the message.

    Raises:
        InputError: naming the views.
    """
    found: dict[str, list[str]] = {"empty": [], "full": [], "inverted": [], "grey": []}
    for mask, name in zip(masks, names, strict=True):
        fault = _fault(mask)
        if fault:
            found[fault].append(name)
    if found["empty"]:
        _refuse(
            folder,
            found["empty"],
            masks,
            "all black: no object is seen",
            "leave that view out, or mark the object",
        )
    if found["full"]:
        _refuse(
            folder,
            found["full"],
            masks,
            "white (128 of 255 or more) everywhere: no background is seen",
            "mark the background black",
        )
    if found["grey"]:
        _refuse(
            folder,
            found["grey"],
            masks,
            "grey nearly everywhere, as pictures are, not masks",
            "write masks with 0 for the background and 255 for the object",
        )
    if found["inverted"]:
        _refuse(
            folder,
            found["inverted"],
            masks,
            "object all along the border and background within, which looks inverted",
            "white must be the object: invert the masks",
        )


def _fault(kept: NDArray[Any]) -> str | None:
    mask = coverage(torch.from_numpy(kept)).numpy()
    if not (mask >= 0.5).any():
        return "empty"
    if (mask >= 0.5).all():
        return "full"
    if float(((mask > 0.1) & (mask < 0.9)).mean()) > 0.7:
        return "grey"
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return "inverted" if float((border >= 0.5).mean()) > 0.9 else None


def _refuse(folder: Path, names: list[str], masks: Sequence[NDArray[Any]], what: str, remedy: str) -> None:
    if len(names) == 1:
        raise InputError(f"{folder}: the mask of {shown(names[0])} is {what}", remedy)
    raise InputError(f"{folder}: {len(names)} of {len(masks)} masks ({listing(names)}) are {what}", remedy)
