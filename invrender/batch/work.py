"""What a worker does with one job, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Order:
    """What is sent to a worker; the job itself lies in its folder.

    Attributes:
        folder: of the job, absolute; its job.json says what to do.
        engine: who runs it, for the record.
        threads: cores for it; None: leave that to whoever began the process.
        limit: seconds after which it is stopped, to go on another time; None: any.
        parent: number of the process without which this one shall not go on; None: it goes on.
    """

    folder: str
    engine: str = "local"
    threads: int | None = None
    limit: float | None = None
    parent: int | None = None


def work(order: Order) -> Mapping[str, Any]:
    """Claim a job, run it, and note how it ended."""
    raise NotImplementedError
