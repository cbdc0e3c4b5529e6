"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.errors import UsageError
from invrender.io.files.atomic import append_text, atomic_path, atomic_write_bytes, atomic_write_text


def test_written_file_replaces_the_old_one_and_makes_folders(tmp_path):
    target = tmp_path / "new" / "folder" / "a.txt"
    atomic_write_text(target, "one")
    atomic_write_text(target, "zwei ä\n")
    assert target.read_bytes() == "zwei ä\n".encode()
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_what_was_there(tmp_path, failure):
    target = tmp_path / "a.bin"
    atomic_write_bytes(target, b"old")
    with pytest.raises(failure), atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".bin"
        temporary.write_bytes(b"half")
        raise failure
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_places_that_cannot_be_written_to_are_usage_errors(tmp_path):
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file" / "a.txt", tmp_path / "file" / "deeper" / "a.txt", tmp_path):
        with pytest.raises(UsageError) as error:
            atomic_write_text(target, "x")
        assert str(target) in error.value.cause
        assert error.value.remedy
    with pytest.raises(UsageError, match="file is a file, not a folder"):
        atomic_write_text(tmp_path / "file" / "a.txt", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_errors_about_other_files_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        (tmp_path / "missing").read_text()


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def short(*_: object) -> None:
    raise OSError("80 requested and 0 written")  # how numpy says it


@pytest.mark.parametrize("fault", [full, short])
def test_a_full_disk_leaves_nothing_and_is_said(tmp_path, fault):
    atomic_write_bytes(tmp_path / "a.bin", b"old")
    with (
        pytest.raises(UsageError, match=r"cannot write .*a\.bin") as error,
        atomic_path(tmp_path / "a.bin") as temporary,
    ):
        temporary.write_bytes(b"half")
        fault()
    assert "free some space" in error.value.remedy
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_content_is_on_the_disk_before_it_bears_the_name(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        atomic_write_bytes(tmp_path / "a.bin", b"new")
    assert not list(tmp_path.iterdir())
    atomic_write_bytes(tmp_path / "a.bin", b"new", lasting=False)
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_cleaning_up_does_not_hide_what_went_wrong(tmp_path, monkeypatch):
    def unlink(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with pytest.raises(UsageError, match="No space left"), atomic_path(tmp_path / "a.bin"):
        monkeypatch.setattr(Path, "unlink", unlink)
        full()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits on files are set in a child process")
def test_what_does_not_fit_is_not_appended_in_part(tmp_path):
    resource = pytest.importorskip("resource")
    append_text(tmp_path / "a.txt", "one\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(UsageError, match=r"cannot write .*a\.txt"):
            append_text(tmp_path / "a.txt", "two, which is far too long\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "a.txt").read_text() == "one\n"


@pytest.mark.skipif(os.name == "nt", reason="it cannot be told there who lives")
def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    write = "import os, signal, sys; from pathlib import Path; from invrender.io.files.atomic import atomic_path\n"
    write += "with atomic_path(Path(sys.argv[1]) / 'a.txt') as path:\n    path.write_text('half')\n"
    for last in ("    signal.raise_signal(signal.SIGKILL)", "    print(flush=True); sys.stdin.read(1)"):
        child = subprocess.Popen(
            [sys.executable, "-c", write + last, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )  # fmt: skip
        with child:
            child.stdout.readline()
            if "KILL" in last:
                child.wait()
            left = {path.name for path in tmp_path.glob(".a.*-*")}
            assert len(left) == 1
            (tmp_path / ".a.mine.tmp.txt").touch()
            atomic_write_text(tmp_path / "a.txt", "whole")
            assert bool(left & {path.name for path in tmp_path.iterdir()}) == ("KILL" not in last)
    assert (tmp_path / "a.txt").read_text() == "half"  # the other process ended well, and later
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", ".a.mine.tmp.txt"}
