"""The processes of one run, as a launcher starts them: which there are, how they join, and what ends them all.

A launcher such as torchrun sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT in each process. The first rank, the
leader, reads the input and writes everything.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from invrender.errors import RetryError, UsageError

RANK, COUNT, LOCAL, LOCAL_COUNT = "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"
"""Variables that launchers set."""

GONE = "another process of this run has ended"
REMEDY = "run the same command again: it goes on where it stopped"
MEETING = datetime.timedelta(minutes=10)
FOREVER = datetime.timedelta(days=365)  # the leader may work for hours while others wait; `alive` sees who is gone


def are_several() -> bool:
    """Whether a launcher started this process as one of several."""
    return _number(COUNT, 1) > 1


def is_leader() -> bool:
    """Whether this process is the one that writes and tells results: the only one, or the first."""
    return not are_several() or _number(RANK, 0) == 0


def own_device() -> str | None:
    """The device that belongs to this rank, where each has a GPU of its own."""
    import torch

    own = torch.cuda.is_available() and LOCAL in os.environ
    return f"cuda:{_number(LOCAL, 0) % torch.cuda.device_count()}" if own else None


@contextmanager
def met(leave: Callable[[str], None]) -> Iterator[None]:
    """Meet the other ranks, and part from them in the end.

    Args:
        leave: ends this process, with a cause, from another thread: called where a rank has been silent for too long.

    Raises:
        UsageError: this torch knows no such runs, or the variables of the launcher do not lead to the others.
    """
    from torch import cuda, distributed

    from invrender.ranks.alive import watched

    if not distributed.is_available():
        raise UsageError("this build of torch cannot join the processes of a run", "start one process alone")
    if cuda.is_available():
        cuda.set_device(_number(LOCAL, 0) % cuda.device_count())
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if _own_gpus() else "gloo", timeout=FOREVER)
    except (ValueError, RuntimeError) as error:
        raise UsageError(
            f"the processes of this run do not find each other: {str(error).splitlines()[0]}",
            "start them with torchrun, or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT in each",
        ) from error
    with watched(distributed.get_rank(), distributed.get_world_size(), leave):
        try:
            yield
        finally:
            distributed.destroy_process_group()


def _own_gpus() -> bool:
    """Whether each rank of this machine has a GPU of its own, as NCCL asks for."""
    from torch import cuda

    return cuda.is_available() and cuda.device_count() >= _number(LOCAL_COUNT, 1)


@contextmanager
def company() -> Iterator[None]:
    """
    Raises:
        RetryError: another rank has gone, so that what was to be exchanged could not be.
    """
    try:
        yield
    except RuntimeError as error:
        raise RetryError(GONE, REMEDY) from error


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else otherwise
