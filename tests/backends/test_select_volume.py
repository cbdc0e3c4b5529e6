"""Choosing volume kernels by name, their self-test, and what a first run says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from invrender.backends import select_volume as volumes
from invrender.backends.select_volume import select_volume, self_test
from invrender.errors import BackendError, UsageError
from invrender.kernels import VolumeKernels
from invrender.run.volume_trial import exercise


def test_auto_takes_the_first_that_works() -> None:
    assert select_volume("auto").name == ("cuda" if torch.cuda.is_available() else "cpu")
    assert select_volume("auto", "cpu").name == "cpu"


def test_auto_passes_over_what_fails_its_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(select_volume("cpu"), line_integral=lambda grid, *_: grid.new_zeros(1))
    monkeypatch.setitem(volumes.VOLUMES, "cpu", lambda _: wrong)
    assert select_volume("auto", "cpu").name == "torch"
    with pytest.raises(BackendError, match="self-test density has a wrong optical depth") as caught:
        select_volume("cpu")
    assert "--backend torch" in caught.value.remedy


@pytest.mark.parametrize("name", ["cuda", "vulkan"])
def test_a_backend_that_is_not_there_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(BackendError, match=name) as caught:
        select_volume(name)
    assert "--backend torch" in caught.value.remedy


@pytest.mark.parametrize(("name", "device"), [("auto", "toaster"), ("trch", None)])
def test_an_unknown_name_is_refused(name: str, device: str | None) -> None:
    with pytest.raises(UsageError, match=r"trch|toaster"):
        select_volume(name, device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_refused() -> None:
    for name in ("auto", "cpu", "torch"):
        with pytest.raises(BackendError, match="no CUDA device"):
            select_volume(name, "cuda")


def test_the_self_test_sees_wrong_answers_and_crashes() -> None:
    kernels = select_volume("cpu")

    def crash(*_: Any) -> Any:
        raise RuntimeError("no kernel image")

    assert self_test(kernels) == ""
    assert "no kernel image" in self_test(replace(kernels, joseph_rays=crash))
    twice = replace(kernels, joseph_rays=lambda shape, bounds, views: kernels.joseph_rays(shape, 2 * bounds, views))
    assert "projection" in self_test(twice)


def test_warming_up_calls_every_kernel_and_its_adjoint() -> None:
    called = []

    def noted(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            called.append(name)
            return kernel(*arguments)

        return call

    kernels = select_volume("cpu")
    names = [field.name for field in fields(VolumeKernels) if callable(getattr(kernels, field.name))]
    exercise(replace(kernels, **{name: noted(name, getattr(kernels, name)) for name in names}))
    assert set(called) == set(names)


PROGRAM = """
import torch
from invrender.backends.cpu.volumes import load
grid = torch.ones(2, 2, 2)
load(torch.device("cpu")).smooth_step(grid, grid, grid, grid, (0.0, 0.0), 0.0)
load(torch.device("cpu"))
"""


def test_the_first_run_says_once_that_it_compiles_and_the_second_does_not(tmp_path: Path) -> None:
    given = {**os.environ, "INVRENDER_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    said = [
        subprocess.run([sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True).stderr
        for _ in range(2)
    ]
    assert said[0].count("compiling kernels") == 1
    assert said[1] == ""
