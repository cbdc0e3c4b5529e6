"""The silhouette of the target beside the estimate."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.methods.silhouette.film import INK, inked
from invrender.run.turntable import PAPER, side_by_side


def test_ink_and_paper_side_by_side():
    left, right = inked(torch.ones(4, 5)), inked(torch.zeros(4, 5))
    assert left[0, 0].tolist() == pytest.approx(INK)
    assert right[0, 0].tolist() == pytest.approx(PAPER)
    frame = side_by_side(left, right)
    assert (frame.shape, frame.dtype) == ((4, 12, 3), np.uint8)
    assert frame[0, 0].max() < frame[0, -1].min()
