"""How much work a run is, told by its method before any of it is done; `run.forecast` makes time and memory of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True)
class Work:
    """How much of each kind of work a run is, and what it holds at its height.

    Kinds are names with a dot, such as `solve.pixels`: before it the part of the run (load, start, solve, measure or
    write), behind it what is counted. What one of each costs, `run.costs` tells by method and kind.

    Attributes:
        amounts: how much of each kind, in the kind's own units.
        held: how much memory at the height, in the units of its kinds.
        files: the names of what the method writes; those that depend on the result as patterns, such as pictures/*.png.
    """

    amounts: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def bytes_of(thing: Any) -> int:
    """The bytes of all tensors in a noun or a task, and in what it holds; each storage counts once."""
    seen: dict[int, int] = {}
    _collect(thing, seen, set())
    return sum(seen.values())


def _collect(thing: Any, seen: dict[int, int], done: set[int]) -> None:
    if id(thing) in done:
        return
    done.add(id(thing))
    if isinstance(thing, torch.Tensor):
        if thing.device.type == "cpu":
            storage = thing.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
    elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        for each in dataclasses.fields(thing):
            _collect(getattr(thing, each.name, None), seen, done)
    elif isinstance(thing, Mapping):
        for value in thing.values():
            _collect(value, seen, done)
    elif isinstance(thing, tuple | list):
        for value in thing:
            _collect(value, seen, done)
