"""Drivers that crash, hang or cannot be listed end in one readable line, and in the next adapter.

Programs that print what the probe's worker prints, and then fail in the ways of drivers, stand in for it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from invrender.backends.devices import has_package
from invrender.backends.vulkan import probe

pytestmark = pytest.mark.skipif(not has_package("slangpy"), reason="slangpy is not installed")

FAULTY = str(Path(__file__).parent / "programs" / "faulty_driver.py")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INVRENDER_CACHE_DIR", str(tmp_path / "cache"))


def found(*how, timeout=60.0):
    return probe.adapters(fresh=True, command=[sys.executable, FAULTY, *how], timeout=timeout)


def test_an_adapter_that_works_is_reported_with_its_features():
    (good,) = found("good")
    assert (good.name, good.problem, good.software) == ("good", "", True)
    assert "ray_tracing" in good.features


def test_behind_a_driver_that_crashes_the_others_are_tried():
    one, two, three = found("good", "crash", "fine")
    assert (one.problem, three.problem) == ("", "")
    assert two.name == "crash"
    assert two.problem == "its driver crashed (SIGSEGV)"


def test_a_driver_that_hangs_is_given_up():
    (hung, good) = sorted(found("hang", "good", timeout=3.0), key=lambda one: one.name, reverse=True)
    assert hung.problem == "its driver did not answer within 3 s"
    assert good.problem == ""


def test_a_crash_while_adapters_are_listed_and_an_exception_are_said():
    (only,) = found("abort-at-once")
    assert only.problem == "listing the devices crashed (SIGABRT)"
    (only,) = found("raise")
    assert only.problem == "its driver failed: RuntimeError: VK_ERROR_DEVICE_LOST"


def test_no_driver_is_no_adapter():
    assert found() == ()


def test_what_was_found_is_kept_until_something_changes(monkeypatch):
    found("good")
    assert [one.name for one in probe.adapters(command=["this is never run"])] == ["good"]
    monkeypatch.setenv("VK_DRIVER_FILES", "/somewhere/else.json")
    assert probe.adapters(command=[sys.executable, FAULTY]) == ()


def test_a_damaged_record_is_tried_again(tmp_path):
    found("good")
    (kept,) = (tmp_path / "cache" / "vulkan").glob("adapters-*.json")
    for text in ("{", "[1]", json.dumps([{"name": "x"}])):
        kept.write_text(text)
        assert probe.adapters(command=[sys.executable, FAULTY]) == ()


def test_a_cache_folder_that_cannot_be_written_only_costs_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INVRENDER_CACHE_DIR", str(tmp_path / "file"))
    assert [one.name for one in found("good")] == ["good"]
