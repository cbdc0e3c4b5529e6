"""Kernels on meshes: geometric queries as pairs of a kernel and its adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from invrender.nouns.topology import Topology


Size = tuple[int, int]

NeedsGrad = tuple[bool, bool]
"""Which of an adjoint's two gradients are asked for."""


BOTH: NeedsGrad = (True, True)


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
        self,
        grad: Tensor,
        attributes: Tensor,
        faces: Tensor,
        face_id: Tensor,
        clip: Tensor,
        needs_grad: NeedsGrad = BOTH,
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradient [N,H,W,C] to the gradients of attributes (their shape) and clip [N,V,4]; None if not asked for."""
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

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        """Vertices [V,3] and matrices [N,4,4] to the misfit, its gradient [V,3] and IoU [M]; all float64.

        misfit = sum_n weight_n sum_p confidence (coverage - mask)^2
        IoU_n = sum_p confidence min(coverage, mask) / sum_p confidence max(coverage, mask), 1 for two empty images

        With the numbers of M views, the sum runs over these alone, and no other is drawn; None: all N.
        """
        ...


class MakeMisfit(Protocol):
    """Prepares a comparison for a mesh of fixed connectivity."""

    def __call__(
        self,
        faces: Tensor,
        topology: Topology,
        count: int,
        masks: Tensor,
        weight: Tensor,
        confidence: Tensor | None = None,
    ) -> SilhouetteMisfit:
        """Faces [F,3] of `count` vertices, masks [N,H,W], weights [N] of the views.

        Masks are coverage in [0, 1] as float32, or as uint8, where k stands for k/255, in a quarter of the memory.
        Pixels count by their confidence [N,H,W] in [0, 1], kept in either way; 0: nothing is known; None: all alike.
        """
        ...


class Compared(NamedTuple):
    """What a `ColourMisfit` finds: the misfit, its gradients, and how strongly it is curved; all float64.

    misfit is a number, d_vertices [V,3] and d_colours [V,3] its gradients. The curvature [V,3] makes
    misfit + <d_colours, x> + 1/2 <curvature, x^2> an upper bound of the misfit of colours that differ by x.
    """

    misfit: float
    d_vertices: Tensor
    d_colours: Tensor
    curvature: Tensor


class ColourMisfit(Protocol):
    """How far a mesh with coloured vertices is from pictures: projection, drawing, loss and gradients in one go."""

    def __call__(self, vertices: Tensor, colours: Tensor, clip_from_object: Tensor, views: Sequence[int]) -> Compared:
        """Vertices [V,3], colours [V,3] and matrices [N,4,4] of all views to the comparison with those named.

        misfit = sum_n sum_p weight_np sum_c (sqrt(difference^2 + softness^2) - softness), over pixels that show the
        mesh; the colour of a pixel is that of its centre. What appears and disappears at contours is not part of the
        gradient.
        """
        ...


class MakeColourMisfit(Protocol):
    """Prepares a comparison for a mesh of fixed connectivity."""

    def __call__(self, faces: Tensor, count: int, images: Tensor, weight: Tensor, softness: float) -> ColourMisfit:
        """Faces [F,3] of `count` vertices, images [N,H,W,3] float32, weights [N,H,W] float32 of their pixels."""
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
