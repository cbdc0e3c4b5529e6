"""What poses and masks may have been meant as: the usual mistakes, each as a change that would undo it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from invrender.cameras.rigs import evenly
from invrender.geometry.agreement import Silhouettes, drift, votes
from invrender.nouns import Cameras

Tensor = torch.Tensor

TRIED, RAYS = 12, 32  # views that a reading is tried on, and pixels of each mask
TIE = 0.005
SHIFT = 0.003  # parts of a side of the image that a principal point may be off
FEW = 6  # with fewer views, pictures and orders fit that were not meant
FARTHEST = 12  # frames by which an order may be rotated


@dataclass(frozen=True)
class Reading:
    """Another way to read a dataset.

    Attributes:
        name: what it is read as, such as 'OpenCV axes (+Y down, looking along +Z)'.
        remedy: how to put the dataset right.
        views: the dataset read like this.
    """

    name: str
    remedy: str
    views: Silhouettes


def disagreement(views: Silhouettes) -> float:
    """The mean share of a mask that the others do not explain; 1 where the cameras have nothing in common."""
    found = votes(views, RAYS)
    return 1.0 if found is None else 1 - float(found.explained().mean())


def best_reading(views: Silhouettes) -> tuple[Reading, float] | None:
    """The reading on which the masks agree best, and how much of them is not explained; ties go to the first."""
    best: tuple[Reading, float] | None = None
    for reading in readings(views):
        chosen = reading.views[evenly(len(views.cameras), TRIED)]
        loss = disagreement(chosen)
        if best is None or loss < best[1] - TIE:
            best = reading, loss
        if loss <= TIE:
            break
    return best


def readings(views: Silhouettes) -> Iterator[Reading]:
    """All that are tried, the likelier ones first."""
    yield from _axes(views)
    if len(views.cameras) < FEW:
        return
    yield from _inverted(views)
    yield from _off_centre(views)
    yield from _lenses(views)
    yield from _sorted(views)
    yield from _mirrored(views)
    yield from _shifted(views)


def _axes(views: Silhouettes) -> Iterator[Reading]:
    cameras = views.cameras
    inverse = replace(cameras, world_to_camera=torch.linalg.inv(cameras.world_to_camera))
    invert = "give camera-to-world matrices: invert every matrix"
    for turn, name, columns in (
        ((1.0, -1.0, -1.0), "OpenCV axes (+Y down, looking along +Z)", "second and third"),
        ((-1.0, 1.0, -1.0), "PyTorch3D axes (+X left, looking along +Z)", "first and third"),
        ((-1.0, -1.0, 1.0), "cameras held upside down", "first and second"),
    ):
        negate = f"negate the {columns} columns of every camera-to-world matrix"
        yield Reading(name, negate, replace(views, cameras=_turned(cameras, turn)))
        yield Reading(
            f"world-to-camera matrices with {name}", f"{invert}, then {negate}",
            replace(views, cameras=_turned(inverse, turn)),
        )  # fmt: skip
    yield Reading("world-to-camera matrices", invert, replace(views, cameras=inverse))


def _turned(cameras: Cameras, signs: tuple[float, float, float]) -> Cameras:
    turn = torch.tensor([*signs, 1.0], dtype=torch.float64)
    return replace(cameras, world_to_camera=turn[:, None] * cameras.world_to_camera)


def _inverted(views: Silhouettes) -> Iterator[Reading]:
    masks = views.masks
    border = torch.cat([masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]], 1)
    if float(border.mean()) < 0.5:
        return
    yield Reading("masks whose object is black", "invert the masks: white is the object", views.inverted())


def _off_centre(views: Silhouettes) -> Iterator[Reading]:
    """The principal point where the masks say that it is."""
    moved, x, y = views, 0.0, 0.0
    for _ in range(3):  # for what the cameras have in common moves with it
        step = drift(moved)
        projection = moved.cameras.projection.clone()
        projection[:, 0] += 2 * step[0] * projection[:, 3]
        projection[:, 1] -= 2 * step[1] * projection[:, 3]
        moved, x, y = replace(views, cameras=replace(views.cameras, projection=projection)), x + step[0], y + step[1]
    if max(abs(x), abs(y)) < SHIFT:
        return
    sides = f"{abs(x):.1%} of the width to the {'right' if x > 0 else 'left'}"
    heights = f"{abs(y):.1%} of the height {'downwards' if y > 0 else 'upwards'}"
    by = " and ".join(text for text, part in ((sides, x), (heights, y)) if abs(part) >= SHIFT)
    yield Reading(f"masks that are shifted by {by}", "correct cx and cy (pixels from the top left), or shift the masks",
                  moved)  # fmt: skip


def _mirrored(views: Silhouettes) -> Iterator[Reading]:
    masks, distances = views.masks, views.distances
    for axis, name in ((1, "vertically"), (2, "horizontally")):
        flipped = replace(views, masks=masks.flip(axis), distances=distances.flip(axis))
        yield Reading(f"images mirrored {name}", f"mirror the images and masks {name}", flipped)
    for times, way in ((1, "left"), (3, "right")):
        yield Reading(
            f"images that lie on their side (turned to the {way})",
            f"turn the images and masks by 90 degrees to the {way}, or the cameras with them",
            _on_side(views, times),
        )


def _on_side(views: Silhouettes, times: int) -> Silhouettes:
    """The pictures turned by 90 degrees anticlockwise so many times, with the focal lengths in pixels kept."""
    height, width = views.cameras.size
    projection = views.cameras.projection.clone()
    projection[:, 0] *= width / height
    projection[:, 1] *= height / width
    masks, distances = (each.rot90(times, (1, 2)).contiguous() for each in (views.masks, views.distances))
    return replace(
        views, masks=masks, distances=distances,
        cameras=Cameras(views.cameras.world_to_camera, projection, (width, height)),
    )  # fmt: skip


def _lenses(views: Silhouettes) -> Iterator[Reading]:
    height, width = views.cameras.size
    fx = views.cameras.projection[:, 0, 0] * width
    fy = views.cameras.projection[:, 1, 1] * height
    if float((fx / fy - 1).abs().max()) > 0.05:
        mean = (fx * fy).sqrt()
        yield Reading("width and height swapped", "swap w and h (and cx and cy), as the images have them",
                      _focal(views, mean / fx, mean / fy))  # fmt: skip
    for factor, name in ((2.0, "half"), (0.5, "twice")):
        if _principal(views) > 0.1:
            yield Reading(f"intrinsics of pictures {name} as large", "write the size that they are of as w and h",
                          _resized(views, factor))  # fmt: skip
    for factor, name in ((2.0, "twice"), (0.5, "half")):
        if bool(views.cameras.parallel.all()):
            yield Reading(f"{name} the pixels per world unit", f"give {name} the fl_x and fl_y (pixels per world unit)",
                          _focal(views, factor, factor))  # fmt: skip
            continue
        yield Reading(f"{name} the focal length", f"give {name} the focal length (fl_x, or camera_angle_x in radians)",
                      _focal(views, factor, factor))  # fmt: skip
    if width != height and not bool(views.cameras.parallel.all()):
        for factor, side in ((width / height, "vertical"), (height / width, "horizontal")):
            yield Reading(f"an angle of view for the {side} side", "give camera_angle_x for the width of the images",
                          _focal(views, factor, factor))  # fmt: skip


def _focal(views: Silhouettes, x: Tensor | float, y: Tensor | float) -> Silhouettes:
    projection = views.cameras.projection.clone()
    projection[:, 0, 0] *= x
    projection[:, 1, 1] *= y
    return replace(views, cameras=replace(views.cameras, projection=projection))


def _resized(views: Silhouettes, factor: float) -> Silhouettes:
    """All intrinsics times a factor, the principal point included, which is counted from the top left corner."""
    p = views.cameras.projection
    projection = p.clone()
    projection[:, 0] = factor * p[:, 0] + (factor - 1) * p[:, 3]
    projection[:, 1] = factor * p[:, 1] - (factor - 1) * p[:, 3]
    return replace(views, cameras=replace(views.cameras, projection=projection))


def _principal(views: Silhouettes) -> float:
    """How far principal points are off the pictures' middles, at most, in halves of these."""
    p = views.cameras.projection
    return float(torch.where(views.cameras.parallel[:, None], p[:, :2, 3], p[:, :2, 2]).abs().max())


