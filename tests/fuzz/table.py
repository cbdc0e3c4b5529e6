"""What a run of the fuzzer found: a row per kind, and the faults grouped by their most likely cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cases import Case
from verdict import Fault
from workers import Ending

SORTS = ("traceback", "signal", "hang", "not finite", "memory", "message", "output", "warning")
TOLERATED = ("warning",)
"""Told, but no failure: a library's warning beside an answer that is right."""


@dataclass(frozen=True)
class Result:
    """A case, how it ended and what is wrong with that."""

    case: Case
    ending: Ending
    faults: tuple[Fault, ...]

    @property
    def failed(self) -> bool:
        """Whether anything about it is not to be tolerated."""
        return any(fault.sort not in TOLERATED for fault in self.faults)


def table(results: Sequence[Result]) -> str:
    """The rows of all kinds, and one for all together."""
    kinds = list(dict.fromkeys(result.case.kind for result in results))
    head = ("kind", "cases", *SORTS, "peak MiB", "slowest", "exit codes")
    rows = [head, *(_row(kind, [r for r in results if r.case.kind == kind]) for kind in kinds), _row("all", results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(kind: str, results: Sequence[Result]) -> tuple[str, ...]:
    sorts = Counter(sort for result in results for sort in {fault.sort for fault in result.faults})
    codes = Counter("-" if r.ending.code is None else str(r.ending.code) for r in results)
    peak = max((r.ending.peak for r in results), default=0) >> 20
    slowest = max((r.ending.seconds for r in results), default=0.0)
    shown = " ".join(f"{code}:{count}" for code, count in sorted(codes.items()))
    return (kind, str(len(results)), *(str(sorts[sort] or ".") for sort in SORTS), str(peak), f"{slowest:.1f} s", shown)


def groups(results: Sequence[Result]) -> str:
    """Each distinct fault with how often it was seen, the first case that shows it, and that case's command."""
    found: dict[Fault, list[Result]] = defaultdict(list)
    for result in results:
        for fault in set(result.faults):
            found[fault].append(result)
    ordered = sorted(found.items(), key=lambda item: (SORTS.index(item[0].sort), -len(item[1])))
    return "\n".join(_group(fault, seen) for fault, seen in ordered)


def _group(fault: Fault, seen: Sequence[Result]) -> str:
    first = min(seen, key=lambda result: (len(result.case.damaged), result.ending.seconds)).case
    numbers = ", ".join(str(result.case.number) for result in seen[:6]) + (", ..." if len(seen) > 6 else "")
    kinds = ", ".join(sorted({result.case.kind for result in seen}))
    damaged = ", ".join(first.damaged) or "nothing"
    return (
        f"{fault.sort}: {fault.what}\n"
        f"    {len(seen)} cases ({numbers}) of {kinds}\n"
        f"    --only {first.number}: invrender {' '.join(first.command)}   [damaged: {damaged}]"
    )
