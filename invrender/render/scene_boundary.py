"""The closed mesh around a medium: checked, and its faces turned so that each shows its back from within."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.geometry.connectivity import components, signed_volume
from invrender.geometry.winding import solid_angle_share
from invrender.nouns import Mesh
from invrender.nouns.medium import Medium
from invrender.nouns.topology import topology
from invrender.shading.surface import equal_rows

Tensor = torch.Tensor
Floats = NDArray[np.float64]

_SAME = 1e-9  # of the mesh's size: vertices that are closer are at one place


def boundary_of(medium: Medium | None, centre: Tensor, unit: float, dtype: torch.dtype) -> Tensor:
    """Corners [B,3,3] in the frame of the closed mesh that bounds a medium, turned outwards; [0,3,3] where none does.

    Raises:
        InputError: the mesh is open, or its faces are turned both ways.
    """
    if medium is None or medium.inside is None:
        return centre.new_zeros(0, 3, 3, dtype=dtype)
    corners = torch.from_numpy(outwards(medium.inside, medium.name))
    return ((corners.to(centre) - centre) / unit).to(dtype)


def outwards(mesh: Mesh, name: str) -> Floats:
    """Corners [F,3,3] of a closed mesh, each of its bodies turned outwards, and cavities into themselves.

    Raises:
        InputError: the mesh is open, or its faces are turned both ways.
    """
    vertices, _ = mesh.numpy()
    if not np.isfinite(vertices).all():
        raise InputError(f"the mesh around '{name}' has vertices that are no finite numbers", "repair the mesh")
    merged = torch.from_numpy(_merged(vertices))[mesh.faces.cpu()]
    proper = (merged != merged.roll(1, 1)).all(1)
    merged = merged[proper]
    edges = topology(merged)
    if not len(merged) or bool((edges.faces < 0).any()):
        raise InputError(
            f"the mesh around '{name}' is open: {int((edges.faces < 0).any(1).sum())} edges have one face only",
            "close it in a mesh editor, or leave the mesh out: the medium then fills its box",
        )
    if bool((edges.sign.sum(1) != 0).any()):
        raise InputError(
            f"the mesh around '{name}' has faces that are turned against their neighbours",
            "turn them the same way in a mesh editor",
        )
    corners = vertices[mesh.faces.cpu()[proper].numpy()]
    bodies = components(merged.numpy())
    parts = [corners[bodies == k] for k in range(int(bodies.max()) + 1)]
    return np.concatenate([_turned(parts, k) for k in range(len(parts))])


def _merged(vertices: Floats) -> NDArray[np.int64]:
    """A number per vertex [V], the same where they are at one place but for rounding."""
    size = float(np.ptp(vertices, axis=0).max(initial=0)) or 1.0
    rounded = torch.from_numpy(np.round((vertices - vertices.min(0, initial=0)) / (_SAME * size)))
    return equal_rows(rounded).numpy()


def _turned(parts: Sequence[Floats], number: int) -> Floats:
    """A closed body's corners: outwards where it is within an even number of the others, else it is a cavity."""
    own = parts[number]
    around = sum(
        abs(solid_angle_share(*_soup(other), own[0].mean(0))) > 0.5 for k, other in enumerate(parts) if k != number
    )
    inwards = signed_volume(*_soup(own)) < 0
    return own[:, ::-1].copy() if inwards != bool(around % 2) else own


def _soup(corners: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Vertices and faces of loose triangles."""
    return corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3)
