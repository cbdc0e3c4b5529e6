"""What every method of `invrender reconstruct` does around its own work: settings, dry run, run folder, summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invrender.cli.options import VARIABLES, check_at_least, check_views, console, output, print_json

LABEL = 40  # characters for the names in the summary


@dataclass(frozen=True)
class Method:
    """A method as the command line sees it; made when it is called for, since what it refers to is heavy.

    Attributes:
        settings: the dataclass of all its settings, `presets` by name.
        check: refuses settings that make no sense.
        select: the kernels for a backend's name and device.
        load: settings and kernels to the task; `describe` says in a few words what is in it.
        execute: (task, settings, kernels, run, progress) to the metrics.
        rows: metrics to the lines of the summary; `files`: metrics to the names of the main results.
        inputs: what INPUT may be, for people.
    """

    settings: type[Any]
    presets: Mapping[str, Mapping[str, object]]
    check: Callable[[Any], None]
    select: Callable[[str, str | None], Any]
    load: Callable[[Any, Any], Any]
    describe: Callable[[Any], str]
    execute: Callable[..., dict[str, Any]]
    rows: Callable[[dict[str, Any]], list[tuple[str, str]]]
    files: Callable[[dict[str, Any]], str]
    inputs: str


@dataclass(frozen=True)
class Call:
    """One call of the command: what was given, by the settings' names, and the options that are no settings."""

    flags: dict[str, Any]
    folder: Path | None
    config: Path | None
    assignments: list[str]
    dry_run: bool
    overwrite: bool
    json: bool
    quiet: bool


def run_job(method: Method, call: Call) -> None:
    """Resolve the settings, run, and report."""
    settings = _settings(method, call)
    folder = Path("outputs") / settings.input.stem if call.folder is None else call.folder
    if call.dry_run:
        _dry_run(method, settings, folder, call.overwrite)
        return
    metrics = _run(method, settings, folder, call)
    if call.json:
        print_json({"output": folder, **metrics})
    elif not call.quiet:
        for name, text in method.rows(metrics):
            output.print(f"{name:<{LABEL}}{text}", markup=False, soft_wrap=True)
        console.print(f"wrote {folder}: {method.files(metrics)}, progress.gif, metrics.json", markup=False)
        console.print(f"look at it: invrender preview {folder}", markup=False)


def refuse(flags: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    """Take options out of the flags that this method does not know; one that was given is a UsageError."""
    from invrender.errors import UsageError

    for name in names:
        if flags.pop(name, None) is not None:
            raise UsageError(f"--{name} {where}", f"leave --{name} out")


def _settings(method: Method, call: Call) -> Any:
    from invrender.errors import UsageError
    from invrender.run.resolve import resolve

    given = any(key.partition("=")[0].strip() == "input" for key in call.assignments)
    if call.flags["input"] is None and call.config is None and not given:
        raise UsageError("there is no INPUT", f"name {method.inputs}")
    settings = resolve(
        method.settings,
        presets=method.presets,
        file=call.config,
        environment=os.environ,
        flags=call.flags,
        assignments=call.assignments,
        other_variables=VARIABLES,
    )
    if settings.views is not None:
        check_views(settings.views)
    if settings.size is not None:
        check_at_least("--size", settings.size, 8)
    check_at_least("gif_frames", settings.gif_frames, 0)
    method.check(settings)
    return settings


def _dry_run(method: Method, settings: Any, folder: Path, overwrite: bool) -> None:
    from invrender.run.folder import check_output
    from invrender.run.resolve import to_toml

    check_output(folder, overwrite)
    task = method.load(settings, method.select(settings.backend, settings.device))
    output.print(to_toml(settings, f"{method.describe(task)}; would write {folder}"), end="")


def _run(method: Method, settings: Any, folder: Path, call: Call) -> dict[str, Any]:
    from invrender.run.folder import RunFolder, check_output
    from invrender.run.progress import Progress
    from invrender.run.resolve import to_toml

    check_output(folder, call.overwrite)
    kernels = method.select(settings.backend, settings.device)
    task = method.load(settings, kernels)
    config = to_toml(settings, "invrender reconstruct --config THIS -o DIR repeats this run")
    with (
        RunFolder.create(
            folder, command="reconstruct", argv=sys.argv[1:], config=config, overwrite=call.overwrite
        ) as run,
        Progress(call.quiet) as progress,
    ):
        return method.execute(task, settings, kernels, run, progress)
