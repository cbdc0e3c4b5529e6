"""What each job of a batch would take, found out by reading its input as the run would; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from invrender.backends import select
from invrender.batch.checked import TRAIN, resolved
from invrender.batch.jobs import Job
from invrender.errors import InvrenderError
from invrender.kernels import Backend
from invrender.methods.names import method_called
from invrender.run.execute import load
from invrender.run.failures import Failure, explain
from invrender.run.forecast import Forecast, forecast
from invrender.run.heard import heard
from invrender.run.method import Method
from invrender.run.settings import RunSettings
from invrender.run.speeds import Speeds, calibrate
from invrender.run.work import bytes_of


@dataclass(frozen=True)
class Foretold:
    """What is known of a job beforehand.

    Attributes:
        job: which.
        method: what it runs; empty where that does not become clear.
        what: its input in a few words.
        forecast: memory, time and files; None where it cannot run.
        problem: why it cannot.
        warnings: what looks wrong in its input.
    """

    job: Job
    method: str = ""
    what: str = ""
    forecast: Forecast | None = None
    problem: Failure | None = None
    warnings: tuple[str, ...] = ()


def foretell(jobs: Sequence[Job], known: Sequence[str] = ()) -> Iterator[Foretold]:
    """What each job would take, one after another; jobs that differ in their seeds alone are read once.

    Args:
        jobs: the jobs.
        known: environment variables that are no settings.
    """
    machine = _Machine()
    before: dict[str, Foretold] = {}
    for job in jobs:
        try:
            name, settings = resolved(job, known)
            same = repr((name, replace(settings, seed=0)))
            if same not in before:
                with heard(True):
                    before[same] = machine.asked(job, name, settings)
            yield replace(before[same], job=job)
        except (InvrenderError, MemoryError, OSError) as error:
            yield Foretold(job, problem=explain(error))


class _Machine:
    """This machine's backends, each tested and timed once."""

    def __init__(self) -> None:
        self._backends: dict[Any, tuple[Backend, Speeds]] = {}

    def asked(self, job: Job, name: str, settings: RunSettings) -> Foretold:
        method = _method(name)
        key = (settings.backend, settings.device, method.needs)
        if key not in self._backends:
            backend = select(settings.backend, settings.device, method.needs)
            parts = {"python", *method.needs, *(("torch",) if name == TRAIN else ())}
            self._backends[key] = (backend, calibrate(backend, parts))
        backend, speeds = self._backends[key]
        task, found = load(method, settings, backend)
        alone = replace(speeds, process=speeds.process + bytes_of(task))  # without what other jobs have left behind
        told = forecast(method, task, settings, backend, alone)
        return Foretold(job, name, method.describe(task), told, None, tuple(map(str, found)))


def _method(name: str) -> Method:
    if name == TRAIN:
        from invrender.methods.neural_renderer.method import METHOD

        return METHOD
    return method_called(name)
