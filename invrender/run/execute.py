"""The only runner: resolved settings in, a run folder with everything in it out, whatever the method.

A run that was stopped resumes from its last checkpoint when it is called again with the same settings. Its result is
bit-identical, since the checkpoint holds all of the loop's state, the film's shots and the number of losses written.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import CheckpointError, DivergedError, InputError
from invrender.findings import Finding, refuse
from invrender.io.files.paths import is_file
from invrender.kernels import Backend
from invrender.ranks import alike as ranks
from invrender.run import stop
from invrender.run.events import Events
from invrender.run.film import Reel, pack_shots, unpack_shots
from invrender.run.folder import RunFolder
from invrender.run.forecast import ending
from invrender.run.heard import heard, kept
from invrender.run.memory import check_pictures, give_back
from invrender.run.method import Method, Metrics, Problem
from invrender.run.place import check_output, workplace
from invrender.run.progress import Progress
from invrender.run.resolve import to_toml
from invrender.run.resume import INPUT, LOSS_ROWS, Saved, fingerprint, saved_run
from invrender.run.settings import RunSettings, ViewsRunSettings, settled
from invrender.run.shots import Shots
from invrender.run.staged import settle_dataset
from invrender.solve.loop import Loop, LoopState, Step, beginning
from invrender.solve.snapshot import pack, unpack

FEW = 12  # the least number of views of an asset that a method takes by default


@dataclass(frozen=True)
class Destination:
    """Where a run goes, and what may be replaced there.

    Attributes:
        folder: the run folder.
        overwrite: replace a finished run when this one is complete, and an unfinished one that is another.
        fresh: start over where an unfinished run could be resumed.
        argv: what was called, for the record.
        events: hears how the run goes on.
        verbose: show all losses and the speed.
    """

    folder: Path
    overwrite: bool = False
    fresh: bool = False
    argv: Sequence[str] = ()
    events: Events = field(default_factory=Events)
    verbose: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes:
        asset: a mesh, a volume, ...
        metrics: what was measured of it.
        severe: why the result is none, although it is written; those who hand it on `refuse` them.
    """

    asset: Any
    metrics: Metrics
    severe: tuple[Finding, ...] = ()


def execute(
    method: Method, settings: RunSettings, backend: Backend, destination: Destination, quiet: bool = False
) -> Outcome:
    """Run a method from its input to the files of its folder; of several ranks, the leader does so.

    Raises:
        OutputExistsError: the folder holds a finished run, a running one, or something else.
        CheckpointError: it holds an unfinished run with other settings or another input.
        InvrenderError: whatever the method raises; where the settings are strict, what it found wrong.
    """
    if ranks.rank():
        return _assist(method, settings, backend)
    check_output(destination.folder, destination.overwrite)
    with heard(quiet) as said:
        task, found = load(method, settings, backend)
    digest = fingerprint(task)
    with Progress(quiet, events=destination.events, verbose=destination.verbose, quality=method.quality) as progress:
        written = settled(settings, is_asset(settings.input))
        saved = _saved(destination, written, backend, digest, progress)
        ranks.from_leader(None if saved is None else saved.arrays)
        with _opened(method.command, written, backend, destination, saved) as run:
            _announce(method, destination, run, saved, (*said, *_passed_over(backend)))
            outcome = _run(
                Job(method, task, settings, backend, digest, tuple(found), tuple(said)), run, progress, saved
            )
            for name, value in outcome.metrics.items():
                destination.events.tell("metric", name=name, value=value)
            return outcome


def load(method: Method, settings: RunSettings, backend: Backend) -> tuple[Any, Sequence[Finding]]:
    """The task, read and checked, and what looks wrong in it.

    Raises:
        MemoryLimitError: an asset's views cannot be held.
        InputError: the input cannot be used; where the settings are strict, something looks wrong.
        UsageError: films are asked for, and no encoder is installed.
    """
    from invrender.io.video import check_encoder

    if isinstance(settings, ViewsRunSettings) and is_asset(settings.input):  # its views are drawn
        own = type(settings)
        side = settings.size or 0
        check_pictures(settings.views or FEW, (side, side), at_work=own.AT_WORK, per_pixel=own.PER_PIXEL)
    if settings.video is not None:
        check_encoder()
    settle_dataset(settings.input)
    task = method.load(settings, backend)
    found = method.check(task, backend)
    if settings.strict:
        refuse(found, InputError)
    return task, found


def is_asset(source: Path) -> bool:
    """Whether an input is a file whose own views are rendered."""
    from invrender.io.scans import is_scan

    return is_file(source) and source.suffix != ".json" and not is_scan(source)


def _saved(
    destination: Destination, settings: RunSettings, backend: Backend, digest: str, progress: Progress
) -> Saved | None:
    """What to go on from; an unfinished run that is another one is in the way, unless it may be overwritten."""
    if destination.fresh:
        return None
    try:
        return saved_run(workplace(destination.folder), settings, backend.name, digest, progress.say)
    except CheckpointError as error:
        if not destination.overwrite:
            raise
        progress.say(f"{error.cause}: starting over")
        return None


def _opened(
    command: str, settings: RunSettings, backend: Backend, destination: Destination, saved: Saved | None
) -> RunFolder:
    called: dict[str, Any] = {
        "command": command,
        "argv": destination.argv,
        "overwrite": destination.overwrite,
        "save_every": settings.save_every,
    }
    if saved is not None:
        return RunFolder.reopen(destination.folder, rows=saved.loss_rows, **called)
    config = to_toml(settings, f"invrender {command} --config THIS -o DIR repeats this run", remarks(settings, backend))
    return RunFolder.create(destination.folder, config=config, **called)


