"""Metrics in one level, and which of them are better when they are lower."""

from __future__ import annotations

import pytest

from invrender.report.measures import direction, flat


def test_metrics_become_flat() -> None:
    each = {f"view_{number}": float(number) for number in range(20)}
    assert flat({
        "iou": 0.5, "tight": True, "note": "fine", "nothing": None, "bad": float("nan"),
        "seen": {"ssim": 0.25, "left": None}, "albedo": [0.25, 0.75], "stages": [{"step": 1}], "each": each,
        "weights": {"0.7": 1.0, "1.4": 3.0},
    }) == {
        "iou": 0.5, "tight": True, "note": "fine", "seen.ssim": 0.25, "albedo.mean": 0.5, "each.mean": 9.5,
        "weights.mean": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "way"), [("iou", 1), ("views_psnr", 1), ("seen.ssim", 1), ("chamfer", -1),
                                           ("relative_l2", -1), ("views", 0), ("vertices", 0)])  # fmt: skip
def test_which_way_is_better(name: str, way: int) -> None:
    assert direction(name) == way
