"""Which Vulkan adapters there are, and which of them one asks for. Nothing here loads a driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invrender.errors import BackendError, UsageError

INSTALL_DRIVER = (
    "install your GPU's Vulkan driver, or a software one (README: Drivers for Vulkan), or use --backend auto; "
    "`invrender doctor` tries again"
)


@dataclass(frozen=True)
class Adapter:
    """A Vulkan device of this machine.

    Attributes:
        name: as its driver calls it.
        luid: tells it from others; empty where a driver gives none.
        software: whether it is a driver that computes on the CPU.
        features: of slangpy that it has.
        problem: why it cannot be used, or empty.
    """

    name: str
    luid: tuple[int, ...] = ()
    software: bool = False
    features: tuple[str, ...] = ()
    problem: str = ""


def choose(adapters: Sequence[Adapter], wanted: str | None = None) -> Adapter:
    """The adapter asked for, or the first that works: hardware comes before software.

    Args:
        adapters: all of them.
        wanted: the number of one in the list, counted from 0; "gpu" or "cpu" for one of hardware or software; or a part
            of its name.

    Raises:
        UsageError: there is no such adapter.
        BackendError: there is none that works, or the one asked for does not.
    """
    ordered = sorted(adapters, key=lambda one: one.software)
    if not ordered:
        raise BackendError("there is no Vulkan driver here", INSTALL_DRIVER)
    named = [one for number, one in enumerate(adapters) if _is_meant(wanted, number, one)] if wanted else ordered
    working = [one for one in sorted(named, key=lambda one: one.software) if not one.problem]
    if working:
        return working[0]
    if not named:
        listed = ", ".join(f"{number}: {one.name}" for number, one in enumerate(adapters))
        raise UsageError(f"there is no Vulkan device {wanted!r}", f"use --device with a number or a name: {listed}")
    why = "; ".join(f"{one.name}: {one.problem}" for one in named)
    raise BackendError(f"no Vulkan device works here ({why})", INSTALL_DRIVER)


def _is_meant(wanted: str, number: int, adapter: Adapter) -> bool:
    word = wanted.strip().lower().removeprefix("vulkan").removeprefix(":")
    if word.isdigit():
        return int(word) == number
    if word in ("cpu", "gpu"):
        return adapter.software == (word == "cpu")
    return word in adapter.name.lower()
