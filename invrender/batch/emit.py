"""Plain scripts that run a batch's jobs, for people who want to read what runs: Slurm, Kubernetes, make.

Each job is one call of `invrender batch run BATCH --index N`, which runs the job if it is not done and ends with the
job's exit code. Nothing has to stay at work beside these scripts; `invrender batch status` shows how things stand.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

from invrender.batch.engines import Wishes
from invrender.batch.folder import Batch
from invrender.errors import InputError, RetryError, UsageError
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import nearest, shown
from invrender.run.cores import thread_limits

Kind = Literal["slurm", "k8s", "make"]
NAMES = {"slurm": "batch.sbatch", "k8s": "batch.k8s.yaml", "make": "Makefile"}
RETRIES = 2  # of a job, where the batch does not say
MARGIN = 180  # seconds beyond a job's own limit, in which it saves what it has
NOTICE = 120  # seconds before the end of its time at which Slurm tells a job
AGAIN = RetryError.exit_code
HOPELESS = (UsageError.exit_code, InputError.exit_code)


def scripts(kind: str, batch: Batch, wishes: Wishes) -> list[Path]:
    """Write the script of a kind into the batch's folder.

    Args:
        kind: slurm, k8s or make.
        batch: the batch, already written.
        wishes: workers, threads and the time limit go into it.

    Raises:
        UsageError: an unknown kind, no jobs, a folder whose name such a script cannot hold, or it cannot be written.
    """
    makers = {"slurm": _slurm, "k8s": _kubernetes, "make": _make}
    if kind not in makers:
        near = nearest(kind, makers)
        raise UsageError(
            f"there is no kind of script named {shown(kind)}",
            f"did you mean --emit {near}?" if near else f"use --emit {', '.join(makers)}",
        )
    if not batch.jobs:
        raise UsageError("the batch has no jobs", "write at least one into the file of jobs")
    if not str(batch.folder.resolve()).isprintable():
        raise UsageError(
            f"the name of {shown(batch.folder)} holds control characters, which scripts cannot", "use another folder"
        )
    path = batch.folder / NAMES[kind]
    atomic_write_text(path, makers[kind](batch, wishes))
    return [path]


def _slurm(batch: Batch, wishes: Wishes) -> str:
    folder = str(batch.folder.resolve())
    together = f"%{wishes.workers}" if wishes.workers else ""
    minutes = _minutes(wishes.limit) or 60
    output = f"{folder.replace('%', '%%')}/slurm-%A_%a.txt"
    return f"""#!/bin/bash
# The jobs of a batch as one job array: `sbatch {NAMES["slurm"]}`. A job that is done is not run again, so the whole
# array may be submitted as often as one likes. More resources are more lines such as `#SBATCH --partition=gpu`.
#SBATCH --job-name={_label(batch)}
#SBATCH --array=0-{len(batch.jobs) - 1}{together}
#SBATCH --time={minutes}
#SBATCH --cpus-per-task={wishes.threads or 1}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={shlex.quote(output)}
# {NOTICE} seconds before its time is over a job is told; it saves, ends with {AGAIN}, and is queued again to go on.
#SBATCH --signal=USR1@{NOTICE}

{_threads(wishes, "export ")}{_interpreter()}
trap : TERM  # which the job gets too: this script stays to see how it ends

srun --ntasks=1 --cpus-per-task={wishes.threads or 1} \\
    "${{invrender[@]}}" batch run {shlex.quote(folder)} --index "$SLURM_ARRAY_TASK_ID" --as slurm
