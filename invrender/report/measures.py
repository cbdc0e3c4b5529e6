"""Metrics as a table holds them: flat names, numbers and texts; which are the main ones, and which way is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Cell: TypeAlias = "float | int | bool | str"

HUGE = 1e300  # beyond it, differences and whole numbers are no floats any more
FEW = 12  # numbers that a table by name spells out
MAIN = (
    "iou", "chamfer", "f1", "unseen.psnr_whole", "unseen.ssim", "novel_psnr", "density_psnr", "psnr", "ssim",
    "heldout_psnr", "held_out_iou", "seen.psnr_whole", "seen.ssim", "views_psnr", "views_iou", "unexplained",
    "relative_l2", "loss",
)  # fmt: skip
"""Names of the metrics by which runs are compared, the most telling first: unseen views before those of the input."""

LOWER = (
    "chamfer", "unexplained", "l2", "loss", "misfit", "error", "residual", "noise", "rhat", "milliseconds", "seconds",
    "intersections", "degenerate", "lpips",
)  # fmt: skip
"""Parts of the names of what is better when it is lower."""
HIGHER = ("iou", "psnr", "ssim", "f1", "f05", "consistency", "watertight", "ess")


def flat(metrics: Mapping[str, object]) -> dict[str, Cell]:
    """The content of a metrics.json in one level, such as `seen.ssim`.

    A table by views or the like (more than FEW numbers, or names that are no words) and a list of numbers stand by
    their mean, as `NAME.mean`. Lists of other things, numbers that are not finite, and null are left out.
    """
    found: dict[str, Cell] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            numbers = _numbers(value.values())
            if numbers and (len(numbers) > FEW or not all(str(key).isidentifier() for key in value)):
                found[f"{name}.mean"] = sum(numbers) / len(numbers)
            else:
                found |= {f"{name}.{key}": cell for key, cell in flat(value).items()}
        elif isinstance(value, list):
            if numbers := _numbers(value):
                found[f"{name}.mean"] = sum(numbers) / len(numbers)
        elif isinstance(value, str) or is_number(value) or isinstance(value, bool):
            found[str(name)] = value  # type: ignore[assignment]
    return found


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < HUGE  # not so of NaN


def _numbers(values: Iterable[object]) -> list[float]:
    """The values, if all of them are finite numbers; else none."""
    every = list(values)
    return [float(value) for value in every if is_number(value)] if all(map(is_number, every)) else []  # type: ignore[arg-type]


def main(metrics: Mapping[str, Cell], most: int = 2) -> list[str]:
    """The names of the metrics that tell most about a run."""
    return [name for name in MAIN if is_number(metrics.get(name))][:most]


def direction(name: str) -> int:
    """1 where more is better, -1 where less is, 0 where that cannot be said of a metric of this name."""
    last = name.lower()
    if any(part in last for part in LOWER):
        return -1
    return 1 if any(part in last for part in HIGHER) else 0


def shown(value: object) -> str:
    """A cell for people: four digits or decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e9):
        return str(int(value))
    return f"{value:.4f}" if isinstance(value, float) and 0.01 <= abs(value) < 10 else _brief(value)


def _brief(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
