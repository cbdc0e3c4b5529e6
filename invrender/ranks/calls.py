"""How the leader of a run has the other ranks compute with it: calls of functions, each rank with a share of its own.

The leader alone runs the program; the others wait for calls. So whoever has work that falls into shares asks for them
to be worked on at the same time, and nobody else knows of ranks: with one process alone, or inside of a call, there is
one share, and it is worked on here.

    found = shared(work, (mesh,), [(cameras[0::2],), (cameras[1::2],)])   # work(mesh, some_cameras) -> Part
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import distributed

from invrender.errors import InvrenderError, RetryError
from invrender.ranks.messages import EVERYBODY, receive, send
from invrender.ranks.world import company

Tensor = torch.Tensor


class Part(NamedTuple):
    """What work on a share comes to: tensors that are added up over the ranks, and anything else."""

    sums: tuple[Tensor, ...] = ()
    own: Any = None


@dataclass
class _Company:
    """The ranks, while they work for a leader.

    Attributes:
        size: how many; 1: nobody else is there, or they are at work.
        open: whether no call is on its way.
        here: what each rank has its own of; see `messages.send`.
        device: where tensors of a device live on this rank.
        objects: this rank's parts of objects, by number.
        dropped: numbers of those that nobody needs any more.
    """

    size: int = 1
    open: bool = True
    here: Mapping[str, Any] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    objects: dict[int, Any] = field(default_factory=dict)
    dropped: list[int] = field(default_factory=list)


_company = _Company()
_numbers = itertools.count()


def count() -> int:
    """How many shares to cut work into: 1 where nobody else is free to help."""
    return _company.size if _company.open else 1


@contextmanager
def leading() -> Iterator[None]:
    """A stretch in which others wait for this rank's calls; they are told in the end."""
    _company.size, _company.open = distributed.get_world_size(), True
    try:
        yield
    finally:
        told, _company.size, _company.open = _company.open, 1, True
        equip({}, torch.device("cpu"))
        _company.objects.clear()
        if told:  # else the others are at work on a call that will not end, and see the connection close
            with suppress(RetryError), company():  # the work is done, or something else has ended it
                send(None, EVERYBODY, {})


def equip(here: Mapping[str, Any], device: torch.device) -> None:
    """Say what this rank has of its own for calls: objects by name, such as a backend, and where its tensors live."""
    _company.here, _company.device = here, device


def own(name: str) -> Any:
    """What this rank has under a name; see `equip`."""
    return _company.here[name]


def serve() -> None:
    """Work on the leader's calls until it is done.

    Raises:
        RetryError: another rank has gone.
    """
    _company.open = False
    while True:
        with company():
            told = receive(EVERYBODY, _company.here, _company.device)
        if told is None:
            return
        work, common, dropped = told
        _forget(dropped)
        with company():
            share = receive(0, _company.here, _company.device)
        _answer(work, (*common, *share))


def _answer(work: Callable[..., Part], given: tuple[Any, ...]) -> None:
    try:
        part = work(*given)
    except Exception as error:
        with company():
            send(_portable(error), 0, {})
        raise
    with company():
        send(part.own, 0, {})
        for tensor in part.sums:
            distributed.reduce(_on_wire(tensor), 0)


def shared(work: Callable[..., Part], common: tuple[Any, ...], shares: Sequence[tuple[Any, ...]]) -> list[Part]:
    """`work(*common, *share)` of every share, rank by rank; the sums are added up and are those of the first part.

    Args:
        work: a function of a module.
        common: arguments that are the same for all; sent to all at once.
        shares: further arguments of each rank, `count()` of them.

    Raises:
        RetryError: another rank has gone.
        InvrenderError: what a rank raised; a RuntimeError stands for anything else.
    """
    if len(shares) == 1:
        return [work(*common, *shares[0])]
    _post(work, common, shares)
    return _collected(len(shares), work(*common, *shares[0]))


def spread(work: Callable[..., Any], common: tuple[Any, ...], items: Sequence[Any]) -> list[Any]:
    """`work(*common, item)` of every item, dealt out to the ranks.

    Raises:
        RetryError, InvrenderError: see `shared`.
    """
    ranks = min(count(), len(items))
    if ranks < 2:
        return [work(*common, item) for item in items]
    found: list[Any] = [None] * len(items)
    shares = [(list(items[rank :: count()]),) for rank in range(count())]
    for rank, part in enumerate(shared(_each, (work, common), shares)):
        found[rank :: count()] = part.own
    return found


