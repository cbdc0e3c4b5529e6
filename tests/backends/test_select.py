"""Choosing a backend by name, its self-test, and the trial of all of its kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from invrender.backends import BACKENDS, select, self_test
from invrender.backends.completion import completed
from invrender.errors import BackendError, RetryError, UsageError
from invrender.kernels import Backend, Part
from invrender.run.trial import exercise, milliseconds

HAS_GPU = torch.cuda.is_available()
NO_KERNELS = ("name", "description", "device", "passed_over", "in_slabs")
KERNELS = [field.name for field in fields(Backend) if field.name not in NO_KERNELS]


def crash(*_: Any) -> Any:
    raise RuntimeError("no kernel image")


def test_auto_takes_the_first_that_works() -> None:
    assert select("auto").name == ("cuda" if HAS_GPU else "cpu")
    assert select("auto", "cpu").name == "cpu"
    assert "torch" in select("torch").description


def test_auto_passes_over_what_fails_its_self_test_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(select("cpu"), line_integral=lambda grid, *_: grid.new_zeros(1))
    assert select("auto", "cpu").passed_over == ""
    monkeypatch.setitem(BACKENDS, "cpu", lambda _: wrong)
    chosen = select("auto", "cpu")
    assert chosen.name == "torch"
    assert "cpu (the self-test density has a wrong optical depth)" in chosen.passed_over
    assert caplog.messages == [f"{chosen.passed_over}; `invrender doctor` has the fix"]
    with pytest.raises(BackendError, match="self-test density has a wrong optical depth") as caught:
        select("cpu")
    assert "--backend torch" in caught.value.remedy


@pytest.mark.parametrize(("needs", "unneeded"), [("meshes", "volumes"), ("volumes", "meshes")])
def test_what_is_not_needed_is_neither_tested_nor_called(
    monkeypatch: pytest.MonkeyPatch, needs: Part, unneeded: Part
) -> None:
    mesh = KERNELS[: KERNELS.index("radiance_torch") + 1]
    broken = [name for name in KERNELS if (name in mesh) == (unneeded == "meshes")]
    half = replace(select("cpu"), **dict.fromkeys(broken, crash))
    monkeypatch.setitem(BACKENDS, "cpu", lambda _: half)
    assert select("cpu", needs=(needs,)) is half
    for given in ((unneeded,), ("meshes", "volumes")):
        with pytest.raises(BackendError, match="no kernel image"):
            select("cpu", needs=given)
    with pytest.raises(BackendError, match="no kernel image"):
        select("cpu")


@pytest.mark.skipif(HAS_GPU, reason="there is a CUDA device")
def test_a_backend_that_is_not_there_is_refused_with_a_remedy() -> None:
    with pytest.raises(BackendError, match="cuda") as caught:
        select("cuda")
    assert "--backend torch" in caught.value.remedy


def test_the_cuda_backend_is_refused_on_a_cpu() -> None:
    with pytest.raises(BackendError, match="cannot work on cpu") as caught:
        select("cuda", "cpu")
    assert "--device cuda" in caught.value.remedy


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        select("trch")
    assert "torch" in caught.value.remedy


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UsageError, match="toaster"):
        select("auto", "toaster")


@pytest.mark.skipif(HAS_GPU, reason="there is a CUDA device")
def test_a_missing_cuda_device_is_refused() -> None:
    for name in ("auto", "cpu", "torch"):
        with pytest.raises(BackendError, match="no CUDA device"):
            select(name, "cuda")


def test_the_self_test_sees_wrong_answers_and_crashes() -> None:
    backend = select("torch")

    def blank(clip: torch.Tensor, faces: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((1, *size), -1), torch.zeros(1, *size)

    assert self_test(backend) == ""
    assert "rasterized" in self_test(replace(backend, rasterize=blank))
    assert "no kernel image" in self_test(replace(backend, silhouette_taped=crash))
    assert "no kernel image" in self_test(replace(backend, joseph_rays=crash))
    twice = replace(backend, joseph_rays=lambda shape, bounds, views: backend.joseph_rays(shape, 2 * bounds, views))
    assert "projection" in self_test(twice)


@pytest.mark.parametrize("error", [MemoryError(), RetryError("SIGTERM"), KeyboardInterrupt()])
def test_a_full_memory_or_a_stop_request_is_not_the_backends_fault(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stop(*_: Any) -> Any:
        raise error

    stopping = replace(select("cpu"), joseph_rays=stop)
    monkeypatch.setitem(BACKENDS, "cpu", lambda _: stopping)
    with pytest.raises(type(error)):
        select("auto", "cpu")


def test_warming_up_calls_every_kernel_and_its_adjoint() -> None:
    called = []

    def noted(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            called.append(name)
            return kernel(*arguments)

        return call

    backend = select("cpu")
    exercise(replace(backend, **{name: noted(name, getattr(backend, name)) for name in KERNELS}))
    assert set(called) == set(KERNELS) - {"silhouette"}  # it is the taped one without its tape
    assert milliseconds(backend, 1) > 0


def test_missing_kernels_are_filled_in_and_named() -> None:
    cpu, torch_backend = select("cpu"), select("torch")
    half = completed("half", "half of it", torch_backend, rasterize=cpu.rasterize, composite=cpu.composite)
    assert half.rasterize is cpu.rasterize
    assert half.line_integral is torch_backend.line_integral
    assert half.description == (
        "half of it; in plain torch: interpolate, antialias, silhouette, trace, radiance, line_integral, backproject, "
        "joseph_rays, smooth_step, composite_adjoint, field"
    )
    whole = completed("whole", "all of it", torch_backend, **{name: getattr(cpu, name) for name in KERNELS})
    assert whole.description == "all of it"
