"""Lets numba-cuda fill and read its cache without a GPU; prints how many of a few kernels came from there."""

from __future__ import annotations

import json
from typing import Any

import numba.cuda.codegen
import numba.cuda.dispatcher
from compile_cuda import CAPABILITY, PretendedDevice, launches

KERNELS = ("interpolate._forward", "interpolate._adjoint", "smooth_step._step")


class PretendedContext:
    """A context is asked for its device alone."""

    class device(PretendedDevice):
        """The device's number is part of the cache's key."""

        id = 0


def machine_code(kernel: Any) -> None:
    """What binding a kernel to a context does first; its second half needs a driver."""
    kernel._codelibrary.get_cubin(cc=CAPABILITY)


def main() -> None:
    """Print {"found": ..., "compiled": ...}."""
    numba.cuda.dispatcher.get_current_device = lambda: PretendedDevice
    numba.cuda.codegen.devices.get_context = lambda *_: PretendedContext
    numba.cuda.dispatcher._Kernel.bind = machine_code
    counts = {"found": 0, "compiled": 0}
    for name, (kernel, signature) in launches().items():
        if name in KERNELS:
            kernel.compile(signature)
            counts["found"] += sum(kernel.stats.cache_hits.values())
            counts["compiled"] += sum(kernel.stats.cache_misses.values())
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
