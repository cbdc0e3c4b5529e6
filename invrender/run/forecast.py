"""How much memory and time a run will take, and what it will write, told before it starts.

    time   = sum over kinds of work of  amount x seconds of one / speed of its part on this machine
    memory = what the process holds + what the method's imports add + sum over kinds of  amount x bytes of one

How much there is of each kind, the method tells (`Method.work`); what one costs was measured (`run.costs`); how fast
this machine is beside the one of the measurements takes a second to find out (`run.speeds`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invrender.kernels import Backend
from invrender.run.costs import BYTES, SECONDS
from invrender.run.folder import SECURE
from invrender.run.memory import resident
from invrender.run.method import Method
from invrender.run.place import CARD, CHECKPOINTS, CONFIG, LOG, LOSSES, METRICS, RECORD, REPORT
from invrender.run.settings import RunSettings
from invrender.run.work import Work, bytes_of

if TYPE_CHECKING:
    from invrender.run.speeds import Part, Speeds

OF_RUNS = (CONFIG, RECORD, LOG, LOSSES, METRICS, REPORT, CARD)
COMPILED: dict[str, Part] = {"meshes": "meshes", "volumes": "volumes", "scenes": "scenes", "network": "torch"}


@dataclass(frozen=True)
class Forecast:
    """What a run will take.

    Attributes:
        memory: bytes, the peak of its process; of a GPU's memory nothing is said.
        seconds: by the clock with the threads at hand, kernels compiled; NaN where the method tells no work.
        unknown: kinds of work whose cost nobody has measured: it takes longer by these.
        files: that will be in its folder; those whose names depend on the result as patterns, such as pictures/*.png.
    """

    memory: int
    seconds: float
    files: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def forecast(
    method: Method, task: Any, settings: RunSettings, backend: Backend, speeds: Speeds | None = None
) -> Forecast:
    """What a run would take.

    Args:
        method: which.
        task: read and checked (`run.execute.load`).
        settings: of the run.
        backend: that it would run on.
        speeds: of this machine with that backend, from `calibrate`, best before any task is read; None: measured now.
    """
    from invrender.run.speeds import calibrate

    work = method.work(task, settings)
    known = speeds or replace(calibrate(backend, parts_of(work)), process=max(resident() - bytes_of(task), 0))
    costs = SECONDS.get(method.name, {})
    spent = {kind: n * costs.get(kind, 0.0) / known.rates[part_of(kind)] for kind, n in work.amounts.items()}
    held, units = {"process": 1.0, **work.held}, BYTES.get(method.name, {})
    memory = known.process + sum(n * units.get(kind, 0.0) for kind, n in held.items())
    seconds = sum(spent.values()) if work.amounts else math.nan
    own = sum(cost for kind, cost in spent.items() if not kind.startswith("load."))
    unknown = tuple(kind for kind, n in work.amounts.items() if n and kind not in costs)
    return Forecast(round(memory), seconds, _files(work, own), unknown)


def ending(method: Method, task: Any, settings: RunSettings) -> float:
    """How long measuring and writing take, as a share of the time for all steps; 0 where nobody measured it."""
    costs, amounts = SECONDS.get(method.name, {}), method.work(task, settings).amounts
    spent = {"solve": 0.0, "measure": 0.0, "write": 0.0}
    for kind, amount in amounts.items():
        part = kind.partition(".")[0]
        if part in spent:
            spent[part] += amount * costs.get(kind, 0.0)
    return (spent["measure"] + spent["write"]) / spent["solve"] if spent["solve"] > 0 else 0.0


def parts_of(work: Work) -> set[Part]:
    """Which parts of a machine some work keeps busy."""
    return {part_of(kind) for kind, amount in work.amounts.items() if amount}


def part_of(kind: str) -> Part:
    """Which part of the machine a kind of work keeps busy: the word after the last dot that names a group of kernels,
    such as in `solve.pixels.meshes`; else Python and numpy."""
    return COMPILED.get(kind.rpartition(".")[2], "python")


def _files(work: Work, seconds: float) -> tuple[str, ...]:
    """The method's files, the runner's, and a checkpoint of runs that are long enough for one."""
    kept = (f"{CHECKPOINTS}/*.npz",) if seconds > SECURE else ()
    return (*work.files, *OF_RUNS, *kept)
