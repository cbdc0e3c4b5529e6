"""How well photographs agree about candidate points: patches along a surface's normals, compared between the views.

A candidate carries a small square patch in the surface's tangent plane. If the surface is there, the photographs that
see it show the same patch up to brightness and contrast, so the patches' zero-mean normalised cross-correlation (ZNCC)
is high, and their mean colours are about the same. Photographs that disagree with the rest lose weight: a glint or an
occluder spoils one of them, not the candidate.

Masks are a barrier: where a photograph knows that there is background, no candidate of the surface projects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.geometry.triples import Triple, along, point
from invrender.geometry.vectors import Bools, Floats, unit
from invrender.jit import body, kernel
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import pixel_matrices, seen_at

Array = NDArray[Any]

MOST_VIEWS = 6  # that a point is looked at from: those that see it best
DOUBT = 0.5  # 1 - ZNCC with the others at which a photograph counts half


@dataclass(frozen=True)
class Agreement:
    """How photographs are compared.

    Attributes:
        radius: of a patch, in samples: 2 radius + 1 a side.
        spacing: of its samples, in pixels of the photographs.
        noise: sRGB standard deviation below which a patch counts as flat: no evidence.
        colour: weight of the disagreement of mean colours relative to that of patches.
        tolerance: sRGB distance of mean colours that counts half.
        barrier: cost of a candidate for every photograph that knows background there.
    """

    radius: int = 2
    spacing: float = 1.0
    noise: float = 0.01
    colour: float = 0.3
    tolerance: float = 0.1
    barrier: float = 0.3


def disagreement(
    points: Floats, normals: Floats, offsets: Floats, weight: Array, photos: Photos, agreement: Agreement
) -> Array:
    """Cost [P,T] float32 of points moved by offsets along their normals: 0 where photographs agree, about 1 + colour
    where they do not, or where fewer than two see the point.

    Args:
        points: [P,3] float64.
        normals: [P,3] float64, unit.
        offsets: [T] float64, in the units of the points.
        weight: [N,P] float32, of the photographs at the points before they are moved; 0: it does not see it.
        photos: N of them.
        agreement: how they are compared.
    """
    first, second = tangents(normals)
    step = agreement.spacing * float(photos.pixel.median())
    cost = np.zeros((len(points), len(offsets)), np.float32)
    matrices = pixel_matrices(photos)
    numbers = (agreement.noise, agreement.colour, agreement.tolerance)
    inner = _inner(photos, math.ceil(agreement.radius * agreement.spacing))
    _compare(
        points, normals, step * first, step * second, offsets, weight, photos.images.numpy(), inner, matrices,
        agreement.radius, numbers, cost,
    )  # fmt: skip
    if agreement.barrier:
        # On an outline half of the pixels around are background: only what is beyond it costs.
        background = (photos.confidence * (1 - photos.masks)).numpy()
        _bar(points, normals, offsets, background, matrices, agreement.barrier, cost)
    return cost


def _inner(photos: Photos, pixels: int) -> Array:
    """Which pixels [N,H,W] have no known background within so many pixels: outlines are not the surface's texture."""
    background = (photos.confidence * (1 - photos.masks))[:, None]
    near: Array = torch.nn.functional.max_pool2d(background, 2 * pixels + 1, 1, pixels)[:, 0].numpy()
    return near < 0.5


