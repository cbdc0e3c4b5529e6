"""The course of a run's loss, read from losses.csv and thinned out for a plot."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

POINTS = 160  # of a curve, at most
LABEL = "phase"


@dataclass(frozen=True)
class Piece:
    """A part of a curve in which one quantity goes down: a phase. `points`: row in the file, value."""

    phase: str
    term: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Curve:
    """The losses of a run.

    Attributes:
        pieces: one after the other.
        rows: steps that were read.
        trouble: what could not be read, in words, or nothing.
    """

    pieces: tuple[Piece, ...] = ()
    rows: int = 0
    trouble: str = ""

    @property
    def values(self) -> list[float]:
        """Of all points."""
        return [value for piece in self.pieces for _, value in piece.points]


def read_curve(path: Path) -> Curve:
    """The first term of each step, which is what is brought down; a new phase or another term begins a piece.

    A file that is missing gives an empty curve; of a damaged one what comes before the damage.
    """
    found: list[tuple[str, str, list[tuple[int, float]]]] = []
    rows, trouble = 0, ""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            names = next(reader, [])
            for row in reader:
                cells = dict(zip(names, row, strict=False))
                phase, (term, value) = cells.get(LABEL, ""), _first(cells)
                rows += 1
                if not found or found[-1][:2] != (phase, term):
                    found.append((phase, term, []))
                if value is not None:
                    found[-1][2].append((rows - 1, value))
    except FileNotFoundError:
        return Curve()
    except (OSError, ValueError, csv.Error):
        trouble = f"{path.name} is damaged"
    pieces = [Piece(phase, term, tuple(_thinned(points, rows))) for phase, term, points in found if points]
    return Curve(tuple(pieces), rows, trouble or ("" if pieces else f"{path.name} holds no steps"))


def _first(cells: dict[str, str]) -> tuple[str, float | None]:
    """The first term of a step that is a number."""
    for name, text in cells.items():
        if name in ("step", LABEL) or not text:
            continue
        try:
            value = float(text)
        except ValueError:
            continue
        return name, value if math.isfinite(value) else None
    return "", None


def _thinned(points: list[tuple[int, float]], rows: int) -> list[tuple[int, float]]:
    """Every so many points, and the last."""
    stride = max(1, math.ceil(rows / POINTS))
    return [*points[:-1:stride], points[-1]]
