"""Two processes and one run folder: the first that begins has it, the other is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invrender.errors import RetryError
from invrender.run.folder import RunFolder
from tests.conftest import cli_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders have no locks there")

BEGINNING = """
import sys
from invrender.errors import OutputExistsError
from invrender.run import folder

def wait_and_read(path):
    print("checked", flush=True)  # nobody is here, as far as it can see
    sys.stdin.readline()
    return read(path)

read, folder.read_record = folder.read_record, wait_and_read
real, folder.clear = folder.clear, lambda path: wait_and_read(path / "run.json") and None or real(path)
print("asks", flush=True)
try:
    run = BEGIN
    print("begun", flush=True)
except OutputExistsError:
    print("refused", flush=True)
sys.stdin.read()
"""
CREATE = 'folder.RunFolder.create("run", command="test")'
REOPEN = 'folder.RunFolder.reopen(folder.Path("run"), command="test", rows=0)'


@contextmanager
def beginning(folder: Path, begin: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", BEGINNING.replace("BEGIN", begin)], cwd=folder, env=cli_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            assert told(process) == "asks"
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    print(file=process.stdin, flush=True)


@pytest.mark.parametrize("begin", [CREATE, REOPEN])
def test_of_two_that_begin_at_once_one_is_refused(tmp_path: Path, begin: str) -> None:
    if begin == REOPEN:
        with pytest.raises(RetryError), RunFolder.create(tmp_path / "run", command="test"):
            raise RetryError("stopped")
    with beginning(tmp_path, begin) as first:
        assert told(first) == "checked"
        with beginning(tmp_path, begin) as second:
            go_on(first)
            assert told(first) == "begun"
            assert told(second) == "refused"