def _sorted(views: Silhouettes) -> Iterator[Reading]:
    """Masks that belong to the cameras of other views: number i takes the camera of number order[i]."""
    count = len(views.cameras)
    numbers = list(range(count))
    if len(views.names) == count:
        lexical = sorted(numbers, key=lambda i: views.names[i])
        natural = sorted(numbers, key=lambda i: _natural(views.names[i]))
        for ours, theirs, name in ((lexical, natural, "numerically"), (natural, lexical, "by letters")):
            order = numbers.copy()
            for own, other in zip(ours, theirs, strict=True):
                order[own] = other
            if order != numbers:
                yield Reading(f"poses sorted {name}, unlike the images",
                              "list each image with its own pose: 'view_10' comes after 'view_9', not after 'view_1'",
                              replace(views, cameras=views.cameras[order]))  # fmt: skip
    yield Reading("poses in reversed order", "reverse the order of the poses, or of the images",
                  replace(views, cameras=views.cameras[numbers[::-1]]))  # fmt: skip


def _shifted(views: Silhouettes) -> Iterator[Reading]:
    """Masks that belong to the camera a few frames on."""
    count = len(views.cameras)
    for shift in range(1, min(FARTHEST, count - 1) + 1):
        for signed in (shift, -shift):
            ahead, frames = ("later", "earlier")[signed < 0], f"{shift} frame{'s' if shift > 1 else ''}"
            order = [(i + signed) % count for i in range(count)]
            yield Reading(f"poses {frames} {ahead} in the list than their images",
                          f"give each image the pose of the view {frames} {ahead}",
                          replace(views, cameras=views.cameras[order]))  # fmt: skip


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers within names by value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
