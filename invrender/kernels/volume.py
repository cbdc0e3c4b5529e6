"""Kernels on volumes: integrals along rays, projectors and compositing, with their adjoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from invrender.kernels.compositing import RaySamples, Rules
    from invrender.nouns import Cameras


class LineIntegral(Protocol):
    """The exact optical depth along rays through a grid: trilinear between its vertices, zero outside."""

    def __call__(self, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
        """Grid [D,H,W], bounds [2,3] and rays [R,3] (t >= 0 counts) to [R]."""
        ...


class LineIntegralAdjoint(Protocol):
    """Transposed derivative of `LineIntegral`."""

    def __call__(
        self, grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Gradient [R] to the gradients of grid [D,H,W] and, where a backend has them, origin and direction [R,3]."""
        ...


class Backproject(Protocol):
    """Pictures spread over a grid: each voxel collects what they show where it lies in them, by its distance."""

    def __call__(self, images: Tensor, places: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """sum over N of image(column, row) / w^2 for every voxel of a grid [D,H,W].

        Images [N,h,w] are linear between pixels, whose centres lie at +0.5, constant in the outer half of those at the
        border, and 0 beyond. Places are [N,4,4] float64, in main memory: from a voxel's indices (x, y, z, 1) to
        (column w, row s, s, w); s is w but of fan beams, where it is 1. What lies behind a camera (w <= 0) is not seen.
        Filtered back-projection and Feldkamp's method are this on filtered images: it is not the transpose of a
        projector.
        """
        ...


class RayBundle(Protocol):
    """Chosen pixels' rays through a grid as a linear operator A (Joseph's method) with its exact transpose.

    Attributes:
        pixels: [R] int64, which pixels, counted through all views, rows and columns; in no particular order.
        samples: grid samples on all of the rays together.
    """

    @property
    def pixels(self) -> Tensor:
        """[R] int64."""
        ...

    @property
    def samples(self) -> int:
        """How many samples one projection takes."""
        ...

    def forward(self, grid: Tensor) -> Tensor:
        """A x: grid [D,H,W], zero outside the support, to optical depths [R]."""
        ...

    def adjoint(self, values: Tensor) -> Tensor:
        """A' y: [R] to [D,H,W]; what it holds outside the support has no meaning."""
        ...

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """A' W (A x - b) and (A x - b)' W (A x - b) / 2, in one go."""
        ...


class MakeRays(Protocol):
    """Prepares the rays of cameras through a grid."""

    def __call__(
        self,
        shape: tuple[int, int, int],
        bounds: Tensor,
        cameras: Cameras,
        chosen: Tensor | None = None,
        support: Tensor | None = None,
    ) -> RayBundle:
        """The rays of the chosen pixels ([N,H,W] bool; all if None) that meet the support ([D,H,W] bool; the box)."""
        ...


class SmoothStep(Protocol):
    """One projected step of a preconditioned gradient method with smoothed total variation and momentum."""

    def __call__(
        self,
        at: Tensor,
        gradient: Tensor,
        curvature: Tensor,
        before: Tensor,
        smoothing: tuple[float, float],
        beta: float,
    ) -> tuple[Tensor, Tensor, float]:
        """x = max(at - (g + tv') / (h + tv''), 0); returns x, x + beta (x - before) and (at - x) . (x - before).

        All grids are [D,H,W]; curvature inf keeps a voxel where it is. smoothing: the weight and the rounding epsilon
        of sum sqrt(|forward differences|^2 + epsilon^2), whose diagonal majoriser gives tv''. The gradient's memory may
        be that of x afterwards.
        """
        ...


class Composite(Protocol):
    """Emission and absorption along rays through a grid, front to back."""

    def __call__(self, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
        """Grid [D,H,W,C], R rays cut into samples and, for scalar grids, a table [K,4] to RGB and transmittance [R,4].

        For the meaning of C and the table see `invrender.backends.torch.composite`, for the sum over the samples
        `invrender.render.sampling`.
        """
        ...


class CompositeAdjoint(Protocol):
    """Transposed derivative of `Composite`; it traverses the rays a second time and stores nothing per sample."""

    def __call__(
        self, grad: Tensor, result: Tensor, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules
    ) -> tuple[Tensor, Tensor | None]:
        """Gradient [R,4] and result [R,4] to the gradients of grid and table."""
        ...
