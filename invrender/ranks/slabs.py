"""Grids that no rank holds as a whole: each keeps a slab, a stretch of slices along z, and the leader has a handle.

A handle is a tensor as far as torch's functions go. Those that work value by value, and sums, means and extremes of all
values, are carried out slab by slab where the slabs are; anything else brings the whole grid to the leader first, as
files and pictures need it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from invrender.ranks.calls import Kept, Part, count, whose

Tensor = torch.Tensor
Shape = tuple[int, int, int]

_ALIKE = ("zeros_like", "ones_like", "full_like", "_to_copy", "clone", "detach", "alias")
_NUMBERS = ("equal",)  # which torch counts among those that work value by value
_TOGETHER: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": torch.sum, "max": torch.amax, "min": torch.amin, "any": torch.any, "all": torch.all,
}  # fmt: skip


def stretches(depth: int) -> list[tuple[int, int]]:
    """The slices [begin, end) of each rank's slab of a grid."""
    ranks = count()
    return [(depth * rank // ranks, depth * (rank + 1) // ranks) for rank in range(ranks)]


class SlabGrid(torch.Tensor):
    """The handle of a grid [D,H,W] that lies in slabs.

    Attributes:
        kept: the slabs, [d,H,W] each.
        cuts: which slices each of them has.
    """

    kept: Kept
    cuts: list[tuple[int, int]]
    __torch_function__: ClassVar[Any] = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, kept: Kept, cuts: list[tuple[int, int]]) -> SlabGrid:
        """The grid of slabs; `kept` told the dtype, the size of a slice and the device of its part."""
        dtype, (height, width), device = kept.told[0]
        grid = torch.Tensor._make_wrapper_subclass(cls, (cuts[-1][1], height, width), dtype=dtype, device=device)
        grid.kept, grid.cuts = kept, cuts
        return grid

    def __repr__(self) -> str:  # type: ignore[override]
        return f"SlabGrid{tuple(self.shape)} in {len(self.cuts)} slabs"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Carry out one of torch's operations."""
        del types
        named = kwargs or {}
        flat, tree = tree_flatten((args, named))
        name = func.overloadpacket.__name__
        grids = [value for value in flat if isinstance(value, SlabGrid)]
        sizes = {tuple(value.shape) for value in flat if isinstance(value, Tensor) and value.ndim}
        if len(sizes) == 1 and (name in _ALIKE or torch.Tag.pointwise in func.tags) and name not in _NUMBERS:
            return _by_value(func, args, named, grids[0])
        if len(flat) == 1 and (name in _TOGETHER or name == "mean"):
            return _of_all(name, grids[0])
        whole = [value.whole() if isinstance(value, SlabGrid) else value for value in flat]
        args, named = tree_unflatten(whole, tree)
        return func(*args, **named)

    def whole(self) -> Tensor:
        """All of it, on this rank."""
        return torch.cat([part.own.to(self.device) for part in self.kept(_handed)])

    def numpy(self, *, force: bool = False) -> Any:
        """All of it as an array."""
        return self.whole().numpy(force=force)


def in_slabs(grid: Tensor) -> SlabGrid:
    """The grid in slabs; as it is where it lies in slabs already."""
    if isinstance(grid, SlabGrid):
        return grid
    cuts = stretches(len(grid))
    return SlabGrid(Kept(_keep, (), [(grid[begin:end].contiguous(),) for begin, end in cuts]), cuts)


def made(work: Callable[..., Any], common: tuple[Any, ...], depth: int, shares: Sequence[tuple[Any, ...]]) -> SlabGrid:
    """The grid whose slabs `work(*common, *share)` makes on each rank."""
    return SlabGrid(Kept(_kept_from, (work, common), shares), stretches(depth))


def number(grid: SlabGrid) -> int:
    """By which each rank finds its slab; see `slab`."""
    return grid.kept.number


def slab(at: int) -> Tensor:
    """This rank's slab of a grid."""
    found: Tensor = whose(at)
    return found


def enlarged(grid: Tensor, shape: Shape) -> Tensor:
    """A grid [d,h,w] at other sizes of the same box, linearly between its samples, which reach to the box's sides."""
    if isinstance(grid, SlabGrid):
        coarse = grid.whole()
        return made(_enlarged, (coarse, shape), shape[0], stretches(shape[0]))
    grown = torch.nn.functional.interpolate(grid[None, None], shape, mode="trilinear", align_corners=True)
    return grown[0, 0].contiguous()


def _enlarged(coarse: Tensor, shape: Shape, begin: int, end: int) -> Tensor:
    """Slices [begin, end) of an enlarged grid, one after the other."""
    fine = coarse.new_empty((end - begin, *shape[1:]))
    for k in range(begin, end):
        at = k * (len(coarse) - 1) / max(shape[0] - 1, 1)
        low = min(int(at), len(coarse) - 2) if len(coarse) > 1 else 0
        piece = torch.lerp(coarse[low], coarse[min(low + 1, len(coarse) - 1)], at - low)
        fine[k - begin] = torch.nn.functional.interpolate(
            piece[None, None], shape[1:], mode="bilinear", align_corners=True
        )[0, 0]
    return fine


class _Place(NamedTuple):
    """Stands for a rank's slab of a grid."""

    number: int


def _by_value(func: Any, args: Sequence[Any], named: Mapping[str, Any], like: SlabGrid) -> SlabGrid:
    """An operation that gives every value from those at the same place."""
    given = [in_slabs(value) if isinstance(value, Tensor) and value.ndim else value for value in args]
    placed = [_Place(number(value)) if isinstance(value, SlabGrid) else value for value in given]
    common = (func.overloadpacket.__name__, func._overloadname, placed, dict(named))
    return SlabGrid(Kept(_kept_from, (_apply, common), [()] * len(like.cuts)), like.cuts)


def _apply(packet: str, overload: str, placed: list[Any], named: dict[str, Any]) -> Tensor:
    args = [slab(value.number) if isinstance(value, _Place) else value for value in placed]
    found: Tensor = getattr(getattr(torch.ops.aten, packet), overload)(*args, **named)
    return found


def _of_all(name: str, grid: SlabGrid) -> Tensor:
    """A number from all values."""
    if name == "mean":
        return _of_all("sum", grid) / math.prod(grid.shape)
    together = _TOGETHER[name]
    return together(torch.stack([part.own.to(grid.device) for part in grid.kept(_reduced, (name,))]))


def _reduced(part: Tensor, name: str) -> Part:
    found: Tensor = _TOGETHER[name](part)
    return Part((), found)


def _keep(part: Tensor) -> tuple[Tensor, Any]:
    return part, (part.dtype, tuple(part.shape[1:]), part.device)


def _kept_from(work: Callable[..., Any], common: tuple[Any, ...], *share: Any) -> tuple[Tensor, Any]:
    return _keep(work(*common, *share))


def _handed(part: Tensor) -> Part:
    return Part((), part)
