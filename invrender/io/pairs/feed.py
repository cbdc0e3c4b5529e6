"""Samples for training, batch after batch without an end: which they are depends on a seed and the number alone.

So a run that goes on after a stop asks for the batch that it would have had. Where processes of their own read ahead,
they have the next batches ready while the last one is learned from.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from invrender.errors import InvrenderError, RetryError
from invrender.io.pairs.dataset import Batch, Split


@dataclass(frozen=True)
class Order:
    """An endless order of batches, each epoch of which is a new permutation of all samples.

    Of an epoch whose samples are no multiple of `size`, the last few are left out; they are others in each epoch. Where
    there are fewer samples than `size`, each batch has all of them.

    Attributes:
        count: how many samples there are, at least 1.
        size: samples of a batch, at least 1.
        seed: of the permutations, at least 0.
        part, parts: which of equal parts of each batch this is the order of, where several processes share the work.
    """

    count: int
    size: int
    seed: int
    part: int = 0
    parts: int = 1

    def __post_init__(self) -> None:
        if self.count < 1 or self.size < 1 or self.seed < 0:
            raise ValueError(f"{self.count} samples in batches of {self.size} with seed {self.seed}")

    @property
    def per_epoch(self) -> int:
        """Batches of an epoch."""
        return max(1, self.count // self.size)

    def indices(self, n: int) -> list[int]:
        """The samples of batch n, from 0 on."""
        epoch, batch = divmod(n, self.per_epoch)
        first = batch * self.size
        whole = _permutation(self.count, self.seed, epoch)[first : first + self.size]
        return [int(sample) for sample in whole[self.part :: self.parts]]

    def share(self, part: int, parts: int) -> Order:
        """The order of one of several equal parts of each batch."""
        return replace(self, part=part, parts=parts)


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> Any:
    return np.random.default_rng([seed, epoch]).permutation(count)


class Feed:
    """The batches of a split in an order; to be closed after use, best by `with`.

    Args:
        split: whose samples they are.
        order: of its samples.
        workers: processes that read ahead, as long as batches are asked for one after the other; 0: this one reads.
    """

    def __init__(self, split: Split, order: Order, workers: int = 0) -> None:
        if order.count != len(split):
            raise ValueError(f"an order of {order.count} samples, and the split has {len(split)}")
        self.split, self.order, self.workers = split, order, workers
        self._ahead: Iterator[Batch | InvrenderError] | None = None
        self._next = 0

    def batch(self, n: int) -> Batch:
        """Batch n, from 0 on.

        Raises:
            InputError: a file has gone or holds NaN.
            RetryError: a process that reads ahead was ended from outside.
        """
        if not self.workers:
            return self.split.read(self.order.indices(n))
        if self._ahead is None or n != self._next:
            self.close()
            self._ahead, self._next = iter(self._loader(n)), n
        try:
            found = next(self._ahead)
        except RuntimeError as error:  # torch has no class of its own for it
            self.close()
            if "DataLoader worker" not in str(error):
                raise
            raise RetryError(
                "a process that reads samples ended before its time", "try again; with fewer workers if memory is short"
            ) from error
        if isinstance(found, InvrenderError):
            self.close()
            raise type(found)(found.cause, found.remedy)
        self._next += 1
        return found

    def _loader(self, n: int) -> DataLoader[Any]:
        return DataLoader(
            _Readers(self.split),  # type: ignore[arg-type]
            batch_sampler=_From(self.order, n),
            num_workers=self.workers,
            collate_fn=_as_is,
            worker_init_fn=_leave_interrupts,
            multiprocessing_context="spawn",  # a fork would take over locks that threads of torch and Numba hold
        )

    def close(self) -> None:
        """End the processes that read ahead; another batch starts new ones."""
        self._ahead = None  # its last reference: torch ends and joins them

    def __enter__(self) -> Feed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class _From:
    """The samples of the batches from one on, without an end."""

    order: Order
    first: int

    def __iter__(self) -> Iterator[list[int]]:
        n = self.first
        while True:
            yield self.order.indices(n)
            n += 1


@dataclass(frozen=True)
class _Readers:
    """What each process holds: it sends failures as values, since torch would make one text of them and their trace."""

    split: Split

    def __len__(self) -> int:
        return len(self.split)

    def __getitems__(self, samples: list[int]) -> Batch | InvrenderError:
        try:
            return self.split.read(samples)
        except InvrenderError as error:
            return error


def _as_is(found: Any) -> Any:
    return found


def _leave_interrupts(_worker: int) -> None:
    """Ctrl-C reaches all processes of a terminal; the one that reads results decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
