"""The record that a method fills; `run.execute` runs whatever fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from invrender.findings import Finding
from invrender.kernels import Backend, Part
from invrender.nouns import Views
from invrender.report.compared import Compared
from invrender.run.film import Film
from invrender.run.folder import RunFolder
from invrender.run.progress import QUALITY
from invrender.run.settings import RunSettings
from invrender.run.work import Work
from invrender.solve.phase import Finished, Schedule

Metrics = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """A task made ready for the loop.

    Attributes:
        schedule: the phases.
        result: finished phases to what the run is for.
        film: what the GIFs show, or None.
        arrays: an estimate as named arrays that people can use: part of every checkpoint; names without a dot.
    """

    schedule: Schedule
    result: Callable[[tuple[Finished, ...]], Any]
    film: Film | None
    arrays: Callable[[Any], Mapping[str, NDArray[Any]]]


def _none(*_: Any) -> Any:
    return {}


def _yes(*_: Any) -> bool:
    return True


def _nothing(*_: Any) -> Sequence[Any]:
    return ()


def _untold(*_: Any) -> Work:
    return Work()


@dataclass(frozen=True)
class Method:
    """One way to reconstruct something, or to learn to.

    Attributes:
        name: as `--method` calls it, where there are several.
        inputs: what INPUT may be, for people.
        settings: the dataclass of all its settings; `presets`: values of them by preset.
        needs: groups of kernels that it uses; see `backends.select`.
        load: (settings, backend) to the task: reads the input and checks it before any work starts.
        describe: a task in a few words; `notices`: what a user should know of it beforehand.
        check: (task, backend) to what looks wrong in the input, before any work starts.
        doubt: (task, metrics) to what looks wrong in the result.
        facts: what run.json says of a task.
        begin: (task, settings, backend) to the problem.
        measure: (task, result, backend) to the metrics.
        write: puts the results into the run's folder.
        rows: metrics to the lines of the summary; `files`: metrics to the names of the main results.
        asset: (task, result) to a noun of the library: a mesh, a volume, ...
        compared: (task, result, backend, most) to the `most` views that the result explains worst, worst first.
        views: a task's posed views, of which a dry run tells how they stand; None: it has none.
        work: (task, settings) to how much work a run is, for `run.forecast`, which starts none of it.
        shares: settings to whether several processes take part in a run's work (`methods.launch`).
        quality: names of terms, of which the first that a step has tells people how good the estimate is by now.
        last: settings to the title of the phase after which nothing but measuring and writing comes; empty: it depends.
        command: which of the program's commands runs it.
        small_tensors: whether torch's own threads cost more than they gain; the command line, which has the process for
            itself, then gives torch one. The library leaves that to its callers.
    """

    name: str
    inputs: str
    settings: type[RunSettings]
    needs: tuple[Part, ...]
    load: Callable[[Any, Backend], Any]
    describe: Callable[[Any], str]
    begin: Callable[[Any, Any, Backend], Problem]
    measure: Callable[[Any, Any, Backend], Metrics]
    write: Callable[[RunFolder, Any, Any], None]
    rows: Callable[[Metrics], list[tuple[str, str]]]
    files: Callable[[Metrics], str]
    asset: Callable[[Any, Any], Any]
    notices: Callable[[Any], Sequence[str]] = _nothing
    check: Callable[[Any, Backend], Sequence[Finding]] = _nothing
    doubt: Callable[[Any, Metrics], Sequence[Finding]] = _nothing
    facts: Callable[[Any], Mapping[str, Any]] = _none
    compared: Callable[[Any, Any, Backend, int], Sequence[Compared]] = _nothing
    views: Callable[[Any], Views | None] = lambda _: None
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    work: Callable[[Any, Any], Work] = _untold
    shares: Callable[[Any], bool] = _yes
    quality: tuple[str, ...] = QUALITY
    last: Callable[[Any], str] = lambda _: ""
    command: str = "reconstruct"
    small_tensors: bool = False
