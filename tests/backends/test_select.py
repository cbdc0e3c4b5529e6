"""Choosing a backend by name."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from invrender.backends import select, self_test
from invrender.backends.completion import completed
from invrender.errors import BackendError, UsageError
from invrender.run.trial import exercise, milliseconds


def test_auto_takes_the_first_that_works():
    assert select("auto").name == ("cuda" if torch.cuda.is_available() else "cpu")
    assert select("auto", "cpu").name == "cpu"
    assert "torch" in select("torch").description


@pytest.mark.parametrize("name", ["cuda", "vulkan"])
def test_a_backend_that_is_not_there_is_refused_with_a_remedy(name):
    with pytest.raises(BackendError, match=name) as caught:
        select(name)
    assert "--backend torch" in caught.value.remedy


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError) as caught:
        select("trch")
    assert "torch" in caught.value.remedy


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError):
        select("auto", "toaster")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_cuda_device_is_refused():
    with pytest.raises(BackendError):
        select("torch", "cuda")


def test_the_self_test_sees_wrong_answers_and_crashes():
    backend = select("torch")

    def blank(clip, faces, size):
        return torch.full((1, *size), -1), torch.zeros(1, *size)

    def crash(clip, faces, topology, size):
        raise RuntimeError("no kernel image")

    assert self_test(backend) == ""
    assert "rasterized" in self_test(replace(backend, rasterize=blank))
    assert "no kernel image" in self_test(replace(backend, silhouette_taped=crash))


def test_warming_up_calls_every_kernel_and_its_adjoint():
    called = []

    def noted(name, kernel):
        def call(*arguments):
            called.append(name)
            return kernel(*arguments)

        return call

    backend = select("cpu")
    names = [field.name for field in fields(backend) if callable(getattr(backend, field.name))]
    exercise(replace(backend, **{name: noted(name, getattr(backend, name)) for name in names}))
    assert set(called) == set(names) - {"silhouette"}  # it is the taped one without its tape
    assert 0 < milliseconds(backend, 1) < 1000


def test_missing_kernels_are_filled_in_and_named():
    backend = completed("half", "half of it", select("torch"), rasterize=select("cpu").rasterize)
    assert backend.rasterize is select("cpu").rasterize
    assert backend.description == "half of it; in plain torch: interpolate, antialias, silhouette, trace"
