"""Masks for photographs that come without them: of an object before a plain backdrop, or by a segmenter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import InputError
from invrender.nouns import Views
from invrender.segmentation.backdrop import Backdrop, border_of, find_backdrop
from invrender.segmentation.boxes import inside_box, projected_boxes
from invrender.segmentation.cleaning import (
    FAINT,
    cleaned,
    confidence_of,
    dim,
    faint,
    plain_from,
    slits,
    smoothed,
    softened,
    threshold_of,
)
from invrender.segmentation.confirmed import confirmed
from invrender.segmentation.grabcut import check_grabcut, grabcut
from invrender.segmentation.matting import unmixed
from invrender.segmentation.segmenter import segmented, segmenter_hint, segmenter_model

Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]

AUTO = "auto"
"""What `--masks` is called where masks are to be found."""

REFINEMENTS = ("none", "grabcut")
LEAST, MOST = 0.0005, 0.97  # an object takes more and less than these shares of the picture
FEW = 0.5  # of the views; where fewer show an object, nothing is to be trusted
CALM = 0.05  # noise of a dark backdrop without folds, before which deep shadow and parts of a pixel can be told
DOUBT = 0.5  # confidence below which a pixel may change sides


@dataclass(frozen=True)
class Picture:
    """A view: its colours [H,W,3] sRGB-encoded, where there is a picture [H,W], and where the object can be [H,W]."""

    colours: Floats
    covered: Bools
    inside: Bools | None


def automatic_masks(
    images: Sequence[Floats] | torch.Tensor,
    names: Sequence[str],
    boxes: NDArray[np.int64] | None = None,
    covered: torch.Tensor | None = None,
    refine: str = "none",
) -> tuple[torch.Tensor, torch.Tensor, str]:
    """Find the object in photographs of it, all of which show it before the same kind of backdrop.

    Args:
        images: [N,H,W,3] linear, or as many [H,W,3].
        names: of the views.
        boxes: [N,4], the pixels (row, row, column, column) that the object cannot leave, ends exclusive; see
            `boxes.projected_boxes`. None: it may be anywhere.
        covered: [N,H,W], 0 where there is no picture; None: everywhere there is.
        refine: 'none', or 'grabcut' for outlines that follow the colours.

    Returns:
        masks [N,H,W] float32 coverage; confidence [N,H,W] float32: low where a pixel is hard to tell from the backdrop,
        0 of views in which no object was found and where there is no picture; and what was found, for people.

    Raises:
        InputError: the backgrounds are cluttered and no segmenter is there, or no object stands out.
        BackendError: GrabCut was asked for and OpenCV is missing.
    """
    if refine == "grabcut":
        check_grabcut()

    def pictures() -> Iterator[Picture]:
        for view in range(len(names)):
            colours = linear_to_srgb(np.asarray(images[view], np.float32))
            there = np.ones(colours.shape[:2], bool) if covered is None else np.asarray(covered[view]) >= 1
            box = None if boxes is None else inside_box(boxes[view], colours.shape[:2])
            yield Picture(colours, there, box)

    backdrop = find_backdrop(
        (each.colours for each in pictures()), (border_of(each.covered, each.inside) for each in pictures())
    )
    if backdrop.plain:
        found = [before_backdrop(view, each, backdrop, refine) for view, each in enumerate(pictures())]
        return _gathered(found, names, pictures, f"{_described(backdrop)} backdrop")
    model = segmenter_model()
    if model is None:
        raise _cluttered(backdrop, names, boxes is not None)
    coverage = segmented([each.colours for each in pictures()], model)
    found = [(mask, np.abs(2 * mask - 1)) for mask in coverage]
    return _gathered(found, names, pictures, f"cluttered background, segmented by rembg ({model})")


def with_automatic_masks(
    views: Views,
    masked: Sequence[bool],
    covered: torch.Tensor | None = None,
    refine: str = "none",
) -> tuple[Views, str]:
    """Views whose masks have been found where they have none of their own, and what was found, for people.

    Their colours are straight ones then: the backdrop's share is taken out of pixels that show some of it.

    Args:
        views: with images; the object stays within `views.bounds` where these are known.
        masked: whether each view has a mask of its own.
        covered, refine: see `automatic_masks`, which raises what this does.
    """
    bare = [view for view, there in enumerate(masked) if not there]
    if not bare:
        return views, ""
    if views.images is None:
        raise InputError("masks cannot be found without pictures", "give --masks a folder, or images for all views")
    names = views.names or tuple(f"view {view}" for view in range(len(views)))
    boxes = None if views.bounds is None else projected_boxes(views.cameras[bare], views.bounds)
    found, believed, note = automatic_masks(
        views.images[bare], [names[view] for view in bare], boxes, None if covered is None else covered[bare], refine
    )
    masks = views.masks.clone()
    confidence = torch.ones_like(masks) if views.confidence is None else views.confidence.clone()
    masks[bare], confidence[bare] = found, believed
    found_views, changed = confirmed(replace(views, masks=masks, confidence=confidence), bare)
    if changed:
        note += f"; in {changed} of them parts were left out that others rule out or that are faint from all sides"
    assert found_views.images is not None
    images = found_views.images.clone()
    for view in bare:
        images[view] = torch.from_numpy(unmixed(images[view].numpy(), found_views.masks[view].numpy()))
    return replace(found_views, images=images), f"masks found in {len(bare)} pictures: {note}"


def before_backdrop(view: int, picture: Picture, backdrop: Backdrop, refine: str = "none") -> tuple[Floats, Floats]:
    """The coverage and confidence [H,W] of the object in one view before a plain backdrop."""
    distance = np.where(picture.covered, backdrop.distance(view, picture.colours), 0).astype(np.float32)
    inside = picture.covered if picture.inside is None else picture.covered & picture.inside
    threshold = threshold_of(distance[inside], backdrop.noise)
    mask = cleaned(distance, threshold, inside, backdrop.clear)
    confidence = confidence_of(distance, threshold, mask, inside)
    if refine == "grabcut":
        mask = grabcut(picture.colours, mask, (confidence < DOUBT) & inside) & inside
    if not backdrop.clear:  # shades along an outline would be taken for the backdrop showing through
        doubtful = faint(distance, plain_from(distance[inside]), mask)
        confidence[doubtful] = np.minimum(confidence[doubtful], FAINT)
        confidence[slits(mask)] = 0
        if backdrop.noise < CALM:
            confidence[dim(_smoothed_distance(view, picture, backdrop, mask), mask, inside, picture.covered)] = 0
    if not (backdrop.clear or backdrop.noise < CALM):  # a threshold above folds is tight enough
        return mask.astype(np.float32), confidence
    behind = srgb_to_linear(backdrop.colours(view, distance.shape))
    away = np.abs(srgb_to_linear(picture.colours) - behind).max(-1)
    return softened(mask, away, not backdrop.clear) * inside, confidence


def _smoothed_distance(view: int, picture: Picture, backdrop: Backdrop, mask: NDArray[np.bool_]) -> Floats:
    """How far pixels [H,W] are from the backdrop with those around them, which noise changes less."""
    return np.where(picture.covered, backdrop.distance(view, smoothed(picture.colours, mask)), 0).astype(np.float32)


def _gathered(
    found: Sequence[tuple[Floats, Floats]],
    names: Sequence[str],
    pictures: Callable[[], Iterator[Picture]],
    note: str,
) -> tuple[torch.Tensor, torch.Tensor, str]:
    """The views' masks as one, unknown where there is no picture or no object in it."""
    masks, confidence, empty = [], [], []
    for name, (mask, believed), picture in zip(names, found, pictures(), strict=True):
        share = float(mask[picture.covered].mean()) if picture.covered.any() else 0.0
        shows = LEAST < share < MOST
        masks.append(mask if shows else np.zeros_like(mask))
        confidence.append(believed * (picture.covered & shows))
        empty += [] if shows else [name]
    if len(names) - len(empty) < max(1, FEW * len(names)):
        raise InputError(
            f"no object stands out from the background in {len(empty)} of {len(names)} pictures: {_listing(empty)}",
            "give masks of your own (--masks DIR, white is object)",
        )
    if empty:
        note += f"; no object was found in {_listing(empty)}"
    stacked = [torch.from_numpy(np.stack(each).astype(np.float32)) for each in (masks, confidence)]
    return stacked[0], stacked[1], note


def _described(backdrop: Backdrop) -> str:
    shade = ", ".join(f"{value:.2f}" for value in backdrop.level)
    return f"{backdrop.kind} ({shade} in sRGB; its noise is {backdrop.noise:.3f})"


def _cluttered(backdrop: Backdrop, names: Sequence[str], boxed: bool) -> InputError:
    usual = float(np.median(backdrop.share))
    worst = [names[view] for view in np.argsort(backdrop.share)[:3]]
    where = "around the object's box" if boxed else "along the borders"
    return InputError(
        f"the background of the pictures is cluttered, so that masks cannot be found by their colours: {where} only"
        f" {usual:.0%} of the pixels fit one colour (median; least in {_listing(worst)})",
        f"give masks of your own (--masks DIR, white is object), take the pictures before a plain backdrop, or"
        f" {segmenter_hint()}",
    )


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
