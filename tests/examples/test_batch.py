"""The file of jobs among the examples can be started as it stands."""

from __future__ import annotations

from invrender.batch.checked import check_jobs
from invrender.batch.read import read_jobs
from invrender.cli.options import VARIABLES
from tests.examples.conftest import EXAMPLES


def test_the_example_of_a_batch() -> None:
    jobs = read_jobs(EXAMPLES / "batch.toml")
    assert len({job.name for job in jobs}) == len(jobs) == 7
    check_jobs(jobs, VARIABLES)
