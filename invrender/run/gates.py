"""Gates: conditions on metrics, such as `iou<.95`, under which a run that is complete ends in failure all the same."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invrender.errors import DivergedError, UsageError
from invrender.io.files.paths import listing, nearest

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
PATTERN = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")


@dataclass(frozen=True)
class Gate:
    """A condition that means failure.

    Attributes:
        metric: its name as metrics.json has it; a dot leads into a table, as in `unseen.psnr`.
        comparison: one of `COMPARISONS`.
        bound: what the metric is compared with.
    """

    metric: str
    comparison: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.bound:g}"


def parse_gate(text: str) -> Gate:
    """The gate that a text such as `iou<.95` means.

    Raises:
        UsageError: it means none.
    """
    found = PATTERN.fullmatch(text)
    try:
        bound = float(found[3]) if found else math.nan
    except ValueError:
        bound = math.nan
    if found is None or math.isnan(bound):
        raise UsageError(
            f"--fail-if is {text!r}", "name a metric, one of < <= > >= == != and a number, such as --fail-if 'iou<.95'"
        )
    return Gate(found[1], found[2], bound)


def check_gates(gates: Sequence[Gate], metrics: Mapping[str, Any]) -> None:
    """Refuse metrics that a gate names as failure.

    A metric without a number (null: nothing could be measured) fails: a gate that cannot be asked must not pass.

    Raises:
        DivergedError: naming all gates that were hit, and what was measured.
        UsageError: a gate names a metric that there is not.
    """
    if not gates:
        return
    numbers = flattened(metrics)
    for gate in gates:
        if gate.metric not in numbers:
            near = nearest(gate.metric, numbers)
            hint = f"did you mean {near}?" if near else f"known are {listing(sorted(numbers), 12)}"
            raise UsageError(f"--fail-if {gate} names no metric; everything was written", hint)
    hit = [gate for gate in gates if _fails(gate, numbers[gate.metric])]
    if hit:
        told = "; ".join(f"{gate.metric} is {_said(numbers[gate.metric])}, and {gate} fails" for gate in hit)
        raise DivergedError(told, "everything was written: look at the result, or move the bound of --fail-if")


def flattened(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float | None]:
    """All numbers among metrics, by their names, those of tables with dots; None where nothing could be measured."""
    found: dict[str, float | None] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, int | float):
            found[prefix + name] = None if value is None else float(value)
    return found


def _fails(gate: Gate, value: float | None) -> bool:
    return value is None or COMPARISONS[gate.comparison](value, gate.bound)


def _said(value: float | None) -> str:
    return "not known: nothing was measured" if value is None else f"{value:.4g}"
