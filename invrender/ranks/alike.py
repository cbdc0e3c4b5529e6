"""Ranks that take all steps alike, each on a share of the data: training. Sums are equal on all of them.

Of one process alone there is one rank, and nothing is exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from invrender.ranks.world import are_several, company, met

Tensor = torch.Tensor


@dataclass
class _Work:
    """Whether ranks are taking steps alike."""

    alike: bool = False


_work = _Work()


@contextmanager
def joined(leave: Callable[[str], None]) -> Iterator[None]:
    """Join the other ranks of a run, if there are any.

    Args:
        leave: see `world.met`.

    Raises:
        UsageError: this torch knows no such runs.
    """
    if not are_several():
        yield
        return
    with met(leave), together():
        yield


@contextmanager
def together() -> Iterator[None]:
    """A stretch in which all ranks, which have met, take their steps alike."""
    _work.alike = True
    try:
        yield
    finally:
        _work.alike = False


def rank() -> int:
    """The number of this process, from 0 on."""
    return distributed.get_rank() if _work.alike else 0


def count() -> int:
    """How many there are."""
    return distributed.get_world_size() if _work.alike else 1


def sums(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The sums over all ranks, equal on all of them to the last bit.

    Raises:
        RetryError: another rank has gone.
    """
    if not _work.alike:
        return dict(values)
    names = list(values)
    flat = torch.cat([values[name].reshape(-1) for name in names])
    with company():
        distributed.all_reduce(flat)
    parts = flat.split([values[name].numel() for name in names])
    return {name: part.view_as(values[name]) for name, part in zip(names, parts, strict=True)}


def from_leader(value: Any) -> Any:
    """What the leader calls this with; it is pickled on the way.

    Raises:
        RetryError: another rank has gone.
    """
    if not _work.alike:
        return value
    held = [value]
    with company():
        distributed.broadcast_object_list(held, src=0)
    return held[0]