def pieces(length: int) -> list[slice]:
    """A list of that length cut into as many pieces as there are ranks, or fewer."""
    ranks = max(1, min(count(), length))
    return [slice(length * rank // ranks, length * (rank + 1) // ranks) for rank in range(ranks)]


class Aside:
    """Work that the others do while the leader does its own; until it is collected, no other call is shared."""

    def __init__(self, work: Callable[..., Any], common: tuple[Any, ...], items: Sequence[Any]) -> None:
        """Begin with `work(*common, item)` of every item, on the ranks but the first."""
        others = count() - 1
        assert others, "somebody is there to do it"
        self._length, self._others = len(items), others
        _post(_each, (work, common), [([],), *((list(items[rank::others]),) for rank in range(others))])

    def collected(self) -> list[Any]:
        """What the items have come to, as soon as they have; to be called once.

        Raises:
            RetryError, InvrenderError: see `shared`.
        """
        found: list[Any] = [None] * self._length
        for rank, part in enumerate(_collected(self._others + 1, Part())[1:]):
            found[rank :: self._others] = part.own
        return found


def _each(work: Callable[..., Any], common: tuple[Any, ...], items: Sequence[Any]) -> Part:
    return Part((), [work(*common, item) for item in items])


def _post(work: Callable[..., Part], common: tuple[Any, ...], shares: Sequence[tuple[Any, ...]]) -> None:
    """Send the others a call."""
    assert len(shares) == count(), "one share for each rank"
    dropped = [_company.dropped.pop() for _ in range(len(_company.dropped))]
    _company.open = False
    with company():
        send((work, common, dropped), EVERYBODY, _company.here)
        for rank in range(1, len(shares)):
            send(shares[rank], rank, _company.here)
    _forget(dropped)


def _collected(ranks: int, own: Part) -> list[Part]:
    """What all ranks have come to, this one's included."""
    with company():
        others = [receive(rank, _company.here, _company.device) for rank in range(1, ranks)]
    for failure in others:
        if isinstance(failure, _Failure):
            raise failure.error
    with company():
        sums = tuple(_reduced(tensor) for tensor in own.sums)
    _company.open = True
    return [Part(sums, own.own), *(Part((), found) for found in others)]


@dataclass(frozen=True)
class _Failure:
    """What went wrong on another rank."""

    error: BaseException


def _portable(error: Exception) -> _Failure:
    if isinstance(error, InvrenderError):
        known = type(error)(error.cause, error.remedy)
        return _Failure(known)
    return _Failure(RuntimeError(f"another rank failed: {type(error).__name__}: {error}"))


def _reduced(tensor: Tensor) -> Tensor:
    wire = _on_wire(tensor)
    distributed.reduce(wire, 0)
    return wire.to(tensor.device)


def _on_wire(tensor: Tensor) -> Tensor:
    """Where a tensor can be added up: on its GPU if each rank has one of its own, else in main memory."""
    direct = tensor.device.type == "cpu" or (
        tensor.device.type == "cuda" and "nccl" in distributed.get_backend_config()
    )
    return (tensor if direct else tensor.cpu()).contiguous()


class Kept:
    """An object of which every rank keeps a part, for later calls.

    Attributes:
        number: by which each rank finds its part (`whose`).
        told: what was told of each rank's part when it was made.
    """

    def __init__(self, make: Callable[..., Any], common: tuple[Any, ...], shares: Sequence[tuple[Any, ...]]) -> None:
        """`make(*common, *share)` on every rank gives its part of the object and what is told of it here."""
        self.number = next(_numbers)
        self.told: list[Any] = [part.own for part in shared(_make, (self.number, make, common), shares)]
        weakref.finalize(self, _company.dropped.append, self.number)

    def __call__(
        self, work: Callable[..., Part], common: tuple[Any, ...] = (), shares: Sequence[tuple[Any, ...]] | None = None
    ) -> list[Part]:
        """`work(object, *common, *share)` on every rank; see `shared`."""
        return shared(_with, (self.number, work, common), [()] * len(self.told) if shares is None else shares)


def whose(number: int) -> Any:
    """This rank's part of an object that is kept, inside of a call."""
    return _company.objects[number]


def _make(number: int, make: Callable[..., Any], common: tuple[Any, ...], *share: Any) -> Part:
    _company.objects[number], told = make(*common, *share)
    return Part((), told)


def _with(number: int, work: Callable[..., Part], common: tuple[Any, ...], *share: Any) -> Part:
    return work(_company.objects[number], *common, *share)


def _forget(numbers: Sequence[int]) -> None:
    for number in numbers:
        _company.objects.pop(number, None)
