"""Names in any encoding, streams that take little, and readers that leave: none of them ends in a traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.io.volumes.write import write_volume
from invrender.samples import VOLUMES
from tests.conftest import Outcome, cli_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shells and names of files work differently there")
ODD = os.fsdecode(b"cl\xffoud.npz")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in ("cloud.npz", "wölkchen.npz", ODD):
        write_volume(tmp_path / "new.npz", VOLUMES["cloud"](8))
        (tmp_path / "new.npz").rename(tmp_path / name)
    return tmp_path


def shell(here: Path, text: str, encoding: str = "utf-8") -> Outcome:
    """What `invrender TEXT` does in bash; its exit code is that of the last command of the text."""
    program = f"{shlex.quote(sys.executable)} -m invrender.cli.app"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} {text}"],
        cwd=here,
        env=cli_environment() | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("name", ["wölkchen.npz", ODD])
def test_any_name_is_printed_in_any_encoding(here: Path, name: str, encoding: str) -> None:
    told = shell(here, f"inspect {shlex.quote(name)} --json", encoding)
    assert told.code == 0
    assert json.loads(told.stdout)["path"] == name
    told = shell(here, f"inspect {shlex.quote(name)}", encoding)
    assert (told.code, told.stderr) == (0, "")
    told = shell(here, f"inspect no-{shlex.quote(name)}", encoding)
    assert told.code == 3


def test_a_run_cannot_note_a_name_that_is_not_utf_8(here: Path) -> None:
    told = shell(here, f"reconstruct {shlex.quote(ODD)} -o out --views 2 --size 8 --iterations 1")
    assert (told.code, "is not UTF-8" in told.stderr) == (3, True)
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("redirection", "codes"),
    [
        ("| head -n 1", (0, 141)),
        ("| true", (0, 141)),
        (">&-", (0,)),
        ("2>&-", (0,)),
        ("<&- >&- 2>&-", (0,)),
        ("--json | head -n 1", (0, 141)),
    ],
)
def test_streams_that_are_closed_or_left_are_no_error(here: Path, redirection: str, codes: tuple[int, ...]) -> None:
    told = shell(here, f"inspect cloud.npz {redirection}")
    assert told.code in codes
    assert told.stderr == ""


def test_nobody_listens_to_messages(here: Path) -> None:
    job = "cloud.npz --views 3 --size 8 --iterations 30 --set gif_frames=0"
    assert shell(here, f"reconstruct {job} -o a 2>&1 >/dev/null | true").code == 0
    assert shell(here, f"reconstruct {job} -o b 2>&-").code == 0
    for name in ("a", "b"):
        assert json.loads((here / name / "run.json").read_text())["status"] == "finished"
    assert shell(here, "inspect nothing.npz 2>&-").code == 3


def test_a_working_folder_that_is_gone_is_named(here: Path) -> None:
    (here / "gone").mkdir()
    program = f"{shlex.quote(sys.executable)} -m invrender.cli.app inspect {shlex.quote(str(here / 'cloud.npz'))}"
    done = subprocess.run(
        ["bash", "-c", f"cd gone; rmdir ../gone; {program}"],
        cwd=here, env=cli_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    cause, remedy = done.stderr.splitlines()
    assert "the working folder is gone" in cause
    assert "change to one that exists" in remedy


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_results_that_cannot_be_written_are_no_success(here: Path) -> None:
    for options in ("", "--json"):
        told = shell(here, f"inspect cloud.npz {options} > /dev/full")
        assert told.code == 2
        assert "No space left" in told.stderr
    assert shell(here, "inspect cloud.npz > /dev/full 2> /dev/full").code == 2


def test_names_do_not_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "\x1b[2Jgone.ply"]) == 3
    assert "\x1b" not in capsys.readouterr().err
