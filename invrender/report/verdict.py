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
    Judge("psnr", "pictures of objects that the network never saw come out with {}", 28, 22, "neural-renderer"),
    Judge("unseen.psnr_whole", "photographs that were set aside are repeated with {}", 26, 20),
    Judge("folds.psnr_whole", "photographs that were left out in turn are repeated with {}", 26, 20),
    Judge("iou", "outlines from directions that it never saw are met to {}", 0.97, 0.92),
    Judge("chamfer", "the surface is {} of its size away from the true one on average", 0.005, 0.015),
    Judge("heldout_psnr", "views that were kept back are predicted with {}", 30, 22),
    Judge("novel_psnr", "views that were kept back are predicted with {}", 30, 22),
    Judge("psnr", "the density comes as near to the true one as {}", 30, 20, "transmittance"),
    Judge("density_psnr", "the density comes as near to the true one as {}", 26, 18),
    Judge("held_out_iou", "outlines that were left out are met to {}", 0.96, 0.9),
    Judge("seen.psnr_whole", "the photographs it was made from are repeated with {}", 26, 20),
    Judge("views_iou", "the input's outlines are met to {}", 0.97, 0.92),
    Judge("views_psnr", "the input's own views are repeated with {}", 30, 22),
    Judge("unexplained", "{} of the pictures is left unexplained", 0.03, 0.15),
)
"""The fairest first: what the run has not seen, then the truth where it is known, then its own input."""
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
        value = found.get(judge.name)
        if not is_number(value) or judge.method not in ("", method):
            continue
        worse = [value < judge.good, value < judge.fair]
        if judge.good < judge.fair:
            worse = [value > judge.good, value > judge.fair]
        grade = sum(worse)
        said = f"{WORDS[grade]}: {judge.said.format(told(judge.name, value, method))}"
        if judge.name == "iou" and is_number(found.get("chamfer")):
            said += f", and the surface is {told('chamfer', found['chamfer'])} of its size away from the true one"
        own = " Nothing was kept back to judge it by." if judge.name in OWN and judge.name != "unexplained" else ""
        doubt = " Read the warnings first." if warnings else ""
        return Verdict(f"{said}.{own}{doubt}", max(grade, 1) if warnings else grade, judge.name)
    return Verdict("Nothing was measured that would say how good it is.", 1 if warnings else None)


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
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value) if len(value) <= 6 else f"{len(value)} values"
    if isinstance(value, Mapping):
        return f"{len(value)} values"
    return shown(value)
