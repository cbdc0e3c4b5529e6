"""One run over several processes: the leader runs the command, and the others compute what it calls for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from invrender.errors import UsageError
from invrender.ranks.world import are_several, is_leader, own_device

if TYPE_CHECKING:
    from invrender.kernels import Backend, Part
    from invrender.run.method import Method
    from invrender.run.settings import RunSettings

log = logging.getLogger(__name__)


@contextmanager
def company() -> Iterator[bool]:
    """Whether this process is to run the command: the only one, or the leader, in whose company the others work.

    Raises:
        UsageError: the processes do not find each other.
        RetryError: one of them has gone.
    """
    if not are_several():
        yield True
        return
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # of a connection that closes, errors of our own tell
    from invrender.ranks.calls import leading, serve
    from invrender.ranks.world import met
    from invrender.run import stop

    with met(stop.leave):
        if is_leader():
            with leading():
                yield True
            return
        serve()
    yield False


def backend_for(method: Method, settings: RunSettings) -> Backend:
    """The backend of a run's settings; in company, one whose kernels all processes work on.

    Raises:
        UsageError: no backend or device has that name, or the processes choose different ones.
        BackendError: it exists but does not run here.
    """
    from invrender.backends import select

    if not are_several():
        return select(settings.backend, settings.device, method.needs)
    if not method.shares(settings):
        log.warning(
            "this run is not shared out: one process computes, and the others wait (scenes and neural fields); "
            "start it without torchrun"
        )
    from invrender.backends.shared import shared_backend
    from invrender.ranks.calls import count, equip, own, shared

    asked = (settings.backend, settings.device, method.needs, method.small_tensors)
    names = [part.own for part in shared(_equipped, asked, [()] * count())]
    if len(set(names)) > 1:
        raise UsageError(
            f"the processes of this run would use different backends ({', '.join(names)})", "name one with --backend"
        )
    backend = own("backend")
    company = shared_backend(backend)
    equip({"backend": backend, "company": company}, backend.device)
    return company


def _equipped(name: str, device: str | None, needs: tuple[Part, ...], small_tensors: bool) -> Any:
    """Choose a backend on this rank, for calls to come; its name."""
    import torch

    from invrender.backends import select
    from invrender.ranks.calls import Part, equip

    backend = select(name, device or own_device(), needs)
    equip({"backend": backend, "company": backend}, backend.device)
    if small_tensors:
        torch.set_num_threads(1)
    return Part((), backend.name)
