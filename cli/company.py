"""Commands that several processes may run together, as `torchrun` starts them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from invrender.ranks.world import are_several


def in_company(command: Callable[..., None]) -> Callable[..., None]:
    """The command, run by the leader alone where there are several processes; the others compute what it calls for."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        if not are_several():
            return command(**given)
        from invrender.methods.launch import company

        with company() as leads:
            if leads:
                command(**given)
        return None

    return run
