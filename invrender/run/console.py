"""Where lines for people go: consoles that know what to do when their reader has left."""

from __future__ import annotations

import os
import sys

from rich.console import Console


class Messages(Console):
    """Messages and progress on stderr. Without a reader they are of no use, and the work goes on in silence."""

    def __init__(self) -> None:
        super().__init__(stderr=True, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Write nothing more."""
        self.quiet = True
        silence(sys.stderr.fileno())


class Results(Console):
    """Results on stdout. Without a reader the command has nothing left to do: BrokenPipeError ends it."""

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> None:
        """Let the caller know, where Rich would end the process by itself."""
        raise BrokenPipeError


def silence(descriptor: int) -> None:
    """Let what is still written to a stream go nowhere, so that no flush of it fails again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
