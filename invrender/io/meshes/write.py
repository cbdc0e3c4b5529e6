"""Writing meshes as .glb, .ply, .obj and .stl, in the frame and units that they have.

glTF knows only float32 positions. A mesh whose coordinates need more (large offsets) is therefore written about its own
centre, with the centre as the translation of its node: that one is text in the file, and keeps all its digits.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import __version__
from invrender.colour import linear_to_srgb
from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_path, atomic_write_bytes
from invrender.io.files.paths import nearest
from invrender.io.meshes.gltf_pack import Packer
from invrender.nouns import Mesh

if TYPE_CHECKING:
    import pygltflib

WRITE_EXTENSIONS = (".glb", ".ply", ".obj", ".stl")
GENERATOR = f"invrender {__version__}"


def write_mesh(path: str | Path, mesh: Mesh, units: str | None = None) -> None:
    """Write a mesh in the format that the extension names.

    .glb keeps all that a mesh holds; .ply positions and colours; .obj positions, texture coordinates and colours; .stl
    positions only.

    Args:
        path: ends in .glb, .ply, .obj or .stl; the file appears in one piece.
        mesh: any mesh with faces.
        units: what one unit of the coordinates is ('metre', ...); only .glb and .ply have a place for it.

    Raises:
        UsageError: the extension is another one, or the place cannot be written to.
    """
    extension = Path(path).suffix.lower()
    if extension == ".glb":
        write_glb(path, mesh, units)
    elif extension == ".ply":
        write_ply(path, mesh, units)
    elif extension == ".obj":
        write_obj(path, mesh)
    elif extension == ".stl":
        write_stl(path, mesh)
    else:
        close = nearest(extension, WRITE_EXTENSIONS)
        hint = f"did you mean {Path(path).with_suffix(close)}? " if close else ""
        raise UsageError(
            f"a mesh cannot be written as '{Path(path).name}'",
            f"{hint}known extensions: {', '.join(WRITE_EXTENSIONS)}",
        )


def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """[V,3] unit normals, the mean of the adjoining faces' weighted by their area.

    Vertices at exactly one position (split by a texture seam) share their normal; where no face has an area it is +Y.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    _, position = np.unique(vertices + 0.0, axis=0, return_inverse=True)
    position = position.reshape(-1)
    total = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(total, position[faces[:, corner]], across)
    normals = total[position]
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0, normals / np.where(length > 0, length, 1), [0.0, 1.0, 0.0])


def write_glb(path: str | Path, mesh: Mesh, units: str | None = None) -> None:
    """Write binary glTF 2.0: positions, normals, texture coordinates, colours, texture, generator and units.

    glTF means metres; what the units really are is in `asset.extras`, and the numbers stay as they are.

    Args:
        path: where to; the file appears in one piece.
        mesh: vertices in world units.
        units: what one unit of the coordinates is, or None where that is not known.

    Raises:
        UsageError: the place cannot be written to.
    """
    document = _gltf(mesh, units)
    with atomic_path(path) as temporary:
        document.save_binary(str(temporary))


def _gltf(mesh: Mesh, units: str | None) -> pygltflib.GLTF2:
    import pygltflib as gltf

    vertices, faces = mesh.numpy()
    centre = _origin(vertices)
    pack = Packer()
    attributes = gltf.Attributes(
        POSITION=pack.vectors((vertices - centre).astype(np.float32), bounds=True),
        NORMAL=pack.vectors(vertex_normals(vertices - centre, faces).astype(np.float32)),
    )
    if mesh.uv is not None:
        uv = mesh.uv.detach().cpu().double().numpy()
        attributes.TEXCOORD_0 = pack.vectors(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1).astype(np.float32))
    if mesh.colours is not None:
        attributes.COLOR_0 = pack.vectors(mesh.colours.detach().cpu().clamp(0, 1).numpy().astype(np.float32))
    primitive = gltf.Primitive(attributes=attributes, indices=pack.indices(faces), material=0)
    extras = {"generator": GENERATOR, **({"units": units} if units else {})}
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator=GENERATOR, extras=extras),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(name="mesh", mesh=0, translation=centre.tolist() if centre.any() else None)],
        meshes=[gltf.Mesh(name="mesh", primitives=[primitive])],
        materials=[_gltf_material(mesh)],
    )
    if mesh.material.texture is not None and mesh.uv is not None:
        document.images = [gltf.Image(bufferView=pack.raw(_png(mesh.material.texture)), mimeType="image/png")]
        document.samplers = [gltf.Sampler()]
        document.textures = [gltf.Texture(source=0, sampler=0)]
    pack.finish(document)
    return document


