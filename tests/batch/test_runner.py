"""The runner with an engine that does as it is told: what is tried again, what waits, and that nothing runs twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from invrender.batch import runner as runner_module
from invrender.batch.folder import BATCH, CANCEL, Batch, Standing, read_batch, standing_of, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.batch.place import cancel, revive
from invrender.batch.runner import Runner
from invrender.batch.work import Order
from invrender.errors import InvrenderError
from invrender.io.files import atomic
from invrender.run import record

Answer = Callable[[Standing], "tuple[str, Standing] | Exception"]


class Told:
    """An engine whose workers answer what a list says, job by job; `done` where that says nothing more."""

    name, lasting = "told", False

    def __init__(self, answers: Mapping[str, Sequence[Answer]] | None = None, slots: int | None = 2) -> None:
        self.answers = {name: list(each) for name, each in (answers or {}).items()}
        self.slots = slots
        self.orders: list[str] = []
        self.closed: bool | None = None

    def submit(self, order: Order) -> Future[Mapping[str, Any]]:
        folder = Path(order.folder)
        name = folder.name.rpartition("-")[0]
        self.orders.append(name)
        answer = self.answers[name].pop(0) if self.answers.get(name) else done
        found, ticket = answer(standing_of(folder)), Future[Mapping[str, Any]]()
        if isinstance(found, Exception):
            ticket.set_exception(found)
        else:
            ticket.set_result({**asdict(found[1]), "outcome": found[0]})
        return ticket

    def close(self, abandon: bool) -> None:
        self.closed = abandon


def done(standing: Standing) -> tuple[str, Standing]:
    return "done", replace(standing, state="done", attempts=standing.attempts + 1, exit_code=0)


def again(standing: Standing) -> tuple[str, Standing]:
    return "again", replace(standing, exit_code=75, cause="the GPU was lost")


def failed(standing: Standing) -> tuple[str, Standing]:
    return "failed", replace(standing, state="failed", exit_code=3, cause="no such file")


def busy(standing: Standing) -> tuple[str, Standing]:
    return "busy", standing


def full(standing: Standing) -> tuple[str, Standing]:
    return "paused", standing


def killed(standing: Standing) -> Exception:
    del standing
    return RuntimeError("a worker died")


class Clock:
    """Seconds that pass at every look, so that nothing has to be waited for."""

    def __init__(self, step: float = 1.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture(autouse=True)
def _no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module.time, "sleep", lambda seconds: None)


def batch_of(folder: Path, *names: str) -> Batch:
    return Batch(folder, "jobs.jsonl", tuple(Job(name, {"input": f"{name}.glb"}) for name in names), {})


def run(batch: Batch, engine: Told, retries: int = 2, said: list[str] | None = None) -> dict[str, Standing]:
    lines: list[str] = [] if said is None else said
    found = Runner(batch, engine, retries, Order(""), lines.append, clock=Clock()).run()
    return {job.name: found[job.key] for job in batch.jobs}


def test_every_job_is_handed_over_once_and_batch_json_says_so(tmp_path: Path) -> None:
    batch, engine = batch_of(tmp_path, "a", "b", "c"), Told()
    assert {name: each.state for name, each in run(batch, engine).items()} == dict.fromkeys("abc", "done")
    assert engine.orders == ["a", "b", "c"] and engine.closed is False
    table = json.loads((tmp_path / BATCH).read_text())
    assert table["counts"] == {"done": 3} and [row["name"] for row in table["jobs"]] == ["a", "b", "c"]
    assert read_batch(tmp_path) == batch
    run(batch, again_engine := Told())
    assert again_engine.orders == []


def test_what_fails_in_passing_is_tried_again_so_many_times_and_the_rest_is_not(tmp_path: Path) -> None:
    answers = {"a": [again, killed, done], "b": [again] * 9, "c": [failed]}
    said: list[str] = []
    found = run(batch_of(tmp_path, "a", "b", "c"), engine := Told(answers), said=said)
    assert {name: each.state for name, each in found.items()} == {"a": "done", "b": "failed", "c": "failed"}
    assert [engine.orders.count(name) for name in "abc"] == [3, 3, 1]
    assert "the GPU was lost (tried 3 times)" in found["b"].cause
    assert any("worker was lost" in line for line in said)
    assert standing_of(batch_of(tmp_path, "b").place(Job("b", {"input": "b.glb"}))).state == "failed"


def test_a_job_at_which_another_process_works_is_asked_for_later(tmp_path: Path) -> None:
    found = run(batch_of(tmp_path, "a", "b"), engine := Told({"a": [busy] * 5}), retries=0)
    assert {each.state for each in found.values()} == {"done"}
    assert engine.orders.count("a") == 6 and engine.orders.count("b") == 1


def test_a_full_disk_makes_jobs_wait_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = iter([False, False, True])
    monkeypatch.setattr(runner_module, "has_room", lambda folder: next(room))
    said: list[str] = []
    found = run(batch_of(tmp_path, "a", "b", "c"), engine := Told({"a": [full]}), retries=0, said=said)
    assert {each.state for each in found.values()} == {"done"} and engine.orders.count("a") == 2
    assert [line for line in said if "disk" in line or "room" in line] == [
        f"the disk of {tmp_path} is full: jobs wait until there is room again", "there is room again: going on",
    ]  # fmt: skip
    assert next(room, None) is None, "it was asked until there was"


def test_a_disk_that_is_full_for_the_runner_itself_only_makes_it_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, fails = atomic.atomic_write_bytes, iter([True] * 3)

    def full_at_first(*given: Any, **more: Any) -> None:
        if next(fails, False):
            raise atomic.cannot_write(Path(given[0]), OSError(28, "No space left")) from OSError(28, "No space left")
        write(*given, **more)

    monkeypatch.setattr(atomic, "atomic_write_bytes", full_at_first)
    monkeypatch.setattr(runner_module, "has_room", lambda folder: True)
    assert {each.state for each in run(batch_of(tmp_path, "a", "b"), Told()).values()} == {"done"}


def test_a_job_that_was_cancelled_rests_until_it_is_revived(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, "a", "b")
    write_batch(batch, [Standing(), Standing()])
    assert [job.name for job in cancel(batch, ["b"])] == ["b"] and (batch.place(batch.jobs[1]) / CANCEL).exists()
    assert {name: each.state for name, each in run(batch, Told()).items()} == {"a": "done", "b": "cancelled"}
    assert [job.name for job in revive(batch, [])] == ["b"]
    assert json.loads((tmp_path / BATCH).read_text())["counts"] == {"done": 1, "waiting": 1}
    assert run(batch, engine := Told())["b"].state == "done" and engine.orders == ["b"]
    with pytest.raises(InvrenderError, match="no job 'q'"):
        cancel(batch, ["q"])


def test_a_job_revived_while_the_batch_runs_is_taken_up(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, "a", "b")

    def revive_a(standing: Standing) -> tuple[str, Standing]:
        if standing_of(batch.place(batch.jobs[0])).state == "failed":
            write_job(batch.place(batch.jobs[0]), batch.jobs[0], Standing())
            return done(standing)
        return busy(standing)

    found = run(batch, engine := Told({"a": [failed], "b": [revive_a] * 9}, slots=1))
    assert {each.state for each in found.values()} == {"done"} and engine.orders.count("a") == 2


def test_thousands_of_jobs_go_through_an_engine_with_a_queue_of_its_own(tmp_path: Path) -> None:
    batch, engine = batch_of(tmp_path, *(f"job{k}" for k in range(2_000))), Told(slots=None)
    found = run(batch, engine)
    assert len(engine.orders) == len(set(engine.orders)) == 2_000
    assert all(each.state == "done" for each in found.values())
    assert json.loads((tmp_path / BATCH).read_text())["counts"] == {"done": 2_000}


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(10_000, 0, -1))
    monkeypatch.setattr(record, "now", lambda: f"20{next(hours)}-01-01T00:00:00+00:00")
    monkeypatch.setattr(runner_module.time, "time", lambda: float(next(hours)))
    found = run(batch_of(tmp_path, "a", "b"), Told({"a": [again, busy, full]}))
    assert {each.state for each in found.values()} == {"done"}


def test_a_stop_request_lets_the_engine_save_what_it_is_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner_module.stop, "check", stopped)
    engine = Told()
    with pytest.raises(KeyboardInterrupt):
        run(batch_of(tmp_path, "a"), engine)
    assert engine.closed is True
    assert json.loads((tmp_path / BATCH).read_text())["counts"] == {"waiting": 1}
