"""All meshes of a scene as one, for what knows no scenes: rasterized pictures, silhouettes and bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.parts import Part, join
from invrender.nouns import Mesh, Scene


def joined(scene: Scene) -> Mesh:
    """One mesh of all in a scene, in their order, as far as one can hold their materials (see `io.meshes.parts`)."""
    if len(scene.meshes) == 1:
        return scene.meshes[0]
    return join([_part(mesh) for mesh in scene.meshes])


def _part(mesh: Mesh) -> Part:
    vertices, faces = mesh.numpy()
    plain = mesh.material.is_default
    return Part(vertices, faces, _array(mesh.uv), _array(mesh.colours), None if plain else mesh.material)


def _array(values: object) -> NDArray[np.float64] | None:
    import torch

    return values.detach().cpu().double().numpy() if isinstance(values, torch.Tensor) else None
