"""One of several labels for every vertex of a mesh, cheap at the vertex and similar between neighbours.

    sum_i cost_i(x_i) + sum_(i,j) min(price |x_i - x_j|, limit)

Sequential tree-reweighted message passing (Kolmogorov, "Convergent Tree-Reweighted Message Passing for Energy
Minimization", PAMI 2006); messages of the truncated linear price in linear time (Felzenszwalb and Huttenlocher 2004).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Ints
from invrender.jit import body, kernel

Array = NDArray[Any]


def labelled(cost: Array, edges: Ints, order: Ints, price: float, limit: float, rounds: int = 6) -> tuple[Ints, Array]:
    """Labels [V] int64, and costs [V,T] float32 that include what the neighbours say.

    Args:
        cost: [V,T] float32.
        edges: [E,2], each once.
        order: [V], a permutation; neighbours in space should be near each other in it.
        price: of neighbours that differ by one label.
        limit: the most that neighbours can cost.
        rounds: forward and backward sweeps.
    """
    count = len(cost)
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    start, neighbour, reverse = _neighbours(rank[edges], count)
    messages = np.zeros((len(neighbour), cost.shape[1]), np.float32)
    ordered = np.ascontiguousarray(cost[order], np.float32)
    chosen = np.zeros(count, np.int64)
    _sweep(ordered, start, neighbour, reverse, price, limit, rounds, messages, chosen)
    labels, beliefs = np.empty(count, np.int64), np.empty_like(ordered)
    labels[order], beliefs[order] = chosen, ordered
    return labels, beliefs


def _neighbours(edges: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Compressed rows: where those of a vertex start [V+1], its neighbours [2E], and the entry that leads back [2E]."""
    from scipy.sparse import coo_matrix

    a, b = np.concatenate([edges, edges[:, ::-1]]).T
    number = np.concatenate([np.arange(len(a)) + 1, [0]])[:-1]
    table = coo_matrix((number, (a, b)), shape=(count, count)).tocsr()
    place = np.empty(len(a), np.int64)
    place[table.data - 1] = np.arange(len(a))
    half = len(edges)
    back = np.concatenate([place[half:], place[:half]])
    return table.indptr.astype(np.int64), table.indices.astype(np.int64), back[table.data - 1]


@kernel
def _sweep(
    cost: Array, start: Ints, neighbour: Ints, reverse: Ints, price: float, limit: float, rounds: int, messages: Array,
    chosen: Ints,
) -> None:  # fmt: skip
    """Messages [2E,T] (entry e of vertex i: from its neighbour to i), labels, and costs with what neighbours say."""
    count, labels = cost.shape
    belief, sent = np.zeros(labels, np.float32), np.zeros(labels, np.float32)
    for turn in range(2 * rounds):
        forward = turn % 2 == 0
        for at in range(count):
            i = at if forward else count - 1 - at
            before, after = 0, 0
            belief[:] = cost[i]
            for e in range(start[i], start[i + 1]):
                belief += messages[e]
                before, after = before + (neighbour[e] < i), after + (neighbour[e] > i)
            share = np.float32(1.0 / max(before, after, 1))
            for e in range(start[i], start[i + 1]):
                if (neighbour[e] > i) == forward:
                    for k in range(labels):
                        sent[k] = share * belief[k] - messages[e, k]
                    _message(sent, price, limit, messages[reverse[e]])
    for i in range(count):
        _decide(cost, start, neighbour, messages, price, limit, chosen, i)
    for i in range(count):
        for e in range(start[i], start[i + 1]):
            cost[i] += messages[e]


@body
def _message(sent: Array, price: float, limit: float, message: Array) -> None:
    """min over l of sent(l) + min(price |k - l|, limit), less its minimum."""
    labels = len(sent)
    lowest = sent[0]
    for k in range(1, labels):
        lowest = min(lowest, sent[k])
    for k in range(1, labels):
        sent[k] = min(sent[k], sent[k - 1] + np.float32(price))
    for k in range(labels - 2, -1, -1):
        sent[k] = min(sent[k], sent[k + 1] + np.float32(price))
    for k in range(labels):
        message[k] = min(sent[k] - lowest, np.float32(limit))


@body
def _decide(
    cost: Array, start: Ints, neighbour: Ints, messages: Array, price: float, limit: float, chosen: Ints, i: int
) -> None:
    """The best label of vertex i, given those of the vertices before it and what the others say."""
    best, least = 0, np.inf
    for k in range(cost.shape[1]):
        value = cost[i, k]
        for e in range(start[i], start[i + 1]):
            j = neighbour[e]
            value += min(price * abs(k - chosen[j]), limit) if j < i else messages[e, k]
        if value < least:
            best, least = k, value
    chosen[i] = best
