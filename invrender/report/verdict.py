"""How good a result is, in one sentence that claims no more than the numbers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invrender.report.glossary import PERCENT, entries, meaning
from invrender.report.measures import is_number, shown


@dataclass(frozen=True)
class Judge:
    """A metric that a verdict may rest on.

    Attributes:
        name: in the glossary.
        said: what it says, with {} for the number.
        good, fair: from where on it is good, and fair; less is better where good < fair.
        method: the only one it counts for; "": any.
    """

    name: str
    said: str
    good: float
    fair: float
    method: str = ""


WORDS = ("Close", "Rough", "Poor")
JUDGES = (
    Judge("psnr", "objects that it never saw come out with a likeness (PSNR) of {}", 28, 22, "neural-renderer"),
    Judge("unseen.psnr_whole", "photographs that were set aside are repeated with a likeness (PSNR) of {}", 26, 20),
    Judge("folds.psnr_whole", "photographs left out in turn are repeated with a likeness (PSNR) of {}", 26, 20),
    Judge("iou", "outlines from directions that it never saw are met to {}", 0.97, 0.92),
    Judge("chamfer", "the surface is {} of its size away from the true one on average", 0.005, 0.015),
    Judge("heldout_psnr", "views that were kept back are predicted with a likeness (PSNR) of {}", 30, 22),
    Judge("novel_psnr", "views that were kept back are predicted with a likeness (PSNR) of {}", 30, 22),
    Judge("psnr", "the density comes as near to the true one as a likeness (PSNR) of {}", 30, 20, "transmittance"),
    Judge("density_psnr", "the density comes as near to the true one as a likeness (PSNR) of {}", 26, 18),
    Judge("held_out_iou", "outlines that were left out are met to {}", 0.96, 0.9),
    Judge("seen.psnr_whole", "the photographs it was made from are repeated with a likeness (PSNR) of {}", 26, 20),
    Judge("views_iou", "the input's outlines are met to {}", 0.97, 0.92),
    Judge("views_psnr", "the input's own views are repeated with a likeness (PSNR) of {}", 30, 22),
    Judge("unexplained", "{} of the pictures is left unexplained", 0.03, 0.15),
)
"""The fairest first: what the run has not seen, then the truth where it is known, then its own input."""
TRUTHS = {
    "psnr": ("mean_picture_psnr", "a picture that is the mean of all has {}"),
    "iou": ("chamfer", "the surface is {} of its size away from the true one"),
    "heldout_psnr": ("relative_l2", "the density is off by {} of its own size"),
    "novel_psnr": ("relative_l2", "the density is off by {} of its own size"),
}
"""What else is said where the truth is known. Views tell all of a density, but not all of a surface: its hollows."""
DENSITY, LEARNT = (0.1, 0.35), (6.0, 2.0)  # relative L2; dB above the mean picture
HIDDEN = 0.02  # share of a surface that no camera saw from which on that is said
OWN = ("seen.psnr_whole", "views_iou", "views_psnr", "unexplained")  # judged by what the result was made from


@dataclass(frozen=True)
class Verdict:
    """A sentence, its grade (0 good, 1 fair, 2 poor, None: nothing to judge by), and the metric it rests on."""

    sentence: str
    grade: int | None = None
    name: str = ""


def verdict(metrics: Mapping[str, Any], method: str, warnings: int = 0) -> Verdict:
    """The sentence for a run's metrics; doubts that it has warnings for lead it."""
    found = dict(entries(metrics))
    for judge in JUDGES:
        value: Any = found.get(judge.name)
        if not is_number(value) or judge.method not in ("", method):
            continue
        grade = _grade(value, judge.good, judge.fair)
        said = judge.said.format(told(judge.name, value, method))
        truth: Any = found.get(TRUTHS.get(judge.name, ("", ""))[0])
        if is_number(truth):
            name, words = TRUTHS[judge.name]
            said += f", and {words.format(told(name, truth, method))}{_where_seen(found, name, method)}"
            grade = max(grade, _grade(truth, *DENSITY)) if name == "relative_l2" else grade
            grade = max(grade, _grade(value - truth, *LEARNT)) if name == "mean_picture_psnr" else grade
        said = f"{WORDS[grade]}: {said}"
        own = " Nothing was kept back to judge it by." if judge.name in OWN and judge.name != "unexplained" else ""
        doubt = f" Read the warning{'s' if warnings > 1 else ''} first." if warnings else ""
        mark = None if own and not grade else grade  # nothing but the input itself speaks for it
        return Verdict(f"{said}.{own}{doubt}", max(grade, 1) if warnings else mark, judge.name)
    return Verdict("Nothing was measured that would say how good it is.", 1 if warnings else None)


def _grade(value: float, good: float, fair: float) -> int:
    """0 good, 1 fair, 2 poor; less is better where good < fair."""
    return (value > good) + (value > fair) if good < fair else (value < good) + (value < fair)


def told(name: str, value: Any, method: str = "") -> str:
    """A metric for people: shares as percent, units behind."""
    entry = meaning(name, method)
    if isinstance(value, float | int) and not isinstance(value, bool) and entry is not None:
        if entry.unit == PERCENT:
            percent = 100 * value
            return f"{percent:.3g} %" if abs(percent) < 10 else f"{percent:.1f} %"
        if entry.unit == "dB":
            return f"{value:.1f} dB"
        return " ".join(filter(None, (shown(value), entry.unit)))
    if isinstance(value, Mapping | list):
        return _several(name, list(value.values() if isinstance(value, Mapping) else value), method)
    return shown(value)


def _several(name: str, values: list[Any], method: str) -> str:
    """Few values in full, of many numbers their range, of others their count."""
    numbers = [each for each in values if is_number(each)]
    if len(numbers) < len(values):
        words = ", ".join(each for each in values if isinstance(each, str))
        return words if len(words) > 0 and all(isinstance(each, str) for each in values) else f"{len(values)} values"
    if len(values) <= 3:
        return ", ".join(told(name, each, method) for each in values)
    return f"{told(name, min(numbers), method)} to {told(name, max(numbers), method)}"


def _where_seen(found: Mapping[str, Any], name: str, method: str) -> str:
    """What is added to a surface's distance where much of it was in no picture: nobody can be right about that."""
    hidden, seen = found.get("out_of_sight"), found.get("chamfer_seen")
    if name != "chamfer" or not is_number(hidden) or not is_number(seen) or float(str(hidden)) < HIDDEN:
        return ""
    near, share = told("chamfer_seen", seen, method), told("out_of_sight", hidden, method)
    return f" ({near} where cameras looked; none saw {share} of it)"
