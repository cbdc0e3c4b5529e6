"""Datasets of posed images: a folder with transforms.json, or with a COLMAP model beside the images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from invrender.cameras.projection import common_point, perspective_intrinsics
from invrender.errors import printable
from invrender.io.datasets.colmap import find_model
from invrender.io.datasets.found_masks import folder_of_masks, with_found_masks
from invrender.io.datasets.masks import check_masks
from invrender.io.datasets.pictures import read_pictures
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.sources import POSE_FILES, check_views, posed_images
from invrender.io.datasets.transforms import transforms_table
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import is_file, is_folder
from invrender.io.images import write_png
from invrender.nouns import Cameras, Views


def is_dataset(path: str | Path) -> bool:
    """Whether a path names a dataset: a folder with poses in it, or a pose file (.json) itself."""
    source = Path(path)
    if is_folder(source):
        return any(is_file(source / name) for name in POSE_FILES) or find_model(source) is not None
    return source.suffix.lower() == ".json"


def read_dataset(
    folder: str | Path,
    masks: str | Path | None = None,
    *,
    size: int | None = None,
    images: bool = True,
    bounds: torch.Tensor | None = None,
    mask_refine: str = "none",
) -> Views:
    """Read posed images and their masks.

    A mask comes from the first of these that has one: the folder `masks`, the frame's `mask_path`, the image's alpha
    (straight, not premultiplied), and `masks/<name>.png` beside the poses. White is object.

    Args:
        folder: the dataset's folder, or its pose file (any .json).
        masks: a folder of masks named after the images, or 'auto': views without a mask of their own get one
            that is found in their picture, see `segmentation.automatic.automatic_masks`.
        size: the longer side in pixels to which larger images are scaled down, by averaging; None keeps them.
        images: False reads masks alone and leaves `Views.images` None (colours take four times their memory).
        bounds: [2,3], a box that holds the object, where masks are found.
        mask_refine: how masks that are found are refined: 'none' or 'grabcut'.

    Returns:
        Views with float32 masks [N,H,W] and images [N,H,W,3] linear, and float64 cameras in the dataset's frame.

    Raises:
        InputError: poses or images are missing or damaged, sizes differ, masks are missing or cannot be meant, lenses
            are distorted, or there are fewer than two views.
    """
    source = Path(folder)
    posed = posed_images(source)
    root = source if is_folder(source) else source.parent
    check_views(posed, root)
    given, find = folder_of_masks(masks)
    pictures = read_pictures(posed, root, given, size, images or find, unmasked=find)
    names = tuple(printable(view.name) for view in posed)
    there = [view for view, masked in enumerate(pictures.masked) if masked]
    check_masks([pictures.coverage[view] for view in there], [names[view] for view in there], root)
    height, width = pictures.coverage[0].shape
    views = Views(
        cameras_of(pictures.posed, pictures.size, (height, width)),
        torch.from_numpy(np.stack(pictures.coverage)),
        torch.from_numpy(np.stack(pictures.colours)) if pictures.colours else None,
        names,
    )
    if not find:
        return views
    return with_found_masks(views, pictures.masked, images=images, bounds=bounds, refine=mask_refine)


def read_cameras(path: str | Path, size: tuple[int, int]) -> Cameras:
    """The cameras alone of a dataset folder or pose file, for images of `size` (H, W); no image needs to be there.

    Raises:
        InputError: the poses are missing or damaged, or lenses are distorted.
    """
    return cameras_of(posed_images(Path(path)), size, size)


def write_dataset(folder: str | Path, views: Views) -> list[Path]:
    """Write views as transforms.json and RGBA images view_000.png, ... whose alpha is the coverage.

    Args:
        folder: made where it is missing; files of the same names are replaced, transforms.json last.
        views: without images, the colours are white.

    Returns:
        The files written.

    Raises:
        UsageError: the place cannot be written to.
    """
    target = Path(folder)
    digits = max(3, len(str(len(views.cameras) - 1)))
    files = [f"view_{i:0{digits}d}.png" for i in range(len(views.cameras))]
    for i, file in enumerate(files):
        mask = views.masks[i, :, :, None].detach().cpu()
        colour = torch.ones_like(mask).expand(-1, -1, 3) if views.images is None else views.images[i].detach().cpu()
        write_png(target / file, torch.cat([colour, mask.to(colour.dtype)], dim=2))
    atomic_write_text(target / POSE_FILES[0], json.dumps(transforms_table(views.cameras, files), indent=1) + "\n")
    return [target / POSE_FILES[0], *(target / file for file in files)]


def cameras_of(posed: list[PosedImage], full_size: tuple[int, int], size: tuple[int, int]) -> Cameras:
    """Cameras for images of `size` (H, W) scaled from ones of `full_size`, by which projections do not change."""
    world = torch.from_numpy(np.stack([view.world_to_camera for view in posed]))
    placed = Cameras(world, torch.zeros_like(world), size)
    target, _ = common_point(placed)
    distance = float((placed.position - target).norm(dim=1).max())
    reach = distance if distance > 0 else 1.0
    projections = [
        perspective_intrinsics(*view.lens.at(full_size), full_size, *(view.clip or (0.01 * reach, 100 * reach)))
        for view in posed
    ]
    return Cameras(world, torch.stack(projections), size)
