"""Cameras that masks prove wrong: each point of the object lies within the object's outline in every picture.

Sides of an object that look alike let structure from motion put a picture on the wrong side, with small errors
everywhere. What that picture sees then falls outside the outlines in the others. Measured on a model with two such
sides: pairs of right cameras have at least .96 of their points in each other's masks, wrong ones at most .88.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.poses.model import Model

AGREEMENT = 0.92
_RIM = 4  # pixels of the copy
_FEWEST = 10  # points of a picture, from which on their share means something


def agreements(model: Model) -> NDArray[np.float64]:
    """[N,N] the smaller of the shares of points that view i sees within the mask of view j, and the reverse.

    1 where a view has no mask, or too few of the points are in the picture.
    """
    count = len(model.pictures)
    share = np.ones((count, count))
    for j, picture in enumerate(model.pictures):
        if picture.mask is None:
            continue
        hit, there = model.in_mask(j, model.points, _RIM)
        for i, points in enumerate(model.views_of):
            inside = there[points]
            if inside.sum() >= _FEWEST:
                share[i, j] = hit[points][inside].mean()
    return np.minimum(share, share.T)


def contradicted(model: Model) -> tuple[list[int], list[tuple[int, int]]]:
    """The views that contradict the others' masks, and the pairs that contradict each other.

    Views are taken out one at a time, the one that contradicts most others first, until the rest agree.
    """
    wrong = agreements(model) < AGREEMENT
    np.fill_diagonal(wrong, False)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(wrong))]
    left, out = wrong.copy(), []
    while left.any():
        worst = int(left.sum(axis=1).argmax())
        out.append(worst)
        left[worst] = left[:, worst] = False
    return sorted(out), pairs
