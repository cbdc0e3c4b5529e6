"""Files that say where a Dask cluster is, or how one is started.

A scheduler file is the JSON that `dask scheduler --scheduler-file FILE` writes. A cluster file is TOML or YAML:

    cluster = "dask_jobqueue.PBSCluster"   # a class of clusters, by its full name
    jobs = 10                              # workers to start; or, for as many as there is work: adapt = [0, 10]

    [options]                              # what the class takes
    cores = 4
    memory = "16GB"
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from invrender.errors import BackendError, InputError, UsageError
from invrender.io.files.paths import nearest, shown
from invrender.run.resolve import parse_toml

KEYS = ("cluster", "jobs", "adapt", "options")
PACKAGES = {
    "dask_jobqueue": "'invrender[cluster]'",
    "distributed": "'invrender[cluster]'",
    "dask_kubernetes": "dask-kubernetes",
    "dask_cloudprovider": "dask-cloudprovider",
}
PATIENCE = {
    # Kernels may keep a worker from answering for long, and it is not dead for that.
    "distributed.scheduler.worker-ttl": "1 hour",
    "distributed.comm.timeouts.tcp": "5 minutes",
}


@dataclass(frozen=True)
class Description:
    """What a cluster file says.

    Attributes:
        cluster: a class, by its full name.
        jobs: how many workers to start; None: the class decides.
        adapt: the least and the greatest number of them, as there is work; None: always as many.
        options: what the class is called with.
    """

    cluster: str
    jobs: int | None = None
    adapt: tuple[int, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def read_place(path: Path) -> str | Description:
    """The address of a running scheduler, or how a cluster is started.

    Raises:
        InputError: the file is missing or damaged, or says neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = _parsed(path, text)
    except OSError as error:
        raise InputError(
            f"the cluster file {shown(path)} cannot be read: {error.strerror}",
            "name a scheduler file, a cluster file, or --on dask://HOST:PORT",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the cluster file {shown(path)} is damaged: {str(error).splitlines()[0]}", "correct it"
        ) from error
    if isinstance(table, Mapping) and isinstance(table.get("address"), str):
        return str(table["address"])
    return _description(path, table)


def _parsed(path: Path, text: str) -> Any:
    """What the text says.

    Raises:
        ValueError: it is not in the format of its extension.
    """
    if path.suffix.lower() == ".json":
        return json.loads(text)
    if path.suffix.lower() in (".yaml", ".yml"):
        import yaml  # comes with Dask

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from error
    return parse_toml(text)


def _description(path: Path, table: Any) -> Description:
    def check(right: bool, cause: str, remedy: str) -> None:
        if not right:
            raise InputError(f"{shown(path)}: {cause}", remedy)

    check(
        isinstance(table, Mapping) and "cluster" in table,
        "it names neither a scheduler nor a cluster",
        'write `cluster = "dask_jobqueue.PBSCluster"`, or name the file that `dask scheduler` wrote',
    )
    for key in table:
        near = nearest(str(key), KEYS)
        hint = f"did you mean {near}?" if near else "what the class takes belongs below [options]"
        check(key in KEYS, f"{shown(str(key))} is no key of a cluster file", hint)
    name, jobs, adapt, options = (table.get(key) for key in KEYS)
    check(isinstance(name, str) and "." in name, "cluster is no class", 'such as cluster = "distributed.LocalCluster"')
    check(jobs is None or _count(jobs), "jobs is no number of workers", "such as jobs = 10")
    pair = isinstance(adapt, list) and len(adapt) == 2 and all(map(_count, adapt)) and adapt[0] <= adapt[1]
    check(adapt is None or pair, "adapt is no pair of numbers", "such as adapt = [0, 10]")
    check(jobs is None or adapt is None, "it has both jobs and adapt", "leave one out")
    check(
        options is None or isinstance(options, Mapping), "options is no table", "such as [options] and lines below it"
    )
    return Description(str(name), jobs, (adapt[0], adapt[1]) if adapt else None, dict(options or {}))


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def start(described: Description, workers: int | None) -> Any:
    """Start a cluster.

    Args:
        described: what the file says.
        workers: what the caller asked for; where it is None, the file or the class decides.

    Raises:
        UsageError: the class does not take these options.
        BackendError: its package is missing, or it did not start.
    """
    import dask

    made = _class(described.cluster)
    dask.config.set(PATIENCE)
    try:
        cluster = made(**described.options)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{described.cluster} does not take these options: {_line(error)}", "correct [options] in the cluster file"
        ) from error
    except Exception as error:  # each class has its own, such as those of HTTP
        raise BackendError(
            f"{described.cluster} did not start: {_line(error)}",
            "try it in Python first, with the same options; its documentation says what it takes",
        ) from error
    count = workers if workers is not None else described.jobs
    if described.adapt is not None and workers is None:
        least, most = described.adapt
        by_jobs = "minimum_jobs" in inspect.signature(cluster.adapt).parameters
        cluster.adapt(
            **({"minimum_jobs": least, "maximum_jobs": most} if by_jobs else {"minimum": least, "maximum": most})
        )
    elif count is not None:
        by_jobs = "jobs" in inspect.signature(cluster.scale).parameters
        cluster.scale(**({"jobs": count} if by_jobs else {"n": count}))
    return cluster


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    package = module.split(".")[0]
    try:
        return getattr(import_module(module), attribute)
    except ImportError as error:
        wanted = PACKAGES.get(package, package.replace("_", "-"))
        raise BackendError(f"{module} cannot be imported: {_line(error)}", f"pip install {wanted}") from error
    except AttributeError as error:
        near = nearest(attribute, dir(import_module(module)))
        raise UsageError(
            f"{module} has no class {shown(attribute)}",
            f"did you mean {module}.{near}?" if near else "correct `cluster`",
        ) from error


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