code=$?
if [ "$code" -eq {AGAIN} ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt 100 ]; then
    if [ "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then  # and not cancelled
        scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
    fi
fi
exit "$code"
"""


def _make(batch: Batch, wishes: Wishes) -> str:
    folder = shlex.quote(str(batch.folder.resolve())).replace("$", "$$").replace("#", "\\#")
    program = " ".join(shlex.quote(word) for word in _words()).replace("$", "$$").replace("#", "\\#")
    rules = "".join(
        f"\n# {json.dumps(job.name)}\nall: job-{index}\njob-{index}:\n"
        f"\t$(INVRENDER) batch run $(BATCH) --index {index} --as make\n.PHONY: job-{index}\n"
        for index, job in enumerate(batch.jobs)
    )
    return f"""# The jobs of a batch, one target each: `make -j4 -k` runs four at a time, and goes on where one fails.
# A job that is done is not run again, so `make` may be called as often as one likes.
SHELL := /bin/sh
INVRENDER ?= {program}
BATCH := {folder}
{_threads(wishes, "export ", " := ")}
.PHONY: all
all:
{rules}"""


def _kubernetes(batch: Batch, wishes: Wishes) -> str:
    folder = str(batch.folder.resolve())
    shared = _common(folder, str(Path(batch.source).parent) if batch.source else folder)
    count, cores = len(batch.jobs), wishes.threads or 1
    minutes = _minutes(wishes.limit)
    deadline = f"\n      activeDeadlineSeconds: {60 * minutes}" if minutes else ""
    return f"""# The jobs of a batch as an Indexed Job of Kubernetes (1.31 or newer):
#     kubectl apply -f {NAMES["k8s"]}
# Lines marked EDIT are placeholders. A job that is done is not run again: delete the Job and apply it once more as
# often as you like.
apiVersion: batch/v1
kind: Job
metadata:
  name: {_label(batch)}
spec:
  completionMode: Indexed
  completions: {count}
  parallelism: {min(wishes.workers or count, count)}
  backoffLimitPerIndex: {_retries(batch)}
  maxFailedIndexes: {count}
  podFailurePolicy:
    rules:
      - action: Ignore  # pre-empted or evicted: it goes on in another pod, and that is no failure
        onPodConditions:
          - type: DisruptionTarget
            status: "True"
      - action: Count  # a passing fault: tried again, from its checkpoint
        onExitCodes:
          containerName: invrender
          operator: In
          values: [{AGAIN}]
      - action: FailIndex  # a wrong setting or input: trying again changes nothing
        onExitCodes:
          containerName: invrender
          operator: In
          values: [{", ".join(map(str, HOPELESS))}]
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: {NOTICE}{deadline}
      containers:
        - name: invrender
          image: REGISTRY/invrender:TAG  # EDIT: an image in which `invrender doctor` works
          command: ["invrender", "batch", "run", {_quoted(folder)}, "--index", "$(JOB_COMPLETION_INDEX)",
                    "--as", "k8s"]
          env:
{_threads(replace(wishes, threads=cores), "            - {name: ", ', value: "', '"}')}\
            - {{name: INVRENDER_CACHE_DIR, value: /tmp/invrender}}
          resources:
            requests: {{cpu: "{cores}", memory: 4Gi}}  # EDIT
            limits: {{cpu: "{cores}", memory: 4Gi}}  # EDIT; for a GPU add nvidia.com/gpu: 1
          volumeMounts:
            - name: shared
              mountPath: {_plain(shared)}  # EDIT: batch and inputs have the same paths in the pods as here
      volumes:
        - name: shared
          persistentVolumeClaim:
            claimName: CLAIM  # EDIT: storage that all pods may read and write
"""


def _words() -> list[str]:
    return [sys.executable, "-m", "invrender"]


def _interpreter() -> str:
    return f"invrender=({' '.join(shlex.quote(word) for word in _words())})"


def _threads(wishes: Wishes, before: str, between: str = "=", after: str = "") -> str:
    """Lines that set the variables by which libraries know how many threads to begin; none where nobody asks."""
    limits = thread_limits(wishes.threads) if wishes.threads else {}
    return "".join(f"{before}{name}{between}{value}{after}\n" for name, value in limits.items())


def _minutes(limit: float | None) -> int | None:
    """A job's time in minutes, with what it takes to begin and to save."""
    return None if limit is None else math.ceil((limit + MARGIN) / 60)


def _retries(batch: Batch) -> int:
    try:
        return int(batch.options.get("retries", RETRIES))
    except (TypeError, ValueError):
        return RETRIES


def _label(batch: Batch) -> str:
    """The batch's name as Slurm and Kubernetes take it: a label of RFC 1123."""
    name = re.sub(r"[^a-z0-9]+", "-", batch.folder.resolve().name.lower()).strip("-")[:40].strip("-")
    return f"invrender-{name}" if name else "invrender"


def _quoted(text: str) -> str:
    """A string of YAML in which Kubernetes expands nothing."""
    return _plain(text.replace("$(", "$$("))


def _plain(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _common(first: str, second: str) -> str:
    """The folder that holds both."""
    both = [Path(first), *Path(first).parents]
    return str(next((folder for folder in both if folder in (Path(second), *Path(second).parents)), Path(first)))
