"""Scripts of a batch: make and the shell run them here; the manifest is read as Kubernetes would."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from invrender.batch.emit import scripts
from invrender.batch.engines import Wishes
from invrender.batch.folder import Batch, standing_of
from invrender.errors import UsageError
from tests.batch.made import check_done_once, made_batch
from tests.conftest import cli_environment

STEPS = 10
NAMES = ["it's $HOME # 100%", 'a = "b" \\ \n $(shell false) `false`\\']


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Two jobs, whose names and folder hold what make and shells take for something else."""
    return made_batch(tmp_path_factory.mktemp("scripts") / 'it\'s 100% "my" $HOME #1 \\', NAMES, STEPS)


def called(batch: Batch, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the batch's folder."""
    return subprocess.run(
        command, cwd=batch.folder, env=cli_environment() | environment, capture_output=True, text=True, check=False
    )


def stand_ins(folder: Path, programs: dict[str, str]) -> str:
    """A PATH with programs in place of Slurm's."""
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(None in (shutil.which("make"), shutil.which("bash")), reason="there is no make or no bash here")
def test_scripts_run_every_job_once(batch: Batch, tmp_path: Path) -> None:
    first, second = (batch.place(job) for job in batch.jobs)
    (path,) = scripts("slurm", batch, Wishes())
    found = stand_ins(tmp_path, {"srun": 'shift 2\nexec "$@"'})
    ended = called(batch, "bash", str(path), SLURM_ARRAY_TASK_ID="1", PATH=found)
    assert ended.returncode == 0, ended.stderr
    assert (standing_of(first).attempts, standing_of(second).engine) == (0, "slurm")
    (path,) = scripts("make", batch, Wishes(threads=1))
    assert path == batch.folder / "Makefile"
    ended = called(batch, "make", "-k")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (standing_of(first).engine, standing_of(second).engine) == ("make", "slurm")
    for place in (first, second):
        assert check_done_once(place, STEPS, resumed=0).attempts == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_goes_on_where_a_job_fails(batch: Batch) -> None:
    scripts("make", batch, Wishes())
    ended = called(batch, "make", "-k", "INVRENDER=false")
    assert ended.returncode == 2
    assert "job-0" in ended.stderr and "job-1" in ended.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_a_slurm_script_asks_for_what_is_wished(tmp_path: Path) -> None:
    batch = made_batch(tmp_path / "it's $HOME 100%", NAMES, STEPS)
    (path,) = scripts("slurm", batch, Wishes(workers=7, threads=4, limit=3600))
    lines = path.read_text().splitlines()
    for line in ("array=0-1%7", "time=63", "cpus-per-task=4", "requeue", "signal=USR1@120"):
        assert f"#SBATCH --{line}" in lines
    assert any(line.startswith("#SBATCH --output=") and "100%%/" in line for line in lines)
    assert called(batch, "bash", "-n", str(path)).returncode == 0


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("code", "state", "queued"),
    [(75, "RUNNING", ["requeue 42_3"]), (75, "CANCELLED", []), (0, "RUNNING", []), (3, "RUNNING", [])],
)
def test_a_slurm_script_has_jobs_queued_again(code: int, state: str, queued: list[str], tmp_path: Path) -> None:
    batch = made_batch(tmp_path / "batch", ["ball"])
    (path,) = scripts("slurm", batch, Wishes())
    # The script gets a signal that the job gets too, and waits for how it ends all the same.
    programs = {
        "srun": f"kill -TERM $PPID; sleep 0.1; exit {code}", "squeue": f"echo {state}",
        "scontrol": f'echo "$@" >> {tmp_path}/queued',
    }  # fmt: skip
    environment = {"PATH": stand_ins(tmp_path, programs)}
    ended = called(
        batch, "bash", str(path), SLURM_JOB_ID="7", SLURM_ARRAY_JOB_ID="42", SLURM_ARRAY_TASK_ID="3", **environment
    )
    assert ended.returncode == code
    found = (tmp_path / "queued").read_text().splitlines() if (tmp_path / "queued").exists() else []
    assert found == queued


def test_a_manifest_says_what_kubernetes_needs(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    batch = made_batch(tmp_path / 'My "odd": $(FOLDER) #1', NAMES)
    (path,) = scripts("k8s", replace(batch, options={"retries": 5}), Wishes(workers=1, threads=2, limit=600))
    job = yaml.safe_load(path.read_text())
    assert (job["apiVersion"], job["kind"], job["metadata"]["name"]) == ("batch/v1", "Job", "invrender-my-odd-folder-1")
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 1)
    assert spec["backoffLimitPerIndex"] == 5 and spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["template"]["spec"]["activeDeadlineSeconds"] == 780
    rules = {rule["action"]: rule for rule in spec["podFailurePolicy"]["rules"]}
    assert rules["Ignore"]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert rules["Count"]["onExitCodes"]["values"] == [75]
    assert rules["FailIndex"]["onExitCodes"]["values"] == [2, 3]
    (container,) = spec["template"]["spec"]["containers"]
    folder = str(batch.folder).replace("$(", "$$(")
    assert container["command"][:6] == ["invrender", "batch", "run", folder, "--index", "$(JOB_COMPLETION_INDEX)"]
    assert {"name": "OMP_NUM_THREADS", "value": "2"} in container["env"]
    assert container["resources"]["requests"]["cpu"] == "2"
    (mount,) = container["volumeMounts"]
    assert batch.folder.is_relative_to(mount["mountPath"]) and Path(batch.source).is_relative_to(mount["mountPath"])
    assert path.read_text().count("EDIT") > 4


def test_what_no_script_can_hold_is_refused(tmp_path: Path) -> None:
    batch = made_batch(tmp_path / "batch", ["ball"])
    with pytest.raises(UsageError, match="no kind of script") as caught:
        scripts("mak", batch, Wishes())
    assert "--emit make" in caught.value.remedy
    with pytest.raises(UsageError, match="no jobs"):
        scripts("make", replace(batch, jobs=()), Wishes())
    with pytest.raises(UsageError, match="control characters"):
        scripts("make", replace(batch, folder=tmp_path / "a\nb"), Wishes())
