"""The device and processes: forks, two at once, a cache that cannot be written, no driver, and a choice of adapters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.backends import select
from invrender.errors import BackendError, UsageError

pytestmark = pytest.mark.vulkan

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "programs" / "one_triangle.py"


def start(*arguments, **environment):
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.Popen(command, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1]), err


def test_after_a_fork_the_device_is_refused_with_a_sentence():
    said, _ = told(start("fork"))
    assert "before this process was forked" in said["cause"]
    assert "spawn" in said["remedy"]


def test_two_processes_at_once_share_one_empty_cache(tmp_path):
    both = [start(INVRENDER_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert [told(process)[0]["covered"] for process in both] == [28, 28]
    assert any((tmp_path / "vulkan").iterdir())


def test_a_cache_folder_that_cannot_be_written_is_said_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    said, err = told(start(INVRENDER_CACHE_DIR=str(tmp_path / "file")))
    assert said["covered"] == 28
    assert "cannot be kept" in err


def test_without_a_driver_the_backend_is_refused_and_auto_takes_the_next():
    nothing = {"VK_DRIVER_FILES": "/nonexistent.json"}
    said, _ = told(start("refused", **nothing))
    assert "no Vulkan driver" in said["cause"]
    said, err = told(start("auto", **nothing))
    assert said["name"] == "cpu"
    assert "passed over" not in err


def test_queries_and_pipelines_find_the_same():
    said, _ = told(start(INVRENDER_VULKAN_RAYS="query"))
    assert said["covered"] == 28
    assert "queries" in said["description"]
    said, _ = told(start("refused", INVRENDER_VULKAN_RAYS="rays"))
    assert "INVRENDER_VULKAN_RAYS" in said["cause"] + said["remedy"]


def test_an_adapter_can_be_chosen():
    assert select("vulkan", "0").name == "vulkan"
    with pytest.raises(UsageError, match="toaster"):
        select("vulkan", "toaster")
    with pytest.raises((UsageError, BackendError)):
        select("vulkan", "99")
