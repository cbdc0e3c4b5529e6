"""One run over several processes, as `torchrun` starts them: ranks, of which the first, the leader, writes everything.

Each rank computes a part and all take the same steps. Outside of torchrun there is one rank, and nothing is exchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed

from invrender.errors import RetryError, UsageError

Tensor = torch.Tensor

RANK, COUNT, LOCAL = "RANK", "WORLD_SIZE", "LOCAL_RANK"
"""The variables that torchrun sets."""


@contextmanager
def joined() -> Iterator[None]:
    """Join the other ranks of a run, if there are any.

    Raises:
        UsageError: this torch knows no such runs.
    """
    if int(os.environ.get(COUNT, "1")) < 2:
        yield
        return
    if not distributed.is_available():
        raise UsageError("this build of torch cannot join the processes of torchrun", "start one process alone")
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """The number of this process, from 0 on."""
    return distributed.get_rank() if _several() else 0


def count() -> int:
    """How many there are."""
    return distributed.get_world_size() if _several() else 1


def own_device() -> str | None:
    """The device that belongs to this rank, where each has a GPU of its own."""
    return f"cuda:{os.environ.get(LOCAL, '0')}" if torch.cuda.is_available() and LOCAL in os.environ else None


def sums(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The sums over all ranks, equal on all of them to the last bit.

    Raises:
        RetryError: another rank has gone.
    """
    if not _several():
        return dict(values)
    names = list(values)
    flat = torch.cat([values[name].reshape(-1) for name in names])
    with _company():
        distributed.all_reduce(flat)
    parts = flat.split([values[name].numel() for name in names])
    return {name: part.view_as(values[name]) for name, part in zip(names, parts, strict=True)}


def from_leader(value: Any) -> Any:
    """What the leader calls this with; it is pickled on the way.

    Raises:
        RetryError: another rank has gone.
    """
    if not _several():
        return value
    held = [value]
    with _company():
        distributed.broadcast_object_list(held, src=0)
    return held[0]


@contextmanager
def _company() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise RetryError(
            "another process of this run has ended", "run the same command again: it goes on where it stopped"
        ) from error


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
