"""Datasets of posed images: a folder with transforms.json, or with a COLMAP model beside the images."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from invrender.errors import printable
from invrender.io.datasets.sources import POSE_FILES, listed, lists_views
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import is_folder, shown
from invrender.nouns import Cameras, Views
from invrender.nouns.colours import in_bytes as colours_in_bytes
from invrender.nouns.coverage import in_bytes as to_bytes
from invrender.nouns.coverage import whole

log = logging.getLogger(__name__)


def is_dataset(path: str | Path) -> bool:
    """Whether a path names a dataset: a folder with poses in it, or a pose file (.json, *_par.txt) itself."""
    return lists_views(Path(path))


def read_dataset(
    folder: str | Path,
    masks: str | Path | None = None,
    *,
    size: int | None = None,
    images: bool = True,
    unmasked: bool = False,
    skip_missing: bool = False,
    held_out: bool | Sequence[str] = True,
    bounds: torch.Tensor | None = None,
    mask_refine: str = "none",
    in_bytes: bool = False,
) -> Views:
    """Read posed images and their masks.

    A mask comes from the first of these that has one: the folder `masks`, the frame's `mask_path`, the image's alpha
    (straight, not premultiplied), and `masks/<name>.png` beside the poses. White is object. Distorted lenses are
    undistorted; pictures of several sizes are padded to the largest. What is unknown then has `Views.confidence` 0.

    Args:
        folder: the dataset's folder, or its pose file.
        masks: a folder of masks named after the images, or 'auto': views without a mask of their own get one that is
            found in their picture, see `segmentation.automatic.automatic_masks`.
        size: the longer side in pixels to which the largest image is scaled down, and all others by the same factor,
            by averaging linear light over areas; None keeps them.
        images: False reads masks alone and leaves `Views.images` None (colours take four times their memory).
        unmasked: True takes views that have no mask: their mask and confidence are 0.
        skip_missing: True leaves out views whose files are missing, and says which; else they are refused.
        held_out: True reads the views of the dataset's own test split (or else of that for validation) as well and
            lists them in `Views.held_out`; False leaves them out; names of views are held out instead.
        bounds: [2,3], a box that holds the object, before that of the dataset.
        mask_refine: how masks that are found are refined: 'none' or 'grabcut'.
        in_bytes: keep masks and confidence in a byte a pixel (`nouns.coverage`), a quarter of the memory, and images
            in a byte a channel (`nouns.colours`) where none of the files holds more.

    Returns:
        Views with float32 or uint8 masks [N,H,W], images [N,H,W,3] linear or in bytes, and float64 cameras in the
        dataset's frame.

    Raises:
        InputError: poses or images are missing or damaged, sizes contradict the intrinsics, masks are missing or cannot
            be meant, a lens is of an unknown model, or there are fewer than two views.
        MemoryLimitError: the images would not fit in memory.
    """
    from invrender.io.datasets.found_masks import folder_of_masks, with_found_masks

    given, find = folder_of_masks(masks)
    read = read_views(
        folder, given, size=size, images=images or find, unmasked=unmasked or find, skip_missing=skip_missing,
        held_out=held_out, in_bytes=in_bytes and not find,
    )  # fmt: skip
    views = read.views if bounds is None else replace(read.views, bounds=bounds)
    if not find:
        return views
    views = with_found_masks(views, read.masked, read.covered, images=images, refine=mask_refine)
    if not in_bytes:
        return views
    confidence = None if views.confidence is None else to_bytes(views.confidence)
    kept = views.images
    if kept is not None and not read.deep:
        kept = torch.stack([torch.from_numpy(colours_in_bytes(image.numpy())) for image in kept])
    return replace(views, masks=to_bytes(views.masks), confidence=confidence, images=kept)


@dataclass(frozen=True)
class Read:
    """A dataset, and what became of its pictures.

    Attributes:
        views: as `read_dataset` returns them.
        covered: [N,H,W] like the masks, 1 within the pictures and 0 where there is none (what pads a smaller picture,
            or what an undistorted one lacks), or None where the pictures fill their canvas.
        masked: whether each view has a mask.
        deep: whether a file holds more than 8 bits.
    """

    views: Views
    covered: torch.Tensor | None
    masked: tuple[bool, ...]
    deep: bool


def read_views(
    folder: str | Path,
    masks: str | Path | None = None,
    *,
    size: int | None = None,
    images: bool = True,
    unmasked: bool = False,
    skip_missing: bool = False,
    held_out: bool | Sequence[str] = True,
    in_bytes: bool = False,
) -> Read:
    """Read a dataset as `read_dataset` does, and tell which of its pixels are pictures and which views have masks."""
    from invrender.io.datasets.cameras import placed_cameras
    from invrender.io.datasets.checks import check_views, tell_unposed
    from invrender.io.datasets.masks import check_masks
    from invrender.io.datasets.pictures import read_pictures
    from invrender.io.datasets.splits import set_aside

    source = Path(folder)
    root = source if is_folder(source) else source.parent
    found = listed(source)
    kept, aside = set_aside(found.views, held_out, root)
    posed = check_views(kept, root, skip_missing)
    tell_unposed(found.views, root)
    pictures = read_pictures(posed, root, Path(masks) if masks is not None else None, size, images, unmasked, in_bytes)
    names = tuple(printable(view.name) for view in posed)
    check_masks(pictures.masks(), [name for name, there in zip(names, pictures.masked, strict=True) if there], root)
    covered = None if pictures.covered is None else torch.from_numpy(pictures.covered)
    views = Views(
        placed_cameras(pictures.places),
        torch.from_numpy(pictures.coverage),
        None if pictures.colours is None else torch.from_numpy(pictures.colours),
        names,
        _confidence(covered, pictures.masked, torch.from_numpy(pictures.coverage)),
        tuple(i for i, view in enumerate(posed) if view.name in aside),
        found.bounds,
    )
    return Read(views, covered, pictures.masked, pictures.deep)


def _confidence(covered: torch.Tensor | None, masked: tuple[bool, ...], like: torch.Tensor) -> torch.Tensor | None:
    """Masks are known where pictures are, in views that have one."""
    if all(masked):
        return covered
    known = whole(like).expand(like.shape).clone() if covered is None else covered.clone()
    known[[not there for there in masked]] = 0
    return known


def _facts(views: Views, files: list[str]) -> dict[str, Any]:
    """The fields for a split and a box, where views have them."""
    facts: dict[str, Any] = {} if views.bounds is None else {"bounds": views.bounds.tolist()}
    if views.held_out:
        facts["train_filenames"] = [file for i, file in enumerate(files) if i not in views.held_out]
        facts["test_filenames"] = [files[i] for i in views.held_out]
    return facts


def read_cameras(path: str | Path, size: tuple[int, int]) -> Cameras:
    """The cameras alone of a dataset folder or pose file, for images of `size` (H, W); no image needs to be there.

    Distorted lenses become pinholes of the same focal length, and it is said.

    Raises:
        InputError: the poses are missing or damaged.
    """
    from invrender.io.datasets.cameras import cameras_of
    from invrender.io.datasets.splits import set_aside

    posed, _ = set_aside(listed(Path(path)).views, False, Path(path))
    if any(view.lens.distortion is not None for view in posed):
        log.warning("%s: the distortion of its lenses is left out: the images are those of pinholes", shown(path))
    return cameras_of(posed, size, size)


def write_dataset(folder: str | Path, views: Views, floats: bool = False) -> list[Path]:
    """Write views as transforms.json and RGBA images view_000.png, ... whose alpha is the coverage.

    Args:
        folder: made where it is missing; files of the same names are replaced, transforms.json last.
        views: without images, the colours are white.
        floats: linear floats in .exr, which do not end at white, in place of 8 bits in .png.

    Returns:
        The files written.

    Raises:
        UsageError: the place cannot be written to.
    """
    from invrender.io.datasets.transforms import transforms_table
    from invrender.io.exr import write_exr
    from invrender.io.images import write_png

    target = Path(folder)
    digits = max(3, len(str(len(views.cameras) - 1)))
    files = [f"view_{i:0{digits}d}.{'exr' if floats else 'png'}" for i in range(len(views.cameras))]
    for i, file in enumerate(files):
        mask = views.masks[i, :, :, None].detach().cpu()
        colour = torch.ones_like(mask).expand(-1, -1, 3) if views.images is None else views.images[i].detach().cpu()
        image = torch.cat([colour * mask if floats else colour, mask.to(colour.dtype)], dim=2)
        if floats:
            write_exr(target / file, image.numpy())
        else:
            write_png(target / file, image)
    table = {**_facts(views, files), **transforms_table(views.cameras, files)}
    atomic_write_text(target / POSE_FILES[0], json.dumps(table, indent=1) + "\n")
    return [target / POSE_FILES[0], *(target / file for file in files)]
