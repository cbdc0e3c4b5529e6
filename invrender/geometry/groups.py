"""Which things are connected, directly or through others: connected components of a graph, by union and find.

Source: Tarjan, Efficiency of a Good But Not Linear Set Union Algorithm, J. ACM 22 (1975), with paths halved; the root
of a group is its lowest number.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.vectors import Ints
from invrender.jit import body, kernel


def groups(a: Ints, b: Ints, count: int) -> Ints:
    """The group [N] int64 of each of `count` things, of which a[i] and b[i] are connected; both [E].

    Groups are numbered by the first of their members.
    """
    found = np.empty(count, np.int64)
    _group(np.ascontiguousarray(a, np.int64), np.ascontiguousarray(b, np.int64), found)
    return found


@kernel
def _group(a: Ints, b: Ints, found: Ints) -> None:
    for i in range(len(found)):
        found[i] = i
    for k in range(len(a)):
        one, other = root(found, a[k]), root(found, b[k])
        found[max(one, other)] = min(one, other)
    count = 0
    for i in range(len(found)):  # a root comes before all other members, and has its number by then
        if found[i] == i:
            found[i] = count
            count += 1
        else:
            found[i] = found[found[i]]


@body
def root(above: Ints, i: int) -> int:
    """The lowest member of a thing's group."""
    while above[i] != i:
        above[i] = above[above[i]]
        i = above[i]
    return i
