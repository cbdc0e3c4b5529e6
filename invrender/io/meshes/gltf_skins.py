"""Skins of glTF 2.0 in the pose that the file holds. Source: specification, section 3.7.3 (skins)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.gltf_accessors import Rows, floats, integers
from invrender.io.meshes.gltf_file import Document
from invrender.io.meshes.gltf_json import Item

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Binding:
    """What ties the vertices of a primitive to joints.

    Attributes:
        joints: [V,4n] int64.
        weights: [V,4n] float64; they add up to 1.
    """

    joints: NDArray[np.int64]
    weights: Array


def read_binding(document: Document, attributes: Item, rows: Rows) -> Binding | None:
    """The joints and weights among a primitive's attributes, or None where it has none."""
    joints: list[NDArray[np.int64]] = []
    weights: list[Array] = []
    while attributes.has(f"JOINTS_{len(joints)}") and attributes.has(f"WEIGHTS_{len(joints)}"):
        weights.append(floats(document, attributes, f"WEIGHTS_{len(joints)}", (4,), rows, scale=True))
        joints.append(integers(document, attributes, f"JOINTS_{len(joints)}", (4,), rows))
    if not joints:
        return None
    weight = np.maximum(np.nan_to_num(np.concatenate(weights, axis=1)), 0.0)
    weight[weight.sum(axis=1) == 0, 0] = 1.0
    return Binding(np.concatenate(joints, axis=1), weight / weight.sum(axis=1, keepdims=True))


def joint_matrices(document: Document, skin: Item, worlds: list[Array]) -> Array:
    """[J,4,4] from the frame of the skinned vertices to the world: the joint's world matrix times its inverse bind.

    Raises:
        InputError: joints or matrices are missing.
    """
    joints = skin.integers("joints")
    if not joints or max(joints) >= len(worlds):
        raise skin.wrong(f"names joints that do not exist (there are {len(worlds)} nodes)")
    world = np.stack([worlds[joint] for joint in joints])
    if not skin.has("inverseBindMatrices"):
        return world
    inverse = floats(document, skin, "inverseBindMatrices", (16,)).reshape(-1, 4, 4).transpose(0, 2, 1)
    if len(inverse) < len(joints):
        raise skin.wrong(f"has {len(inverse)} inverse bind matrices for {len(joints)} joints")
    with np.errstate(over="ignore", invalid="ignore"):
        matrices: Array = world @ inverse[: len(joints)]
    return matrices


def skinned(vertices: Array, binding: Binding, matrices: Array, skin: Item) -> Array:
    """Vertices [V,3] moved by their joints, weighted.

    Raises:
        InputError: a vertex names a joint that the skin does not have.
    """
    used = binding.joints[binding.weights > 0]
    if len(used) and used.max() >= len(matrices):
        raise skin.wrong(f"has {len(matrices)} joints, but a vertex names joint {int(used.max())}")
    moved = np.zeros_like(vertices)
    for joint, weight in zip(binding.joints.T, binding.weights.T, strict=True):
        matrix = matrices[np.minimum(joint, len(matrices) - 1)]
        placed = np.einsum("vij,vj->vi", matrix[:, :3, :3], vertices) + matrix[:, :3, 3]
        moved += weight[:, None] * placed
    return moved


def mirrors(binding: Binding, matrices: Array) -> bool:
    """Whether the joints, by their weight over all vertices, turn the outside in."""
    signs = np.sign(np.linalg.det(matrices[:, :3, :3]))
    return bool((binding.weights * signs[np.minimum(binding.joints, len(signs) - 1)]).sum() < 0)
