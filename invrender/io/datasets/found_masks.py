"""`--masks auto`: masks found in the pictures of a dataset, for the views that bring none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from invrender.nouns import Views
from invrender.segmentation.automatic import AUTO, with_automatic_masks

log = logging.getLogger(__name__)


def folder_of_masks(masks: str | Path | None) -> tuple[Path | None, bool]:
    """The folder that was named, if any, and whether masks are to be found instead.

    A folder that is called 'auto' is named by its absolute path.
    """
    found = masks is not None and str(masks) == AUTO
    return (None if masks is None or found else Path(masks)), found


def with_found_masks(
    views: Views,
    masked: Sequence[bool],
    covered: torch.Tensor | None = None,
    *,
    images: bool = True,
    bounds: torch.Tensor | None = None,
    refine: str = "none",
) -> Views:
    """Views with masks for all, and what was found said.

    Args:
        views: with images.
        masked: whether each view has a mask of its own, which stays.
        covered: [N,H,W], 0 where there is no picture; None: there is one everywhere.
        images: whether they are still wanted.
        bounds: [2,3], a box that holds the object, before that of the dataset.
        refine: see `automatic_masks`, which raises what this does.
    """
    boxed = views if bounds is None else replace(views, bounds=bounds)
    found, note = with_automatic_masks(boxed, masked, covered, refine)
    if note:
        log.warning("%s", note)
    return found if images else replace(found, images=None)
