"""The settings of the toy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, RunSettings

PRESETS = {"draft": {"iterations": 4}, "standard": {}, "fine": {"iterations": 40}}


@dataclass(frozen=True)
class ToySettings(RunSettings):
    """What the toy adds."""

    method: Literal["toy"] = "toy"
    batch: Annotated[int, Flag("Numbers that every step looks at."), Range(1)] = 2
    iterations: Annotated[int, Flag("Steps of the optimisation."), Range(1)] = 12


SETTINGS = ToySettings


def suits(source: Path) -> bool:
    """Whether an input is a list of numbers."""
    return source.suffix == ".numbers"
