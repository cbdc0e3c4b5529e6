"""What the commands of `invrender batch` share: running a batch with a live table, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.cli.options import console, print_json
from invrender.errors import BatchError, StoppedError

if TYPE_CHECKING:
    from invrender.batch.engines import Engine, Wishes
    from invrender.batch.folder import Batch, Standing
    from invrender.batch.jobs import Job

    Show = Callable[[Mapping[str, Standing], set[str]], None]

PLAIN = 30.0  # seconds between two lines off a terminal


def run_batch(batch: Batch, wishes: Wishes, retries: int, *, json: bool, quiet: bool) -> None:
    """Run what is left of a batch, and say how it ended.

    Raises:
        OutputExistsError: another process runs it.
        BatchError: some jobs failed.
        StoppedError: some were cancelled.
    """
    from invrender.batch.engines import opened
    from invrender.batch.place import sole_runner
    from invrender.batch.runner import Runner
    from invrender.batch.work import Order

    with sole_runner(batch.folder):
        engine = opened(wishes, batch.folder)
        order = Order("", engine.name, getattr(engine, "threads", wishes.threads), wishes.limit)
        with _shown(batch, engine, quiet) as (say, show):
            standings = Runner(batch, engine, retries, order, say, show).run()
    _conclude(batch, standings, json=json, quiet=quiet)


@contextmanager
def _shown(batch: Batch, engine: Engine, quiet: bool) -> Iterator[tuple[Callable[[str], None], Show]]:
    """How lines and standings are shown: in a table that is renewed, in plain lines off a terminal, or not at all."""
    from rich.live import Live

    from invrender.batch.table import live

    def say(line: str) -> None:
        if not quiet:
            console.print(line, markup=False)

    if quiet:
        yield say, lambda standings, running: None
    elif not console.is_terminal or console.is_dumb_terminal:
        yield say, _plain(say)
    else:
        with Live(console=console, transient=True, auto_refresh=False) as shown:
            slots = engine.slots or len(batch.jobs)
            yield say, lambda s, running: shown.update(live(batch, s, running, slots), refresh=True)


def _plain(say: Callable[[str], None]) -> Show:
    import time

    from invrender.batch.table import summary

    last = time.monotonic()

    def show(standings: Mapping[str, Standing], running: set[str]) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN:
            last = time.monotonic()
            say(f"{summary(list(standings.values()))} ({len(running)} at work)")

    return show


def _conclude(batch: Batch, standings: Mapping[str, Standing], *, json: bool, quiet: bool) -> None:
    from invrender.batch.folder import counts
    from invrender.batch.table import names, summary

    ordered = [standings[job.key] for job in batch.jobs]
    failed = [job for job in batch.jobs if standings[job.key].state == "failed"]
    resting = [job for job in batch.jobs if standings[job.key].state == "cancelled"]
    if json:
        print_json({"output": batch.folder, "counts": counts(ordered), "failed": [job.name for job in failed]})
    elif not quiet:
        console.print(f"{summary(ordered)}; look at them: invrender batch collect {batch.folder}", markup=False)
    if failed:
        first = standings[failed[0].key].cause
        raise BatchError(
            f"{len(failed)} of {len(ordered)} jobs failed: {names(failed)}; the first: {first}",
            f"`invrender batch status {batch.folder}` tells why; `invrender batch retry {batch.folder}` tries again",
        )
    if resting:
        raise StoppedError(
            f"{len(resting)} of {len(ordered)} jobs were cancelled: {names(resting)}",
            f"`invrender batch retry {batch.folder}` lets them go on",
        )


def tell_gone(gone: Sequence[Job], quiet: bool) -> None:
    """Say which jobs of an earlier version of the file lie in the folder still."""
    from invrender.batch.table import names

    if gone and not quiet:
        console.print(f"no longer in the file, and left as they are: {names(gone)}", markup=False)


def again(folder: Path, *, json: bool, quiet: bool) -> None:
    """Run what is left of the batch in a folder, as it was called before.

    Raises: see `run_batch`.
    """
    from invrender.batch.engines import Wishes
    from invrender.batch.folder import read_batch

    batch = read_batch(folder)
    given: Mapping[str, Any] = batch.options
    wishes = Wishes(
        str(given.get("on", "local")), given.get("workers"), given.get("threads"), given.get("limit"),
        dict(given.get("engine") or {}),
    )  # fmt: skip
    run_batch(batch, wishes, int(given.get("retries", 2)), json=json, quiet=quiet)
