"""What a device can refuse while it works ends in the error that says what to do. A stand-in refuses."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from invrender.backends.vulkan.adapters import Adapter
from invrender.errors import BackendError, MemoryLimitError, RetryError

pytest.importorskip("slangpy")

from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute, submit
from invrender.backends.vulkan.memory import download, empty, upload
from invrender.backends.vulkan.worker import lacking


class Refusing:
    """A device, a buffer and an encoder that fail at everything."""

    def __getattr__(self, name):
        def fail(*_, **__):
            raise RuntimeError(f"{name} failed with error: -2147467259 (SLANG_FAIL)")

        return fail


@pytest.fixture
def refusing():
    return Vulkan(Refusing(), Adapter("Stand-in 9000"), False, os.getpid())


def test_memory_that_is_full_is_said_with_what_was_asked_for(refusing):
    with pytest.raises(MemoryLimitError, match=r"Stand-in 9000 cannot hold 0\.50 GiB"):
        empty(refusing, 2**27)
    with pytest.raises(MemoryLimitError, match="cannot hold"):
        upload(refusing, torch.zeros(3), np.float32)


def test_what_shaders_cannot_address_is_refused_before_it_is_tried(refusing):
    with pytest.raises(MemoryLimitError, match="cannot hold 16"):
        empty(refusing, 2**32)


def test_a_shader_that_the_driver_refuses_names_another_backend(refusing):
    with pytest.raises(BackendError, match="takes no shader called interpolate") as caught:
        compute(refusing, ("interpolate", "forward"), 1)
    assert "--backend" in caught.value.remedy


def test_a_lost_device_asks_to_try_again(refusing):
    for act in (lambda: submit(refusing, Refusing()), lambda: download(refusing, Refusing(), (1,))):
        with pytest.raises(RetryError, match="Stand-in 9000 was lost"):
            act()


def test_what_a_driver_lacks_is_named():
    assert lacking(("acceleration_structure", "ray_query", "atomic_float")) == []
    assert lacking(("acceleration_structure", "ray_tracing", "atomic_float")) == []
    assert lacking(("acceleration_structure", "atomic_float")) == ["ray tracing"]
    assert lacking(("ray_tracing",)) == ["ray tracing", "atomic sums"]
