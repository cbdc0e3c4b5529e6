"""The node tree of glTF 2.0: where each node stands in the world, and which ones a scene shows.

Source: specification, sections 3.5 (scenes, nodes, transforms); EXT_mesh_gpu_instancing; KHR_node_visibility.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.gltf_accessors import floats
from invrender.io.meshes.gltf_file import Document
from invrender.io.meshes.gltf_json import Item

log = logging.getLogger(__name__)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """The nodes of a file.

    Attributes:
        worlds: one [4,4] per node, from its own frame to the world.
        shown: numbers of the nodes that the default scene shows, in depth-first order; those of all roots where the
            file has no scenes.
    """

    worlds: list[Array]
    shown: list[int]


def read_tree(document: Document) -> Tree:
    """All nodes; no depth is too deep.

    Raises:
        InputError: a node has two parents or is below itself, or has no valid transform.
    """
    nodes = document.all("nodes")
    children = [_below(node, len(nodes)) for node in nodes]
    parents: list[int | None] = [None] * len(nodes)
    for number, below in enumerate(children):
        for child in below:
            if parents[child] is not None:
                raise nodes[child].wrong("is the child of two nodes")
            parents[child] = number
    roots = [number for number, parent in enumerate(parents) if parent is None]
    worlds = list(_locals(nodes))
    order = _depth_first(roots, children)
    if len(order) < len(nodes):
        raise document.root.wrong("has nodes that are their own children")
    for number in order:
        parent = parents[number]
        if parent is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                worlds[number] = worlds[parent] @ worlds[number]
    starts = _scene(document, roots, len(nodes))
    hidden = {number for number, node in enumerate(nodes) if _hidden(node)}
    kept = [[] if number in hidden else below for number, below in enumerate(children)]
    return Tree(worlds, [number for number in _depth_first(starts, kept) if number not in hidden])


def _below(node: Item, count: int) -> list[int]:
    below = node.integers("children")
    if any(child >= count for child in below):
        raise node.wrong(f"has the child {max(below)}, but there are {count} nodes")
    return below


def _depth_first(roots: list[int], children: list[list[int]]) -> list[int]:
    """Each node that is reached from the roots, once, parents before their children."""
    order, waiting, seen = [], roots[::-1], set()
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            order.append(number)
            waiting += children[number][::-1]
    return order


def _scene(document: Document, roots: list[int], count: int) -> list[int]:
    """The roots of the default scene (the first, where none is named)."""
    scenes = document.all("scenes")
    if not scenes:
        return roots
    number = document.root.index("scene", len(scenes), "scenes") if document.root.has("scene") else 0
    starts = scenes[number].integers("nodes")
    if any(start >= count for start in starts):
        raise scenes[number].wrong(f"names node {max(starts)}, but there are {count}")
    return starts


def _hidden(node: Item) -> bool:
    visibility = node.extension("KHR_node_visibility")
    return visibility is not None and not visibility.flag("visible", True)


def _locals(nodes: list[Item]) -> Array:
    """[N,4,4] of each node in its parent: translation, rotation and scale, or a matrix (column by column)."""
    count = len(nodes)
    translation = np.asarray([node.numbers("translation", [0.0, 0.0, 0.0]) for node in nodes]).reshape(count, 3)
    rotation = np.asarray([node.numbers("rotation", [0.0, 0.0, 0.0, 1.0]) for node in nodes]).reshape(count, 4)
    scale = np.asarray([node.numbers("scale", [1.0, 1.0, 1.0]) for node in nodes]).reshape(count, 3)
    still = (rotation == 0).all(axis=1)
    if still.any():  # several programs write it for "none"
        log.warning(
            "%s: %s has a rotation of length 0: it is not turned", nodes[0].path.name, nodes[still.argmax()].where
        )
        rotation[still] = [0.0, 0.0, 0.0, 1.0]
    result = _composed(translation, rotation, scale)
    for number, node in enumerate(nodes):
        if node.has("matrix"):
            result[number] = np.asarray(node.numbers("matrix", count=16)).reshape(4, 4).T
    return result


def _composed(translation: Array, rotation: Array, scale: Array) -> Array:
    """[N,4,4] translation * rotation * scale, from [N,3], quaternions x y z w [N,4] of any length, and [N,3]."""
    rotation = rotation / np.abs(rotation).max(axis=1, keepdims=True, initial=0)
    x, y, z, w = (rotation / np.linalg.norm(rotation, axis=1, keepdims=True)).T
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    result: Array = np.tile(np.eye(4), (len(x), 1, 1))
    result[:, :3, :3] = turn.transpose(2, 0, 1) * scale[:, None, :]
    result[:, :3, 3] = translation
    return result


def instances(document: Document, node: Item) -> Array | None:
    """[N,4,4], where EXT_mesh_gpu_instancing repeats the node's mesh in the node's frame; None without it.

    Raises:
        InputError: its attributes differ in length.
    """
    extension = node.extension("EXT_mesh_gpu_instancing")
    attributes = None if extension is None else extension.item("attributes")
    if attributes is None:
        return None
    widths = {"TRANSLATION": 3, "ROTATION": 4, "SCALE": 3}
    found = {
        name: floats(document, attributes, name, (width,)) for name, width in widths.items() if attributes.has(name)
    }
    counts = {len(values) for values in found.values()}
    if len(counts) != 1:
        raise attributes.wrong("differ in length, or say nothing of where the instances are")
    count = counts.pop()
    rotation = found.get("ROTATION", np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)))
    if not (np.isfinite(rotation).all() and (rotation != 0).any(axis=1).all()):
        raise attributes.wrong("hold a rotation of length 0, or one that is NaN or infinite")
    return _composed(found.get("TRANSLATION", np.zeros((count, 3))), rotation, found.get("SCALE", np.ones((count, 3))))
