"""One view of a run's input beside what the result shows from the same camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Compared:
    """A view and how well the result explains it.

    Attributes:
        name: of the view, as the user knows it: its picture's file name, or its number.
        target, estimate: [H,W,3] uint8, ready to be shown (sRGB, or grey values as they are stored).
        difference: [H,W,3] uint8, drawn so that people see where the two differ.
        score: how well they agree.
        measure: what the score is, such as "IoU" or "PSNR, dB"; more is better.
        unseen: whether nothing of the result has learnt from this view.
    """

    name: str
    target: Picture
    estimate: Picture
    difference: Picture
    score: float
    measure: str
    unseen: bool = False
