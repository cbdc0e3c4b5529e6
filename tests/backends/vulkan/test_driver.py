"""Whether there is a Vulkan driver: skipped in the name of all tests that take one, a failure where one must be."""

from __future__ import annotations

import pytest

from invrender.backends import select


def test_there_is_a_vulkan_driver_and_every_listed_kernel_runs_on_it(no_vulkan):
    if no_vulkan:
        pytest.skip(no_vulkan)
    backend = select("vulkan")
    assert backend.name == "vulkan"
    listed = backend.description.partition("by the cpu backend: ")[2].split(", ")
    for kernel in ("rasterize", "trace", "interpolate", "line_integral", "composite"):
        assert kernel not in listed
