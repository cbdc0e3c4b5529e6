"""Lists of unequal lengths as flat arrays, a bounded number of items at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch

Tensor = torch.Tensor


def chunks(counts: Tensor, limit: int) -> Iterator[slice]:
    """Consecutive slices of items whose counts sum to about `limit` each, never none."""
    if not len(counts):
        return
    group = torch.div(counts.cumsum(0) - 1, limit, rounding_mode="floor")
    sizes = torch.unique_consecutive(group, return_counts=True)[1].tolist()
    begin = 0
    for size in sizes:
        yield slice(begin, begin + size)
        begin += size


def expand(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Item i counts[i] times, as (item, running number within the item)."""
    item = torch.repeat_interleave(counts)
    start = counts.cumsum(0) - counts
    return item, torch.arange(len(item), device=item.device) - start[item]
