"""Who runs jobs: the interface that processes of this machine, Slurm and Dask have in common.

An engine takes orders and gives tickets, which is what `concurrent.futures` calls an executor and a future. It decides
nothing: which jobs run, again or not at all, is up to the runner, and that no job runs twice up to `work.claim`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from invrender.batch.work import Order
from invrender.errors import UsageError
from invrender.io.files.paths import nearest, shown


class Ticket(Protocol):
    """A job that was handed over: what futures of `concurrent.futures`, Dask and submitit have in common."""

    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        ...

    def result(self) -> Mapping[str, Any]:
        """What `work.work` returned; whatever else it raises means that the worker was lost."""
        ...

    def cancel(self) -> Any:
        """Do not begin with it, if it has not begun."""
        ...


class Engine(Protocol):
    """Somebody who runs jobs.

    Attributes:
        name: as `--on` and job.json call it.
        slots: how many jobs to hand over at a time; None: all of them, the engine has a queue of its own. It may
            change as workers come and go.
        lasting: whether jobs that were handed over go on without the runner.
    """

    name: str
    lasting: bool

    @property
    def slots(self) -> int | None:
        """How many jobs to hand over at a time, now."""
        ...

    def submit(self, order: Order) -> Ticket:
        """Hand a job over."""
        ...

    def close(self, abandon: bool) -> None:
        """Let the workers go; where `abandon` is true, what they are at is stopped (and saved) where that is ours."""
        ...


@runtime_checkable
class TakesMany(Protocol):
    """An engine that makes more of jobs that are handed over at once, such as an array of jobs."""

    def submit_many(self, orders: Sequence[Order]) -> list[Ticket]:
        """Hand jobs over; their tickets in the same order."""
        ...


@dataclass(frozen=True)
class Wishes:
    """What the caller of a batch asks of an engine.

    Attributes:
        on: local, slurm, slurm:local, dask://HOST:PORT, dask:FILE.
        workers: how many jobs at a time; None: what fits this machine, or the cluster's own limit.
        threads: cores for each job; None: the cores shared out between the workers.
        limit: seconds that a job may take at a time; None: any.
        options: the engine's own, such as {"slurm_partition": "gpu"}.
    """

    on: str = "local"
    workers: int | None = None
    threads: int | None = None
    limit: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def submit_all(engine: Engine, orders: Sequence[Order]) -> list[Ticket]:
    """Hand jobs over, at once where the engine makes more of that; their tickets in the same order."""
    return engine.submit_many(orders) if isinstance(engine, TakesMany) else [engine.submit(order) for order in orders]


def values(options: Mapping[str, str]) -> dict[str, Any]:
    """The engine's own options with their types: numbers, true, false, lists and tables of JSON; the rest is text."""
    found: dict[str, Any] = {}
    for name, text in options.items():
        try:
            found[name] = json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found


def opened(wishes: Wishes, folder: Path) -> Engine:
    """The engine that was asked for, ready to take orders.

    Args:
        wishes: what is asked of it.
        folder: the batch's, where an engine keeps files of its own.

    Raises:
        UsageError: there is no engine of that name, or it does not take such options.
        InputError: the file that describes a cluster cannot be used.
        BackendError: its package is not installed, this machine has none, or nobody answers.
    """
    name, _, place = wishes.on.partition(":")
    if wishes.on == "local":
        from invrender.batch.local import LocalEngine

        return LocalEngine(wishes)
    if name == "slurm" and place in ("", "local"):
        from invrender.batch.slurm import SlurmEngine

        return SlurmEngine(wishes, folder)
    if name == "dask" and place:
        from invrender.batch.dask import DaskEngine

        return DaskEngine(wishes)
    known = ("local", "slurm", "slurm:local", "dask://HOST:PORT", "dask:FILE")
    near = nearest(wishes.on, known) or nearest(name, ("local", "slurm"))
    raise UsageError(
        f"there is no engine named {shown(wishes.on)}",
        f"did you mean --on {near}?" if near else f"use --on {', '.join(known[:-1])} or {known[-1]}",
    )
