"""Triangle meshes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from invrender.nouns.appearance import Material

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Tensor = torch.Tensor


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in world units.

    Attributes:
        vertices: [V,3] float (float64 as read from a file, so that large offsets survive; rendering casts to float32).
        faces: [F,3] int64, counter-clockwise seen from outside.
        uv: [V,2] float, or None.
        colours: [V,3] linear float RGB in [0, 1], or None.
        material: what the surface reflects.
        finish: [V,11] float, or None: how each vertex shines, where a file has several materials; see
            `shading.finish`. It stands in for what the material says of highlight, mirroring and emission.
    """

    vertices: Tensor
    faces: Tensor
    uv: Tensor | None = None
    colours: Tensor | None = None
    material: Material = field(default_factory=Material)
    finish: Tensor | None = None

    @staticmethod
    def from_numpy(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> Mesh:
        """A mesh from [V,3] and [F,3] arrays; vertices become float64, faces int64."""
        return Mesh(torch.as_tensor(vertices, dtype=torch.float64), torch.as_tensor(faces, dtype=torch.int64))

    def numpy(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Vertices [V,3] float64 and faces [F,3] int64 as numpy arrays."""
        vertices: NDArray[np.float64] = self.vertices.detach().cpu().double().numpy()
        faces: NDArray[np.int64] = self.faces.cpu().numpy()
        return vertices, faces
