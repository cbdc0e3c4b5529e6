"""The measures of `evaluate` by name: what they are called, their unit, which way is better, and how they are written.

One table for everything that shows them to people.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Better = Literal["more", "less", ""]


@dataclass(frozen=True)
class Measure:
    """One of the numbers that `evaluate` gives.

    Attributes:
        key: as --json and metrics.json have it.
        name: for people; unit: '' where it is a share or a count.
        better: which way; '' where it is a fact that is neither.
        short: a column's head, where several results are compared; '' where it has no column.
        digits: after the point; factor: between the number in the file and the one shown.
    """

    key: str
    name: str
    unit: str = ""
    better: Better = ""
    short: str = ""
    digits: int = 4
    factor: float = 1.0

    def told(self, value: Any, missing: str = "-") -> str:
        """A value as people read it."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return missing
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return str(value)
        return "exact" if math.isinf(value) else f"{self.factor * value:.{self.digits}f}"

    def best(self, values: list[Any]) -> Any:
        """The best of some values; None where there is none, or all are as good."""
        numbers = [float(each) for each in values if each is not None and not math.isnan(float(each))]
        if not self.better or len(set(numbers)) < 2:
            return None
        pick: Callable[[list[float]], float] = max if self.better == "more" else min
        return pick(numbers)


_PERCENT = "% of the diagonal"

MESH = (
    Measure("iou", "silhouette IoU, unseen views", "", "more", "IoU"),
    Measure("iou_min", "  worst view", "", "more"),
    Measure("chamfer", "Chamfer distance", _PERCENT, "less", "Chamfer%", 4, 100),
    Measure("chamfer_visible", "  visible from outside", _PERCENT, "less", "", 4, 100),
    Measure("chamfer_seen", "  seen by the input's cameras", _PERCENT, "less", "seen%", 4, 100),
    Measure("chamfer_outlined", "  outside hollows", _PERCENT, "less", "", 4, 100),
    Measure("f1", "F-score at 1 %", "", "more", "F1%"),
    Measure("f1_seen", "  seen by the input's cameras", "", "more"),
    Measure("f05", "F-score at 0.5 %", "", "more", "F.5%"),
    Measure("f05_seen", "  seen by the input's cameras", "", "more"),
    Measure("out_of_sight", "reference seen by no input view", "% of its surface", "", "", 1, 100),
    Measure("hollow", "reference in hollows (no outline)", "% of its surface", "", "", 1, 100),
    Measure("surface_samples", "points on each surface, for all of these"),
    Measure("normal_consistency", "normal consistency", "", "more"),
    Measure("watertight", "watertight", "", "more", "closed"),
    Measure("components", "components"),
    Measure("genus", "genus", digits=0),
    Measure("self_intersections", "self-intersections", "face pairs", "less"),
    Measure("vertices", "vertices"),
    Measure("faces", "faces", short="faces"),
    Measure("degenerate_faces", "degenerate faces", "", "less"),
)

VOLUME = (
    Measure("psnr", "PSNR of the grid", "dB", "more", "PSNR dB", 2),
    Measure("relative_l2", "relative L2", "", "less", "rel. L2", 5),
    Measure("ssim", "SSIM, 3-D", "", "more", "SSIM", 5),
    Measure("heldout_psnr", "PSNR of unseen views", "dB", "more", "unseen dB", 2),
    Measure("heldout_psnr_worst", "  worst view", "dB", "more", "worst dB", 2),
    Measure("least", "least value", digits=6),
    Measure("greatest", "greatest value", digits=6),
    Measure("reference_greatest", "greatest of the reference", digits=6),
    Measure("resampled", "resampled to its grid"),
)

SHOWN = (
    Measure("heldout_psnr", "PSNR of unseen views", "dB", "more", "unseen dB", 2),
    Measure("heldout_psnr_worst", "  worst view", "dB", "more", "worst dB", 2),
    Measure("heldout_ssim", "SSIM of unseen views", "", "more", "SSIM", 4),
    Measure("heldout_ssim_worst", "  worst view", "", "more", "worst SSIM", 4),
    Measure("heldout_iou", "IoU of the views' alphas", "", "more", "IoU", 4),
    Measure("views", "unseen views"),
    Measure("size", "their side", "pixels"),
)
