"""What kernels of radiance fields take: a sparse grid of opacity and view-dependent colour, and rays through it.

A field lives on some vertices of a regular grid. Each of them, a site, has a number u that opacity is made of and the
coefficients of a colour over directions. Between the vertices both are trilinear, and the extinction is

    sigma(u) = MOST / (1 + exp(-u)) per cell,   0 where u < FAINT,

so that a border can be sharper than a cell (as in DirectVoxGO, Sun et al. 2022, and VolSDF, Yariv et al. 2021). Colours
are 1/2 + sum_k Y_k(direction) c_k (as in Plenoxels, Fridovich-Keil et al. 2022). Vertices without a site are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

Tensor = torch.Tensor

MOST = 6.0  # optical depth of a cell that is full: it lets 1/400 through
FAINT = -9.0
EMPTY = -12.0  # u of a vertex without a site
GREY = 0.5  # colour of a site whose coefficients are 0


@dataclass(frozen=True)
class Field:
    """A radiance field of S sites.

    Attributes:
        density: [S], the numbers u.
        colours: [S,3K], coefficients; those of red, green and blue for the first function of direction come first.
        index: [D,H,W] int32, the site of each vertex of the grid, or -1. The outermost vertices have none.
    """

    density: Tensor
    colours: Tensor
    index: Tensor

    def to(self, device: torch.device | str) -> Field:
        """The same field there."""
        return Field(self.density.to(device), self.colours.to(device), self.index.to(device))


@dataclass(frozen=True)
class FieldRays:
    """Equidistant samples along R rays, in index coordinates (x, y, z count vertices of the grid).

    Attributes:
        start: [R,3], the first sample.
        step: [R,3], from one sample to the next.
        length: [R], of the step in cells.
        count: [R] int32, how many samples; none may lie outside the grid.
        basis: [R,K], the functions of direction.
    """

    start: Tensor
    step: Tensor
    length: Tensor
    count: Tensor
    basis: Tensor

    def to(self, device: torch.device | str) -> FieldRays:
        """The same rays there."""
        return FieldRays(*(part.to(device) for part in (self.start, self.step, self.length, self.count, self.basis)))


class RenderField(Protocol):
    """Emission and absorption along rays, front to back."""

    def __call__(self, field: Field, rays: FieldRays) -> Tensor:
        """Colour and transmittance [R,4]; samples behind a transmittance of `compositing.OPAQUE` may be left out."""
        ...


class FieldMisfit(Protocol):
    """The squared difference of rays to what they should show, and its gradient, in one go."""

    def __call__(self, field: Field, rays: FieldRays, target: Tensor) -> tuple[float, Tensor, Tensor]:
        """Target [R,4] to the sum of squares and its gradients with density [S] and colours [S,3K]."""
        ...


class FieldLight(Protocol):
    """How much light reaches the vertices of the grid."""

    def __call__(self, field: Field, rays: FieldRays) -> Tensor:
        """[D,H,W]: the greatest transmittance of any ray at the samples for which a vertex is the nearest; else 0."""
        ...