def tangents(normals: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors [P,3] each, across the unit normals [P,3] and each other."""
    least = np.zeros_like(normals)
    least[np.arange(len(normals)), np.abs(normals).argmin(1)] = 1
    first = unit(np.cross(normals, least))
    return first, np.cross(normals, first)


@kernel
def _compare(
    points: Floats, normals: Floats, first: Floats, second: Floats, offsets: Floats, weight: Array, images: Array,
    inner: Bools, matrices: Floats, radius: int, numbers: Triple, cost: Array,
) -> None:  # fmt: skip
    """Fill `cost` [P,T] with the disagreement of patches and colours."""
    side = 2 * radius + 1
    patches, means = np.zeros((MOST_VIEWS, 3 * side * side), np.float32), np.zeros((MOST_VIEWS, 3), np.float32)
    chosen, trust = np.zeros(MOST_VIEWS, np.int64), np.zeros(MOST_VIEWS)
    for p in range(len(points)):
        count = _choose(weight, p, chosen)
        for k in range(len(offsets)):
            if count < 2:
                cost[p, k] = 1.0 + numbers[1]
                continue
            centre = along(point(points, p), offsets[k], point(normals, p))
            for i in range(count):
                view = chosen[i]
                inside = _patch(
                    images[view], inner[view], matrices[view], centre, point(first, p), point(second, p), radius,
                    patches[i], means[i],
                )  # fmt: skip
                trust[i] = weight[view, p] * inside
                _normalise(patches[i], numbers[0])
            cost[p, k] = _apart(patches, trust, count) + numbers[1] * _colours_apart(means, trust, count, numbers[2])


@body
def _choose(weight: Array, p: int, chosen: Array) -> int:
    """The photographs that see point p best, best first; how many."""
    count = 0
    for view in range(len(weight)):
        w = weight[view, p]
        if w <= 0:
            continue
        at = count
        while at > 0 and weight[chosen[at - 1], p] < w:
            at -= 1
        if at >= MOST_VIEWS:
            continue
        count = min(count + 1, MOST_VIEWS)
        for i in range(count - 1, at, -1):
            chosen[i] = chosen[i - 1]
        chosen[at] = view
    return count


@body
def _patch(
    image: Array, inner: Bools, matrix: Floats, centre: Triple, first: Triple, second: Triple, radius: int,
    patch: Array, mean: Array,
) -> bool:  # fmt: skip
    """Bilinear samples of the patch around `centre`, less their mean colour; whether it is wholly on the object."""
    height, width = image.shape[0], image.shape[1]
    x, y, w = seen_at(matrix, centre)
    if not (w > 0 and x >= 0 and y >= 0 and x < width - 1 and y < height - 1):
        return False
    if not inner[int(y + 0.5), int(x + 0.5)]:
        return False
    # The projection is affine over a patch: it is a few pixels wide.
    ax, ay, _ = seen_at(matrix, along(centre, 1.0, first))
    bx, by, _ = seen_at(matrix, along(centre, 1.0, second))
    ax, ay, bx, by = ax - x, ay - y, bx - x, by - y
    mean[:] = 0
    at = 0
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            _read(image, x + i * ax + j * bx, y + i * ay + j * by, patch, at)
            for c in range(3):
                mean[c] += patch[at + c]
            at += 3
    for c in range(3):
        mean[c] *= 3.0 / at
    for i in range(at):
        patch[i] -= mean[i % 3]
    return True


@body
def _read(image: Array, x: float, y: float, patch: Array, at: int) -> None:
    """Bilinear colour at column x and row y, clamped to the image, into patch[at:at+3]."""
    height, width = image.shape[0], image.shape[1]
    x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
    i, j = int(y), int(x)
    u, v = np.float32(x - j), np.float32(y - i)
    for c in range(3):
        upper = image[i, j, c] + u * (image[i, j + 1, c] - image[i, j, c])
        lower = image[i + 1, j, c] + u * (image[i + 1, j + 1, c] - image[i + 1, j, c])
        patch[at + c] = upper + v * (lower - upper)


@body
def _normalise(patch: Array, noise: float) -> None:
    """Length 1 for what varies by more than `noise`, less for what does not."""
    total = 0.0
    for i in range(len(patch)):
        total += patch[i] * patch[i]
    scale = np.float32(1.0 / np.sqrt(total + noise * noise * len(patch)))
    for i in range(len(patch)):
        patch[i] *= scale


@body
def _apart(patches: Array, trust: Array, count: int) -> float:
    """1 - ZNCC of each photograph with the weighted mean of the others, averaged over those that agree.

    `trust` [K] comes back with less for photographs that disagree.
    """
    size = patches.shape[1]
    total = np.zeros(size, np.float32)
    result = 1.0
    for _ in range(2):
        whole, square = 0.0, 0.0
        total[:] = 0
        for i in range(count):
            whole += trust[i]
            for d in range(size):
                total[d] += np.float32(trust[i]) * patches[i, d]
        if whole <= 0:
            return 1.0
        result, square = 0.0, 0.0
        for i in range(count):
            with_all, own = 0.0, 0.0
            for d in range(size):
                with_all += total[d] * patches[i, d]
                own += patches[i, d] * patches[i, d]
            rest = whole - trust[i]
            apart = 1.0 - (with_all - trust[i] * own) / rest if rest > 1e-6 else 1.0
            result += trust[i] * apart
            square += trust[i]
            trust[i] /= 1.0 + (max(apart, 0.0) / DOUBT) ** 2
        result /= square
    return min(max(result, 0.0), 1.0)


@body
def _colours_apart(means: Array, trust: Array, count: int, tolerance: float) -> float:
    """How far mean colours are from their mean: 0 for equal ones, towards 1 far beyond the tolerance."""
    whole, result = 0.0, 0.0
    middle = np.zeros(3)
    for i in range(count):
        whole += trust[i]
        for c in range(3):
            middle[c] += trust[i] * means[i, c]
    if whole <= 0:
        return 1.0
    for i in range(count):
        apart = 0.0
        for c in range(3):
            apart += (means[i, c] - middle[c] / whole) ** 2
        result += trust[i] * apart / (apart + tolerance**2)
    return result / whole


@kernel
def _bar(
    points: Floats, normals: Floats, offsets: Floats, background: Array, matrices: Floats, barrier: float, cost: Array
) -> None:
    """Add to `cost` [P,T] what it costs to project where photographs know background [N,H,W]."""
    height, width = background.shape[1], background.shape[2]
    for p in range(len(points)):
        for k in range(len(offsets)):
            candidate = along(point(points, p), offsets[k], point(normals, p))
            for view in range(len(background)):
                x, y, w = seen_at(matrices[view], candidate)
                if w > 0 and x >= 0 and y >= 0 and x < width - 1 and y < height - 1:
                    i, j = int(y), int(x)
                    u, v = x - j, y - i
                    upper = background[view, i, j] * (1 - u) + background[view, i, j + 1] * u
                    lower = background[view, i + 1, j] * (1 - u) + background[view, i + 1, j + 1] * u
                    beyond = 2.0 * (upper + v * (lower - upper)) - 1.0
                    cost[p, k] += np.float32(barrier * max(beyond, 0.0))
