"""Whether the other ranks of a run are alive: a closed connection tells at once, but a process that hangs closes none.

Each rank counts up a number of its own in the store that the ranks met by, over a connection of its own, and looks at
those of the others. What counts is how long a number has not changed by this rank's own clock, and a second thread does
the looking at the clock: where the store itself is gone, the first one waits for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

EVERY = 1.0  # seconds between two beats
SILENCE = 20.0  # seconds without one, after which a rank counts as gone
PARTING = 5.0  # seconds to end in after the leader
DONE = 2**40  # added by a rank that has done its part and may fall silent


@dataclass
class _Pulse:
    """When each of the others, by its number, was last seen to have counted on; what it had counted to."""

    seen: dict[int, float]
    counted: dict[int, int] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def watched(rank: int, count: int, leave: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, `leave(cause)` is called from a thread of its own where another rank falls silent."""
    begin = time.monotonic()
    pulse = _Pulse({other: begin for other in range(count) if other != rank})
    beating = threading.Thread(target=_beat, args=(rank, pulse), daemon=True)
    beating.start()
    threading.Thread(target=_look, args=(pulse, leave), daemon=True).start()
    try:
        yield
    finally:
        pulse.over.set()
        beating.join(EVERY)  # so that it takes its leave, unless it cannot


def _beat(rank: int, pulse: _Pulse) -> None:
    """Count on, and see who else did. Ends where the store cannot be reached any more, and the silence is noticed."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    with suppress(RuntimeError):
        store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
        while not pulse.over.is_set():
            store.add(f"alive/{rank}", 1)
            for other in list(pulse.seen):
                counted = store.add(f"alive/{other}", 0)
                if counted >= DONE and other:
                    pulse.seen.pop(other)
                elif counted >= DONE:  # the leader, whom no work outlives for long
                    pulse.seen[other] = min(pulse.seen[other], time.monotonic() - SILENCE + PARTING)
                elif counted != pulse.counted.get(other):
                    pulse.counted[other], pulse.seen[other] = counted, time.monotonic()
            pulse.over.wait(EVERY)
        store.add(f"alive/{rank}", DONE)


def _look(pulse: _Pulse, leave: Callable[[str], None]) -> None:
    looked = time.monotonic()
    while not pulse.over.wait(EVERY):
        now = time.monotonic()
        if now - looked > 2 * EVERY + 1:  # this process itself stood still: the others get their time anew
            pulse.seen.update(dict.fromkeys(pulse.seen, now))
        looked = now
        silent = [other for other, seen in list(pulse.seen.items()) if now - seen > SILENCE]
        if silent and not pulse.over.is_set():
            leave(f"process {silent[0]} of this run has not answered for {SILENCE:.0f} seconds")
