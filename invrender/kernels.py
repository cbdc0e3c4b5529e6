"""The seam between backends: geometric queries as pairs of a kernel and its adjoint.

A backend is a `Backend`: a record of plain functions on tensors, without autograd. `invrender.ops` wraps each pair once
as a differentiable operation; shading, losses and solvers are written on top of those and know nothing of a backend.

Shapes used below: N views, V vertices, F faces, image size (H, W), C channels, R rays. Clip positions are
`(projection @ world_to_camera @ [x, 1])`, homogeneous, with w the depth along the viewing axis of a perspective camera.
A point is visible where -w <= x, y, z <= w. Its pixel coordinates are ((x/w + 1)/2 W, (1 - y/w)/2 H); pixel centres lie
at (column + 0.5, row + 0.5) and row 0 is the top. Faces are int64 vertex indices, two-sided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

if TYPE_CHECKING:
    import torch

    from invrender.nouns import Cameras
    from invrender.topology import Topology
    from invrender.volume.march import Rules, Walk

Size = tuple[int, int]

Wanted = tuple[bool, bool]
"""Which of an adjoint's two gradients somebody asks for."""
BOTH: Wanted = (True, True)


class Rasterize(Protocol):
    """Which face is nearest behind every pixel centre."""

    def __call__(self, clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
        """Clip positions [N,V,4] and faces [F,3] to face ids [N,H,W] int64 (-1: miss) and NDC depth z/w (inf: miss).

        The nearest face wins and equal depths go to the lowest id. Faces that share an edge never leave a gap between
        them and never both cover a pixel centre on it. There is no adjoint: ids are discrete.
        """
        ...


class Interpolate(Protocol):
    """Perspective-correct values of vertex attributes behind every pixel centre."""

    def __call__(self, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
        """Attributes [V,C] or [N,V,C] and face ids [N,H,W] to [N,H,W,C]; 0 on a miss."""
        ...


class InterpolateAdjoint(Protocol):
    """Transposed derivative of `Interpolate`."""

    def __call__(
        self, grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor, wanted: Wanted = BOTH
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradient [N,H,W,C] to the gradients of attributes (their shape) and clip [N,V,4]; None where not wanted."""
        ...


class Antialias(Protocol):
    """Blends pixels across silhouette edges by how far the edge reaches into them."""

    def __call__(
        self, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
    ) -> Tensor:
        """Image [N,H,W,C] with the ids and depth it was drawn from to the antialiased image [N,H,W,C]."""
        ...


class AntialiasAdjoint(Protocol):
    """Transposed derivative of `Antialias`: what makes visibility differentiable."""

    def __call__(
        self,
        grad: Tensor,
        image: Tensor,
        face_id: Tensor,
        depth: Tensor,
        clip: Tensor,
        faces: Tensor,
        topology: Topology,
    ) -> tuple[Tensor, Tensor]:
        """Gradient [N,H,W,C] to the gradients of image [N,H,W,C] and clip [N,V,4]."""
        ...


class Silhouette(Protocol):
    """Coverage of every pixel by the mesh: a mask with antialiased edges, in one go."""

    def __call__(self, clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Tensor:
        """Clip positions [N,V,4] to coverage [N,H,W]."""
        ...


class SilhouetteTaped(Protocol):
    """`Silhouette` that also keeps what its adjoint needs."""

    def __call__(self, clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> tuple[Tensor, Any]:
        """Clip positions [N,V,4] to coverage [N,H,W] and a tape that only the same backend can read."""
        ...


class SilhouetteAdjoint(Protocol):
    """Transposed derivative of `Silhouette`."""

    def __call__(self, grad: Tensor, tape: Any) -> Tensor:
        """Gradient [N,H,W] and the forward pass's tape to the gradient of clip [N,V,4]."""
        ...


class SilhouetteMisfit(Protocol):
    """How far a mesh's silhouettes are from masks: projection, coverage, loss and gradient in one go."""

    def __call__(self, vertices: Tensor, clip_from_object: Tensor) -> tuple[float, Tensor, Tensor]:
        """Vertices [V,3] and matrices [N,4,4] to the misfit, its gradient [V,3] and IoU [N]; all float64.

        misfit = sum_n weight_n sum_p (coverage - mask)^2
        IoU_n = sum_p min(coverage, mask) / sum_p max(coverage, mask), 1 for two empty images
        """
        ...


class MakeMisfit(Protocol):
    """Prepares a comparison for a mesh of fixed connectivity."""

    def __call__(
        self, faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor
    ) -> SilhouetteMisfit:
        """Faces [F,3] of `count` vertices, masks [N,H,W] float32 and weights [N] of the views."""
        ...


class Trace(Protocol):
    """The first face a ray meets."""

    def __call__(
        self, vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Vertices [V,3] and rays [R,3] to face [R] int64 (-1: miss), t [R] (inf: miss) and barycentrics u, v [R].

        The hit lies at origin + t direction = (1-u-v) a + u b + v c, with a, b, c the corners of the face. Only t > 0
        counts, both sides of a face do. There is no adjoint: t, u and v follow from the face by differentiable algebra.
        """
        ...


@dataclass(frozen=True)
class Backend:
    """One implementation of every kernel.

    Attributes:
        name: as `--backend` calls it.
        description: one line for people: what it runs on and what fills in for kernels it lacks.
        device: where its tensors live.
        rasterize ... trace: the kernels; see the protocol of each.
    """

    name: str
    description: str
    device: torch.device
    rasterize: Rasterize
    interpolate: Interpolate
    interpolate_adjoint: InterpolateAdjoint
    antialias: Antialias
    antialias_adjoint: AntialiasAdjoint
    silhouette: Silhouette
    silhouette_taped: SilhouetteTaped
    silhouette_adjoint: SilhouetteAdjoint
    silhouette_misfit: MakeMisfit
    trace: Trace


# --- volumes ----------------------------------------------------------------------------------------------------------


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
        of sum sqrt(|forward differences|^2 + epsilon^2), whose diagonal majoriser gives tv''.
        """
        ...


class Composite(Protocol):
    """Emission and absorption along rays through a grid, front to back."""

    def __call__(self, grid: Tensor, walk: Walk, table: Tensor | None, rules: Rules) -> Tensor:
        """Grid [D,H,W,C], R rays cut into samples and, for scalar grids, a table [K,4] to RGB and transmittance [R,4].

        What C and the table mean, and how samples add up, is told in `invrender.volume.march`.
        """
        ...


class CompositeAdjoint(Protocol):
    """Transposed derivative of `Composite`; walks the rays again and keeps nothing per sample."""

    def __call__(
        self, grad: Tensor, result: Tensor, grid: Tensor, walk: Walk, table: Tensor | None, rules: Rules
    ) -> tuple[Tensor, Tensor | None]:
        """Gradient [R,4] and result [R,4] to the gradients of grid and table."""
        ...


@dataclass(frozen=True)
class VolumeKernels:
    """One implementation of everything that volumes need.

    Attributes:
        name, description: as `--backend` calls it, and one line for people.
        device: where its tensors live.
        line_integral ... composite_adjoint: the kernels; see the protocol of each.
    """

    name: str
    description: str
    device: torch.device
    line_integral: LineIntegral
    line_integral_adjoint: LineIntegralAdjoint
    joseph_rays: MakeRays
    smooth_step: SmoothStep
    composite: Composite
    composite_adjoint: CompositeAdjoint
