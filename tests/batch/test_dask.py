"""Dask: workers that are killed in the midst of jobs, clusters from files, and schedulers that do not answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from invrender.batch import dask
from invrender.batch.dask_cluster import Description, read_place, start
from invrender.batch.engines import Engine, Wishes, opened, submit_all
from invrender.batch.folder import standing_of
from invrender.batch.work import Order
from invrender.errors import BackendError, InputError, InvrenderError, UsageError
from tests.batch.made import check_done_once, in_loop, made_batch, until
from tests.conftest import cli_environment

pytest.importorskip("distributed", reason="Dask is not installed")
pytestmark = [
    # Dask's event loop closes sockets of workers that were killed when it gets round to it.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
LOCAL = """
cluster = "distributed.LocalCluster"
jobs = 2
[options]
n_workers = 2
threads_per_worker = 1
dashboard_address = ":0"
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with two workers, which are processes of this machine."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "cluster.toml").write_text(LOCAL + f'local_directory = "{folder}"\n')
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for name, value in cli_environment().items():
            patch.setenv(name, value)
        engine = opened(Wishes(f"dask:{folder / 'cluster.toml'}", threads=1), folder)
        yield engine
        engine.close(abandon=False)


def test_jobs_of_killed_workers_go_on_elsewhere_and_are_done_once(engine: Engine, tmp_path: Path) -> None:
    iterations = 500
    batch = made_batch(tmp_path / "batch", ["a", "b"], iterations)
    places = [batch.place(job) for job in batch.jobs]
    tickets = submit_all(engine, [Order(str(place), "dask", threads=1) for place in places])
    killed = until(lambda: next(((place, pid) for place in places if (pid := in_loop(place, 100))), None))
    os.kill(killed[1], signal.SIGKILL)
    told = [until(ticket.done) and ticket.result() for ticket in tickets]
    assert [row["outcome"] for row in told] == ["done"] * 2
    for place in places:
        standing = check_done_once(place, iterations, resumed=int(place == killed[0]))
        assert standing.attempts == 1 + (place == killed[0])


def test_jobs_that_are_stopped_save_and_the_worker_goes_on_with_others(engine: Engine, tmp_path: Path) -> None:
    batch = made_batch(tmp_path / "batch", ["a"], 500)
    place = batch.place(batch.jobs[0])
    order = Order(str(place), "dask", threads=1)
    assert isinstance(engine, dask.DaskEngine)
    engine.submit(order)
    until(lambda: in_loop(place))
    engine._stop_jobs()  # what `close` does first
    stopped = standing_of(place)
    assert stopped.state == "waiting" and stopped.exit_code == 75
    assert engine.submit(order).result()["outcome"] == "done"
    assert check_done_once(place, 500, resumed=1).attempts == 2


def test_a_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setattr(dask, "__version__", "99.0")
    ticket = engine.submit(Order("/nowhere"))
    told = ticket.result()
    assert (told["outcome"], told["exit_code"]) == ("failed", 4)
    assert "99.0" in str(told["cause"])
    with pytest.raises(BackendError, match="the Dask worker tcp://"):
        engine._check_versions()


def test_a_scheduler_that_does_not_answer_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "REACHED", 0.5)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    (tmp_path / "scheduler.json").write_text(json.dumps({"id": "x", "address": f"tcp://127.0.0.1:{port}"}))
    for on in (f"dask://127.0.0.1:{port}", f"dask:{tmp_path / 'scheduler.json'}"):
        with pytest.raises(BackendError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port}") as caught:
            opened(Wishes(on), tmp_path)
        assert "dask worker" in caught.value.remedy


@pytest.mark.parametrize("on", ["dask://login", "dask://", "dask://:x"])
def test_an_address_has_a_host_and_a_port(on: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="host and port"):
        opened(Wishes(on), tmp_path)


def test_a_running_scheduler_takes_no_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="walltime"):
        opened(Wishes("dask://login:8786", options={"walltime": "1:00"}), tmp_path)


def test_a_cluster_file_is_toml_or_yaml(tmp_path: Path) -> None:
    (tmp_path / "pbs.toml").write_text('cluster = "a.B"\nadapt = [0, 10]\n[options]\ncores = 4\n')
    (tmp_path / "pbs.yaml").write_text("cluster: a.B\nadapt: [0, 10]\noptions: {cores: 4}\n")
    for name in ("pbs.toml", "pbs.yaml"):
        assert read_place(tmp_path / name) == Description("a.B", None, (0, 10), {"cores": 4})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither a scheduler nor a cluster"),
        ("cluster = 3", "no class"),
        ('cluster = "a.B"\nscale = 3', "scale is no key"),
        ('cluster = "a.B"\njobs = -3', "no number of workers"),
        ('cluster = "a.B"\nadapt = [3, 1]', "no pair"),
        ('cluster = "a.B"\njobs = 1\nadapt = [0, 1]', "both"),
        ('cluster = "a.B"\noptions = 3', "no table"),
        ("cluster = ", "damaged"),
    ],
)
def test_a_wrong_cluster_file_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_place(path)
    assert "cluster.toml" in caught.value.cause


@pytest.mark.parametrize("name", ["cluster.yaml", "cluster.json", "missing.toml"])
def test_what_is_no_cluster_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("a: [")
    (tmp_path / "cluster.json").write_text("[")
    with pytest.raises(InputError, match=name):
        read_place(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "options", "kind", "said"),
    [
        ("no_such_package.Cluster", {}, BackendError, "pip install no-such-package"),
        ("distributed.LocalCluste", {}, UsageError, "did you mean distributed.LocalCluster"),
        ("dask_jobqueue.PBSCluster", {"coress": 4}, UsageError, "does not take these options"),
        ("dask_jobqueue.PBSCluster", {}, UsageError, "does not take these options"),
    ],
)
def test_clusters_that_do_not_start(
    name: str, options: dict[str, object], kind: type[InvrenderError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        start(Description(name, options=options), None)


def test_without_dask_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BackendError, match="not installed") as caught:
        opened(Wishes("dask://login:8786"), tmp_path)
    assert "invrender[cluster]" in caught.value.remedy
