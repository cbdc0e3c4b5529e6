"""The process that `probe` starts: it opens every Vulkan adapter and runs all kernels on it, and says how far it got.

Run as `python -m invrender.backends.vulkan.worker [SKIP...]`; each line it prints is a JSON object. Adapters to skip
are named by the numbers of their luid, joined by hyphens, or else by their name.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import Any

import slangpy as spy

from invrender.backends.devices import CPU
from invrender.backends.self_test import self_test
from invrender.backends.torch import load as load_torch
from invrender.backends.vulkan.adapters import Adapter
from invrender.backends.vulkan.backend import kernels_on
from invrender.backends.vulkan.device import mute, opened
from invrender.errors import InvrenderError

NEEDED = ("acceleration_structure", "atomic_float")
"""Features without which nothing works, beside one way of tracing rays."""

_CALLED = {"acceleration_structure": "ray tracing", "atomic_float": "atomic sums"}


def main(skip: list[str]) -> None:
    """Try all adapters but those that are named."""
    mute()
    found = _listed()
    for one in found:
        say("found", asdict(one))
    for one in found:
        key = "-".join(map(str, one.luid)) or one.name
        if key not in skip:
            say("trying", key)
            say("done", asdict(tried(one)))


def say(what: str, value: Any) -> None:
    """One line of the report, at once: the next step may be the last."""
    print(json.dumps({what: value}), flush=True)


def tried(adapter: Adapter) -> Adapter:
    """The adapter with its features, and its problem where it has one."""
    try:
        device = spy.Device(type=spy.DeviceType.vulkan, adapter_luid=list(adapter.luid) or None)
    except RuntimeError as error:
        return replace(adapter, problem=f"it cannot be opened ({str(error).splitlines()[0]})")
    features = tuple(feature.name for feature in device.features)
    device.close()
    found = replace(adapter, features=features, software="software_device" in features)
    if missing := lacking(features):
        return replace(found, problem=f"its driver has no {', no '.join(missing)}")
    try:
        return replace(found, problem=self_test(kernels_on(opened(found), load_torch(CPU))))
    except InvrenderError as error:
        return replace(found, problem=error.cause)


def _listed() -> list[Adapter]:
    try:
        return [Adapter(one.name, tuple(one.luid)) for one in spy.Device.enumerate_adapters(spy.DeviceType.vulkan)]
    except RuntimeError:  # there is no Vulkan at all
        return []


def lacking(features: tuple[str, ...]) -> list[str]:
    """What a device would need and does not have, in words."""
    rays = not {"ray_tracing", "ray_query"} & set(features)
    return [_CALLED[name] for name in NEEDED if name not in features or (rays and name == "acceleration_structure")]


if __name__ == "__main__":
    main(sys.argv[1:])
