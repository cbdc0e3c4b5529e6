"""Samples on regular grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Tensor = torch.Tensor


@dataclass(frozen=True)
class Volume:
    """Samples on the vertices of a regular grid: trilinear between them, zero outside.

    Attributes:
        values: [C,D,H,W] float32 in the order z, y, x (x runs fastest on disk); C = 1 for a density.
        bounds: [2,3] float64, the positions (x, y, z) of the first and the last grid vertex in world units.
        name: as the file calls the field.
        units: of length, where the file says so.
        placement: [3,4] float64, of a grid that is turned against the world of its file: a position p of the volume's
            own frame, which `bounds`, cameras and all results speak of, lies there at placement[:, :3] @ p +
            placement[:, 3]. None: both are one. Everything is computed in the volume's own frame, without resampling;
            files are written to the place that they came from.
    """

    values: Tensor
    bounds: Tensor
    name: str = "density"
    units: str | None = None
    placement: Tensor | None = None

    @staticmethod
    def from_numpy(
        values: NDArray[np.floating],
        bounds: NDArray[np.floating] | None = None,
        name: str = "density",
        units: str | None = None,
    ) -> Volume:
        """A volume from a [D,H,W] or [C,D,H,W] array.

        Without bounds the voxels are cubes, the longest axis has length 1, and the box is centred on the origin.
        """
        grid = torch.as_tensor(values, dtype=torch.float32)
        grid = grid[None] if grid.ndim == 3 else grid
        if bounds is None:
            cells = torch.tensor([grid.shape[3] - 1, grid.shape[2] - 1, grid.shape[1] - 1], dtype=torch.float64)
            half = cells / cells.max().clamp(min=1) / 2
            return Volume(grid, torch.stack([-half, half]), name, units)
        return Volume(grid, torch.as_tensor(bounds, dtype=torch.float64), name, units)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W): samples along z, y, x."""
        depth, height, width = self.values.shape[1:]
        return depth, height, width

    @property
    def spacing(self) -> Tensor:
        """[3] float64: the distance (x, y, z) between neighbouring samples in world units."""
        depth, height, width = self.shape
        cells = torch.tensor([width - 1, height - 1, depth - 1], dtype=torch.float64).clamp(min=1)
        return (self.bounds[1] - self.bounds[0]) / cells

    @property
    def frame(self) -> tuple[Tensor, float]:
        """The centre [3] float64 of the box and the length of its longest axis: the normalised frame in the world."""
        return self.bounds.mean(0), float((self.bounds[1] - self.bounds[0]).max())

    def scaled(self, factor: float, units: str | None = None) -> Volume:
        """The same values with all lengths multiplied by `factor`, and what the unit of length then is."""
        placement = self.placement
        if placement is not None:
            placement = torch.cat([placement[:, :3], placement[:, 3:] * factor], 1)
        return replace(self, bounds=self.bounds * factor, units=units, placement=placement)

    def in_world(self, points: Tensor) -> Tensor:
        """Points [...,3] of the volume's own frame in the world of its file."""
        if self.placement is None:
            return points
        turn = self.placement.to(points)
        return points @ turn[:, :3].T + turn[:, 3]

    def numpy(self) -> NDArray[np.float32]:
        """The values [C,D,H,W] float32 as an array."""
        values: NDArray[np.float32] = self.values.detach().cpu().float().numpy()
        return values
