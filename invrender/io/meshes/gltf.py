"""Reading .glb and .gltf: the triangles that the default scene shows, placed in the world.

Written from the glTF 2.0 specification (Khronos, 2.0.1). Each concept has its file: `gltf_json` (typed fields),
`gltf_file` (containers and buffers), `gltf_accessors`, `gltf_nodes`, `gltf_skins`, `gltf_primitives`,
`gltf_materials` with `gltf_pictures` and `gltf_wrap`, `gltf_draco`, and `gltf_extensions`.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.gltf_extensions import check_required
from invrender.io.meshes.gltf_file import Document, open_document
from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.gltf_materials import Surfaces
from invrender.io.meshes.gltf_nodes import Tree, instances, read_tree
from invrender.io.meshes.gltf_primitives import Body, read_primitive
from invrender.io.meshes.gltf_skins import joint_matrices, mirrors, skinned
from invrender.io.meshes.parts import Part

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

_EXPORT = "export the objects along with the scene, or name the scene that shows them in 'scene'"
_OPAQUE = "make their materials opaque in the program that made them"
MOST_FACES = 50_000_000  # of the whole scene, each showing of a mesh counted


def read_gltf(path: Path, clear: bool = False, only: int | None = None) -> list[Part]:
    """All triangles of the default scene, in the world's frame; winding is outward as the file means it.

    Skins are in the pose that the nodes have, morph targets have their default weights; points and lines are left out.

    Args:
        path: of the file.
        clear: whether light goes through what lets it, and black surfaces that send out light are lamps; else all is
            opaque, which is said, and such light is a colour.
        only: the number of the one object that is wanted, see `gltf_objects.gltf_objects`.

    Raises:
        InputError: the file is damaged, needs something that nothing here reads, or shows no faces.
    """
    document = open_document(path)
    check_required(document)
    return _Reader(document, clear).parts(only)


def gltf_units(path: Path) -> str:
    """What `asset.extras` calls one unit; glTF itself means metres.

    Raises:
        InputError: the file is damaged.
    """
    asset = open_document(path).root.item("asset")
    extras = None if asset is None else asset.values.get("extras")
    units = extras.get("units") if isinstance(extras, dict) else None
    return shown(units) if isinstance(units, str) else "metre"


class _Reader:
    """One pass over a document; bodies of a mesh are read once, however often it is shown."""

    def __init__(self, document: Document, clear: bool) -> None:
        self._document = document
        self._surfaces = Surfaces(document, clear)
        self._bodies: dict[tuple[int, tuple[float, ...]], list[Body]] = {}
        self._shared = _shared_positions(document)
        self._others: list[str] = []
        self._read = self._shown = 0  # faces or vertices, of which there are more

    def parts(self, only: int | None = None) -> list[Part]:
        """Each primitive, as often as the scene shows it, or those of one node of the scene that shows a mesh."""
        tree, nodes = read_tree(self._document), self._document.all("nodes")
        shown = [number for number in tree.shown if nodes[number].has("mesh")]
        shown = shown if only is None else shown[only : only + 1]
        found = [part for number in shown for part in self._node(nodes[number], number, tree)]
        if not nodes:  # a library of meshes
            meshes = self._document.all("meshes")
            bodies = [body for mesh in range(len(meshes)) for body in self._mesh(mesh, meshes[mesh], [])]
            found = [body.part for body in bodies]
        if not found:
            raise self._nothing(bool(shown))
        bare = sorted({"points", "lines"} & set(self._others))
        if bare:
            log.warning("%s: its %s are left out", self._document.path.name, " and ".join(bare))
        return found

    def _node(self, node: Item, number: int, tree: Tree) -> list[Part]:
        meshes = self._document.all("meshes")
        mesh = node.index("mesh", len(meshes), "meshes")
        owner = node if node.has("weights") else meshes[mesh]
        bodies = self._mesh(mesh, meshes[mesh], owner.numbers("weights", []))
        repeats = instances(self._document, node)
        with np.errstate(over="ignore", invalid="ignore"):
            places = tree.worlds[number][None] if repeats is None else tree.worlds[number] @ repeats
        skin = self._document.referred(node, "skin", "skins") if node.has("skin") else None
        joints = None if skin is None else joint_matrices(self._document, skin, tree.worlds)
        parts = []
        for body in bodies:
            if skin is not None and joints is not None and body.binding is not None:
                self._count(body, 1, node)
                parts.append(_posed(body, joints, skin))
            else:
                self._count(body, len(places), node)
                parts += [_placed(body.part, place) for place in places if place[:3, :3].any()]
        if not parts and bodies:
            self._others.append("nodes of scale 0")
        return parts

    def _mesh(self, number: int, mesh: Item, weights: list[float]) -> list[Body]:
        key = (number, tuple(weights))
        if key not in self._bodies:
            self._bodies[key] = []
            for primitive in mesh.items("primitives"):
                found = self._primitive(primitive, weights)
                if isinstance(found, str):
                    self._others.append(found)
                else:
                    self._bodies[key].append(found)
                    self._read += max(len(found.part.faces), len(found.part.vertices))
                    self._check(self._read, primitive)
        return self._bodies[key]

    def _primitive(self, primitive: Item, weights: list[float]) -> Body | str:
        attributes = primitive.item("attributes")
        position = None if attributes is None else attributes.values.get("POSITION")
        return read_primitive(self._document, self._surfaces, primitive, weights, position in self._shared)

    def _count(self, body: Body, times: int, node: Item) -> None:
        self._shown += times * max(len(body.part.faces), len(body.part.vertices))
        self._check(self._shown, node)

    def _check(self, total: int, item: Item) -> None:
        if total > MOST_FACES:
            remedy = "export a part of the scene, or simplify it"
            raise item.wrong(f"brings the scene to more than {MOST_FACES:,} faces or vertices", remedy)

    def _nothing(self, any_mesh: bool) -> InputError:
        path = self._document.path
        kinds = sorted(set(self._others) - {"no surface"})
        if not self._others:
            return InputError(
                f"{path} holds no geometry: the scene is empty{'' if any_mesh else self._elsewhere()}", _EXPORT
            )
        only = f" (only {' and '.join(kinds)})" if kinds else ""
        clear = "transparent surfaces" in kinds
        remedy = _OPAQUE if clear else "use a triangle mesh; a point cloud must be meshed first"
        return InputError(f"{path} has no faces{' that show' if clear else ''}{only}", remedy)

    def _elsewhere(self) -> str:
        """What of the file the default scene leaves out."""
        meshes, scenes = len(self._document.all("meshes")), len(self._document.all("scenes"))
        return f", and what the file holds (meshes: {meshes}, scenes: {scenes}) is no part of it" if meshes else ""


def _shared_positions(document: Document) -> set[int]:
    """Accessors that are the positions of several primitives."""
    every = [primitive.item("attributes") for mesh in document.all("meshes") for primitive in mesh.items("primitives")]
    used = Counter(each.integer("POSITION") for each in every if each is not None and each.has("POSITION"))
    return {accessor for accessor, times in used.items() if times > 1}


def _placed(part: Part, world: Array) -> Part:
    """A part placed by a [4,4] matrix; mirroring ones reverse the winding, so that outside stays outside."""
    linear, shift = world[:3, :3], world[:3, 3]
    vertices, faces = part.vertices, part.faces
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.array_equal(linear, np.eye(3)):
            vertices = vertices @ linear.T
            if np.linalg.det(linear) < 0:
                faces = faces[:, ::-1]
        return replace(part, vertices=vertices + shift if shift.any() else vertices, faces=faces)


def _posed(body: Body, joints: Array, skin: Item) -> Part:
    """A part moved by its joints; the transform of its own node does not count."""
    assert body.binding is not None
    with np.errstate(over="ignore", invalid="ignore"):
        vertices = skinned(body.part.vertices, body.binding, joints, skin)
        faces = body.part.faces[:, ::-1] if mirrors(body.binding, joints) else body.part.faces
    return replace(body.part, vertices=vertices, faces=faces)
