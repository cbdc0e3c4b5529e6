"""What a method warns of while it works is kept in the run's log, and shown."""

from __future__ import annotations

import logging

from invrender.run.heard import kept


def test_warnings_of_this_package_are_kept_while_a_block_runs():
    lines: list[str] = []
    ours, other = logging.getLogger("invrender.methods.silhouette.start"), logging.getLogger("elsewhere")
    with kept(lines.append):
        ours.warning("the hull had %d handles", 2)
        ours.info("a detail")
        other.warning("not ours")
    ours.warning("afterwards")
    assert lines == ["warning: the hull had 2 handles"]