def remarks(settings: RunSettings, backend: Backend) -> dict[str, str]:
    """What a config.toml notes of a backend and a device that were chosen by themselves."""
    used = {"backend": (settings.backend == "auto", backend.name), "device": (True, str(backend.device))}
    return {name: f"here {text}" for name, (chosen, text) in used.items() if chosen}


def _passed_over(backend: Backend) -> tuple[str, ...]:
    return (backend.passed_over,) if backend.passed_over else ()


def _announce(
    method: Method, destination: Destination, run: RunFolder, saved: Saved | None, said: Sequence[str]
) -> None:
    """Tell those who listen that it begins, and from now on of every checkpoint."""
    record, tell = run.record, destination.events.tell
    run.saved = lambda step, path: tell("checkpoint", step=step, file=str(path.relative_to(run.path)))
    tell(
        "started", folder=run.home, command=method.command, method=method.name, version=record.invrender,
        host=record.host, pid=record.pid, after=None if saved is None else saved.step,
    )  # fmt: skip
    for text in said:
        tell("warning", text=text)


def _assist(method: Method, settings: RunSettings, backend: Backend) -> Outcome:
    """Take the leader's steps with it; the result is the leader's."""
    with heard(True):
        task, _ = load(method, settings, backend)
    arrays = ranks.from_leader(None)
    problem = method.begin(task, settings, backend)
    state = beginning(settings.seed) if arrays is None else unpack(arrays, backend.device)
    for _ in Loop(problem.schedule, state):
        stop.check()
    return Outcome(None, {})


@dataclass(frozen=True)
class Job:
    """A method, what it works on and with what, the checksum of the former, what looks wrong and was said of it."""

    method: Method
    task: Any
    settings: RunSettings
    backend: Backend
    digest: str
    found: tuple[Finding, ...]
    said: tuple[str, ...]


def _run(job: Job, run: RunFolder, progress: Progress, saved: Saved | None) -> Outcome:
    method, task, backend = job.method, job.task, job.backend
    run.note(seed=job.settings.seed, backend=backend.name, device=str(backend.device), **method.facts(task))
    run.log(f"backend {backend.name}: {backend.description}")
    _keep((*job.said, *_passed_over(backend)), run)
    for line in (method.describe(task), *method.notices(task)):
        progress.say(line)
        run.log(line)
    _warn(job.found, run, progress)
    with run.timed("start"), kept(run.log):
        problem = method.begin(task, job.settings, backend)
        give_back()
        reel = Reel(problem.film, run, () if saved is None else unpack_shots(saved.arrays))
        state = beginning(job.settings.seed) if saved is None else unpack(saved.arrays, backend.device)
        loop = Loop(problem.schedule, state)
    if saved is not None:
        progress.say(f"going on after step {saved.step}")
        run.log(f"going on after step {saved.step}")
    processor = time.process_time()
    progress.expect_last(method.last(job.settings), ending(method, task, job.settings))
    with stop.patient(), kept(run.log):
        _follow(loop, problem, run, progress, reel, job.digest)
        run.secure()
    run.log(f"solved in {time.process_time() - processor:.1f} CPU seconds, pictures included")
    progress.stage("measuring and writing")
    result = problem.result(loop.state.finished)
    give_back()
    with run.timed("measure"):
        metrics = method.measure(task, result, backend)
        doubts = method.doubt(task, metrics)
    give_back()
    with run.timed("write"):
        method.write(run, task, result)
        reel.write(result)
        run.metrics(metrics)
    _warn([doubt for doubt in doubts if not doubt.severe], run, progress)
    give_back()
    from invrender.run.told import leave_report  # with all that draws, which no step needs

    leave_report(method, task, job.settings, backend, run, result, metrics, doubts, progress.warn, reel.excerpt)
    if job.settings.strict:
        refuse(doubts, DivergedError)
    return Outcome(method.asset(task, result), metrics, tuple(doubt for doubt in doubts if doubt.severe))


def _warn(findings: Sequence[Finding], run: RunFolder, progress: Progress) -> None:
    for finding in findings:
        progress.warn(str(finding))
    _keep(tuple(map(str, findings)), run)


def _keep(warnings: tuple[str, ...], run: RunFolder) -> None:
    for warning in warnings:
        run.log(f"warning: {warning}")
    if warnings:
        run.note(warnings=(*run.record.warnings, *warnings))


def _follow(loop: Loop, problem: Problem, run: RunFolder, progress: Progress, reel: Reel, digest: str) -> None:
    """Consume the steps: progress, losses, pictures and checkpoints."""
    count = _steps_taken(loop.state)
    spent = time.perf_counter()
    for step in loop:
        run.add_time(step.phase.title, time.perf_counter() - spent)
        count += 1
        progress.at(step.phase.title, step.total, step.index, step.terms)
        if step.phase.recorded:
            run.losses(step.index, {**step.phase.labels, **step.terms, **step.phase.noted(step.params)})
            with run.timed("pictures"):
                reel.step(step)
        run.keep(count, _Kept(problem, step.bare, reel.shots, run.loss_rows, digest))
        stop.check()
        if step.index == step.phase.first:
            give_back()  # what its preparation has left
        del step  # the phase after it is prepared without holding what this one needed
        spent = time.perf_counter()


def _steps_taken(state: LoopState) -> int:
    return sum(finished.steps for finished in state.finished) + (state.current.index if state.current else 0)


@dataclass(frozen=True)
class _Kept:
    """The arrays of a checkpoint, made when it is written."""

    problem: Problem
    step: Step
    shots: Shots
    loss_rows: int
    digest: str

    def __call__(self) -> dict[str, NDArray[Any]]:
        facts = {LOSS_ROWS: np.array(self.loss_rows), INPUT: np.array(self.digest)}
        return {**pack(self.step.state), **pack_shots(self.shots), **facts, **self.problem.arrays(self.step.estimate)}
