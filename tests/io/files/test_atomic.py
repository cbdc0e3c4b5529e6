"""Files appear whole or not at all."""

from __future__ import annotations

import pytest

from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_path, atomic_write_bytes, atomic_write_text


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
