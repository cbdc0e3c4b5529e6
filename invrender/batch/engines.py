"""Who runs jobs: the interface that processes of this machine, Slurm and Dask have in common.

An engine takes orders and gives tickets, which is what `concurrent.futures` calls an executor and a future. It decides
nothing: which jobs run, again or not at all, is up to the runner, and that no job runs twice up to `work.claim`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from invrender.batch.work import Order
from invrender.errors import UsageError


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
        slots: how many jobs to hand over at a time; None: all of them, the engine has a queue of its own.
        lasting: whether jobs that were handed over go on without the runner.
    """

    name: str
    slots: int | None
    lasting: bool

    def submit(self, order: Order) -> Ticket:
        """Hand a job over."""
        ...

    def close(self, abandon: bool) -> None:
        """Let the workers go; where `abandon` is true, what they are at is stopped (and saved) where that is ours."""
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


def opened(wishes: Wishes, folder: Path) -> Engine:
    """The engine that was asked for.

    Args:
        wishes: which, and how.
        folder: of the batch.

    Raises:
        UsageError: there is no such engine.
    """
    del folder
    if wishes.on == "local":
        from invrender.batch.local import LocalEngine

        return LocalEngine(wishes)
    raise UsageError(f"--on is {wishes.on!r}", "use local")
