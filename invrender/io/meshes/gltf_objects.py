"""The objects of a glTF file: nodes of the default scene that show a mesh."""

from __future__ import annotations

from pathlib import Path

from invrender.io.meshes.gltf_file import Document, open_document
from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.gltf_nodes import read_tree
from invrender.io.meshes.gltf_primitives import FAN, STRIP, TRIANGLES


def gltf_objects(path: Path) -> list[tuple[str, int]]:
    """The nodes of a glTF file that show a mesh: the name of each, or that of its mesh, and how many triangles it has.

    Raises:
        InputError: the file is damaged.
    """
    document = open_document(path)
    nodes, meshes = document.all("nodes"), document.all("meshes")
    found = []
    for number in read_tree(document).shown:
        node = nodes[number]
        if node.has("mesh"):
            mesh = meshes[node.index("mesh", len(meshes), "meshes")]
            faces = sum(_triangles(document, primitive) for primitive in mesh.items("primitives"))
            found.append((node.text("name") or mesh.text("name"), faces))
    return found


def _triangles(document: Document, primitive: Item) -> int:
    """How many triangles a primitive has, by what its accessors say."""
    mode = primitive.integer("mode", TRIANGLES)
    attributes = primitive.item("attributes")
    if mode not in (TRIANGLES, STRIP, FAN) or attributes is None:
        return 0
    owner, name = (primitive, "indices") if primitive.has("indices") else (attributes, "POSITION")
    corners = document.referred(owner, name, "accessors").integer("count") if owner.has(name) else 0
    return corners // 3 if mode == TRIANGLES else max(corners - 2, 0)
