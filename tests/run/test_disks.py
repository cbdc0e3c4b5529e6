"""Runs on disks that are full or taken away: one message, nothing half-written, and the first error is the one told."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invrender.errors import UsageError
from invrender.io.files import atomic
from invrender.run import record
from invrender.run.folder import RunFolder


def fill_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing more fits: what is written fails, what lies there can be changed."""

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    monkeypatch.setattr(Path, "write_bytes", full)


def fail_with(error: BaseException) -> Callable[[RunFolder], None]:
    def fail(_: RunFolder) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("work", "kind", "match"),
    [
        (lambda run: run.metrics({"iou": 1}), UsageError, "No space left"),
        (lambda run: None, UsageError, "No space left"),  # its end cannot be noted
        (fail_with(ValueError("the first")), ValueError, "the first"),
        (fail_with(KeyboardInterrupt("the user")), KeyboardInterrupt, "the user"),
    ],
)
def test_a_full_disk_hides_no_error_and_leaves_the_right_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[RunFolder], None], kind: Any, match: str
) -> None:
    with pytest.raises(kind, match=match), RunFolder.create(tmp_path, command="test") as run:
        run.keep(1, lambda: {"a": np.zeros(9)})
        fill_up(monkeypatch)
        work(run)
    found = json.loads((tmp_path / "run.json").read_text())
    assert found["status"] == ("interrupted" if kind is KeyboardInterrupt else "failed")
    assert not (tmp_path / "metrics.json").exists()
    assert not list(tmp_path.rglob("*.npz"))
    assert not list(tmp_path.glob(".*"))


def test_a_record_is_amended_only_where_it_has_room(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("x" * 2000)
    record.amend_record(path, record.Record(status="failed"))
    assert json.loads(path.read_text())["status"] == "failed"
    before = path.read_bytes()
    record.amend_record(path, record.Record(error="long " * 1000))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "work",
    [
        lambda run: run.metrics({}),
        lambda run: run.log("said"),
        lambda run: run.losses(1, {"loss": 1.0}),
        lambda run: run.checkpoint(1, {}),
        lambda run: None,
    ],
)
def test_a_folder_that_is_taken_away_is_named_and_not_made_again(
    tmp_path: Path, work: Callable[[RunFolder], None]
) -> None:
    with pytest.raises(UsageError, match="is gone"), RunFolder.create(tmp_path / "run", command="test") as run:
        shutil.rmtree(tmp_path / "run")
        work(run)
    assert not (tmp_path / "run").exists()
