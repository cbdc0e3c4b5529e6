"""Tables of plain numbers and of tensors that gradients reach, put together in a few operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

Tensor = torch.Tensor
Value: TypeAlias = float | Sequence[float] | Tensor
"""A number, or some; plain or as a tensor."""


@dataclass(frozen=True)
class Table:
    """Rows of `columns` numbers, filled field by field; what is not filled is 0."""

    rows: int
    columns: int
    _plain: list[tuple[int, float]] = field(default_factory=list)
    _at: list[int] = field(default_factory=list)
    _tensors: list[Tensor] = field(default_factory=list)

    def put(self, row: int, column: int, value: Value, width: int = 1) -> None:
        """Fill `width` columns of a row, from a column on, with as many numbers, or with the same one."""
        first = row * self.columns + column
        places = range(first, first + width)
        if isinstance(value, Tensor):
            self._at.extend(places)
            self._tensors.append(value.reshape(-1).expand(width))
        elif isinstance(value, Sequence):
            self._plain.extend(zip(places, value, strict=True))
        else:
            self._plain.extend((place, float(value)) for place in places)

    def tensor(self, like: Tensor) -> Tensor:
        """[rows, columns] with the dtype and device of another tensor; differentiable in the tensors."""
        numbers = [0.0] * (self.rows * self.columns)
        for place, number in self._plain:
            numbers[place] = number
        filled = like.new_tensor(numbers)
        if self._tensors:
            at = torch.tensor(self._at, device=like.device)
            filled = filled.index_put((at,), torch.cat([each.to(like) for each in self._tensors]))
        return filled.reshape(self.rows, self.columns)
