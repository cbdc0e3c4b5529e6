"""All meshes of a scene as one, for what knows no scenes: rasterized pictures, silhouettes and bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.meshes.parts import Part, join
from invrender.nouns import Material, Mesh, Scene
from invrender.nouns.appearance import BLACK


def joined(scene: Scene) -> Mesh:
    """One mesh of all in a scene, in their order, as far as one can hold their materials (see `io.meshes.parts`).

    All of it is opaque.
    """
    if len(scene.meshes) == 1:
        return replace(scene.meshes[0], material=_opaque(scene.meshes[0].material))
    return join([_part(mesh) for mesh in scene.meshes])


def _part(mesh: Mesh) -> Part:
    vertices, faces = mesh.numpy()
    look = _opaque(mesh.material)
    return Part(vertices, faces, _array(mesh.uv), _array(mesh.colours), None if look.is_default else look)


def _opaque(material: Material) -> Material:
    return replace(material, transmission=BLACK, opacity=1.0)


def _array(values: object) -> NDArray[np.float64] | None:
    return values.detach().cpu().double().numpy() if isinstance(values, torch.Tensor) else None