def _gltf_material(mesh: Mesh) -> pygltflib.Material:
    import pygltflib as gltf

    surface = gltf.PbrMetallicRoughness(
        baseColorFactor=[*mesh.material.rgb, 1.0], metallicFactor=0.0, roughnessFactor=0.8
    )
    if mesh.material.texture is not None and mesh.uv is not None:
        surface.baseColorTexture = gltf.TextureInfo(index=0)
    return gltf.Material(name=mesh.material.name, pbrMetallicRoughness=surface, doubleSided=True)


def _origin(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3] zero where float32 holds the vertices to a millionth of their extent, else the middle of their box."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    error = np.abs(vertices - vertices.astype(np.float32)).max()
    return np.zeros(3) if error <= 1e-6 * (high - low).max() else (low + high) / 2


def _png(texture: torch.Tensor) -> bytes:
    """A linear [h,w,3] texture as an sRGB PNG."""
    from PIL import Image

    encoded = linear_to_srgb(texture.detach().cpu().double().numpy())
    buffer = io.BytesIO()
    Image.fromarray(np.round(encoded * 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def write_ply(path: str | Path, mesh: Mesh, units: str | None = None) -> None:
    """Write binary PLY with positions and colours; positions as float32 where that loses nothing, else float64.

    Args:
        path: where to; the file appears in one piece.
        mesh: vertices in world units.
        units: goes into a comment line.

    Raises:
        UsageError: the place cannot be written to.
    """
    vertices, faces = mesh.numpy()
    exact = bool((vertices == vertices.astype(np.float32)).all())
    number, name = ("<f4", "float") if exact else ("<f8", "double")
    fields: list[tuple[str, str]] = [(axis, number) for axis in "xyz"]
    if mesh.colours is not None:
        fields += [(channel, "u1") for channel in ("red", "green", "blue")]
    table = np.zeros(len(vertices), dtype=fields)
    for k, axis in enumerate("xyz"):
        table[axis] = vertices[:, k]
    if mesh.colours is not None:
        for k, channel in enumerate(("red", "green", "blue")):
            table[channel] = _bytes_srgb(mesh.colours)[:, k]
    polygons = np.zeros(len(faces), dtype=[("count", "u1"), ("indices", "<i4", 3)])
    polygons["count"], polygons["indices"] = 3, faces
    header = ["ply", "format binary_little_endian 1.0", f"comment generator {GENERATOR}"]
    header += [f"comment units {units}"] if units else []
    header += [f"element vertex {len(vertices)}", *(f"property {name} {axis}" for axis in "xyz")]
    header += [f"property uchar {channel}" for channel, _ in fields[3:]]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    atomic_write_bytes(path, "\n".join(header).encode() + table.tobytes() + polygons.tobytes())


def _bytes_srgb(colours: torch.Tensor) -> NDArray[np.uint8]:
    return np.round(linear_to_srgb(colours.detach().cpu().double().numpy()) * 255).astype(np.uint8)


def write_obj(path: str | Path, mesh: Mesh) -> None:
    """Write .obj text with all digits of the positions, colours after them, and texture coordinates.

    Raises:
        UsageError: the place cannot be written to.
    """
    vertices, faces = mesh.numpy()
    rows = [_row("v", row) for row in vertices.tolist()]
    if mesh.colours is not None:
        encoded = linear_to_srgb(mesh.colours.detach().cpu().double().numpy())
        rows = [f"{row} {r:.4f} {g:.4f} {b:.4f}" for row, (r, g, b) in zip(rows, encoded.tolist(), strict=True)]
    corner = "{0}"
    if mesh.uv is not None:
        rows += [_row("vt", row) for row in mesh.uv.detach().cpu().double().tolist()]
        corner = "{0}/{0}"
    rows += ["f " + " ".join(corner.format(i + 1) for i in face) for face in faces.tolist()]
    atomic_write_bytes(path, "\n".join([f"# {GENERATOR}", *rows, ""]).encode())


def _row(key: str, values: list[float]) -> str:
    return f"{key} {' '.join(map(repr, values))}"


def write_stl(path: str | Path, mesh: Mesh) -> None:
    """Write .stl: binary where float32 holds the positions to a millionth of the extent, else text with all digits.

    Raises:
        UsageError: the place cannot be written to.
    """
    vertices, faces = mesh.numpy()
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-300)
    if _origin(vertices).any():
        lines = ["solid invrender"]
        for normal, triangle in zip(normals.tolist(), corners.tolist(), strict=True):
            lines += [_row("facet normal", normal), "outer loop", *(_row("vertex", v) for v in triangle)]
            lines += ["endloop", "endfacet"]
        atomic_write_bytes(path, "\n".join([*lines, "endsolid invrender", ""]).encode())
        return
    table = np.zeros(len(faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    table["normal"], table["corners"] = normals, corners
    header = GENERATOR.encode().ljust(80, b" ")
    atomic_write_bytes(path, header + len(faces).to_bytes(4, "little") + table.tobytes())
