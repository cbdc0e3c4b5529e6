"""pycolmap, which evaluates lenses and finds cameras, imported so that it leaves the process's signals alone."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any


def import_colmap() -> Any:
    """pycolmap, told to be silent but for what ends it.

    Its glog takes SIGTERM over when it is first imported, prints a stack and ends the process, so that a run could not
    save any more; the handler from before comes back.

    Raises:
        ImportError: it is not installed.
    """
    known = "pycolmap" in sys.modules
    before = signal.getsignal(signal.SIGTERM)
    import pycolmap

    if not known and before is not None:
        with suppress(ValueError):  # not in the main thread, where only that one may
            signal.signal(signal.SIGTERM, before)
    pycolmap.logging.minloglevel = pycolmap.logging.Level.FATAL.value
    return pycolmap
