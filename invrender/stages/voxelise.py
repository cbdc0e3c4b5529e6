"""Closed meshes as voxels of a stage: which share of each voxel they cover.

Rays through a few places of every column of voxels are inside between where they enter and leave; along depth the share
is exact, also in that a voxel widens with depth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.geometry.connectivity import merge_vertices, signed_volume
from invrender.nouns import Mesh
from invrender.nouns.stage import Stage
from invrender.stages.crossings import Crossings, crossings, ground_crossings, joined

Tensor = torch.Tensor
Floats = NDArray[np.float64]
Shape = tuple[int, int, int]

ACROSS = 4  # rays on each side of a voxel


def voxelised(meshes: Sequence[Mesh], stage: Stage, shape: Shape, ground: bool = True) -> Tensor:
    """The share of each voxel that meshes, and the ground below, cover.

    What lies in several meshes counts once. What is out of view, or not between the stage's depths, is left out.

    Args:
        meshes: closed, in the stage's world, their faces wound alike; seen from outside or from inside is equal.
        stage: whose voxels they are.
        shape: (D, H, W), as `Stage.points` has them.
        ground: whether the ground is filled, where the stage has one.

    Returns:
        [D,H,W] float32, 0 to 1.

    Raises:
        InputError: a mesh is not closed, naming its material, or reaches behind the camera.
    """
    for number, mesh in enumerate(meshes):
        check_closed(mesh, f"mesh {number} ({mesh.material.name})")
    rays = (shape[1] * ACROSS, shape[2] * ACROSS)
    found = [outwards(crossings(mesh, stage, rays), mesh) for mesh in meshes]
    if ground and stage.ground is not None:
        found.append(ground_crossings(stage, rays))
    return torch.from_numpy(covered(joined(found), stage, shape))


def check_closed(mesh: Mesh, name: str) -> None:
    """Refuse a mesh that has no inside.

    Raises:
        InputError: an edge is run more often one way than the other, vertices at one place being one.
    """
    vertices, faces = merge_vertices(*mesh.numpy())
    if not len(faces):
        raise InputError(f"{name} has no faces", "leave it out")
    a, b = faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()
    edge, of = np.unique(np.minimum(a, b) * len(vertices) + np.maximum(a, b), return_inverse=True)
    run = np.bincount(of.ravel(), np.where(a < b, 1.0, -1.0), len(edge))
    if open_edges := int(np.count_nonzero(run)):
        raise InputError(
            f"{name} is not closed: {open_edges} of its {len(edge)} edges have no face on one side, or one that is "
            "wound the other way",
            "close it in the program that made it (fill holes, unify normals)",
        )


def outwards(found: Crossings, mesh: Mesh) -> Crossings:
    """Crossings of a mesh as if it were seen from outside; one whose faces run the other way has a negative volume."""
    if signed_volume(*mesh.numpy()) >= 0:
        return found
    return Crossings(found.ray, found.depth, -found.turn)


def covered(found: Crossings, stage: Stage, shape: Shape) -> NDArray[np.float32]:
    """The share of each voxel that is inside, [D,H,W]: behind more entries than exits.

    Args:
        found: of `ACROSS` x `ACROSS` rays for every column of voxels.
        stage, shape: whose voxels they are.
    """
    depth, height, width = shape
    z = (found.depth.clip(stage.near, stage.far) - stage.near) / (stage.far - stage.near)
    order = np.argsort(found.ray + 0.999 * z)
    ray, z, turn = found.ray[order], z[order], found.turn[order].astype(np.int64)
    within = np.cumsum(turn)
    first = np.flatnonzero(np.diff(ray, prepend=-1))
    before = (within - turn)[first]
    within -= np.repeat(before, np.diff(first, append=len(ray)))
    change = (within > 0).astype(np.int8) - (within - turn > 0)
    kept = np.flatnonzero(change)
    ray, z, step = ray[kept], z[kept], change[kept].astype(np.float64)
    row, column = np.divmod(ray, width * ACROSS)
    place = ((row // ACROSS) * width + column // ACROSS) * (depth + 2)
    slab = np.minimum((z * depth).astype(np.int64), depth - 1)
    beyond = _beyond(z, slab, stage, depth)
    size = height * width * (depth + 2)
    sums = np.bincount(place + slab, step * beyond, size) + np.bincount(place + slab + 1, step * (1 - beyond), size)
    share = np.cumsum(sums.reshape(height * width, depth + 2)[:, :depth], axis=1) / ACROSS**2
    return np.ascontiguousarray(share.T.reshape(shape).clip(0, 1), np.float32)


def _beyond(z: Floats, slab: NDArray[np.int64], stage: Stage, depth: int) -> Floats:
    """The share of its slab that lies behind each crossing; across, a voxel grows with the square of depth."""

    def cubed(share: Floats) -> Floats:
        return np.asarray((stage.near + (stage.far - stage.near) * share) ** 3)

    near, far = cubed(slab / depth), cubed((slab + 1) / depth)
    return (far - cubed(z)) / (far - near)
