"""Writing binary glTF 2.0 with its material, in the frame and units that a mesh has.

glTF knows only float32 positions. A mesh whose coordinates need more (large offsets) is therefore written about its own
centre, with the centre as the translation of its node: that one is text in the file, and keeps all its digits.

glTF's surface has gloss by itself. A Lambertian material is one whose KHR_materials_specular is 0; programs that do not
know that extension show it as rough as can be. An unlit one has KHR_materials_unlit, with the fallback that extension
recommends. Highlights of Blinn-Phong become the roughness whose microfacets spread as far,

    roughness = (2 / (Ns + 2))^(1/4)                                          Walter et al. 2007

and what is left out (mirrors, highlights that differ within the mesh) is said. Texture coordinates have v
down in glTF; pictures are sRGB, but for roughness (green) and metallic (blue).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.atomic import atomic_path
from invrender.io.meshes.generator import GENERATOR
from invrender.io.meshes.gltf_pack import Packer
from invrender.io.meshes.single import origin
from invrender.io.meshes.texture_write import colour_png, gloss_png
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import WHITE, plain_colour

if TYPE_CHECKING:
    import pygltflib

log = logging.getLogger(__name__)

_LINEAR, _MIPMAPS, _REPEAT = 9729, 9987, 10497
_UNLIT_ROUGHNESS = 0.9  # what programs that know no KHR_materials_unlit should show


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
    """Write glTF 2.0: positions, normals, texture coordinates, colours, texture, generator and units.

    Binary as .glb, or as JSON text with everything in the one file as .gltf.

    glTF means metres; what the units really are is in `asset.extras`, and the numbers stay as they are.

    Args:
        path: where to; the file appears in one piece.
        mesh: vertices in world units.
        units: what one unit of the coordinates is, or None where that is not known.

    Raises:
        UsageError: the place cannot be written to.
    """
    import pygltflib

    document = _gltf(mesh, units)
    with atomic_path(path) as temporary:
        if Path(path).suffix.lower() == ".gltf":
            document.convert_buffers(pygltflib.BufferFormat.DATAURI)
            document.save_json(str(temporary))
        else:
            document.save_binary(str(temporary))


def _gltf(mesh: Mesh, units: str | None) -> pygltflib.GLTF2:
    import pygltflib as gltf

    vertices, faces = mesh.numpy()
    centre = origin(vertices)
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
    )
    _add_material(document, pack, mesh)
    pack.finish(document)
    return document


def _add_material(document: pygltflib.GLTF2, pack: Packer, mesh: Mesh) -> None:
    import pygltflib as gltf

    look = mesh.material
    # vertex colours stand alone where the material is the default
    albedo = WHITE if mesh.colours is not None and look.is_default else look.rgb
    surface = gltf.PbrMetallicRoughness(
        baseColorFactor=[*albedo, 1.0], metallicFactor=float(look.metallic), roughnessFactor=_roughness(look)
    )
    pictures = _pictures(mesh)
    for number, (place, picture) in enumerate(pictures.items()):
        document.images.append(gltf.Image(name=place, bufferView=pack.raw(picture), mimeType="image/png"))
        document.textures.append(gltf.Texture(source=number, sampler=0))
        setattr(surface, place, gltf.TextureInfo(index=number))
    if pictures:
        document.samplers = [gltf.Sampler(magFilter=_LINEAR, minFilter=_MIPMAPS, wrapS=_REPEAT, wrapT=_REPEAT)]
    extensions = _extensions(look)
    brightest = max(*plain_colour(look.emission), 1.0)
    document.extensionsUsed = list(extensions)
    document.materials = [
        gltf.Material(
            name=look.name,
            pbrMetallicRoughness=surface,
            emissiveFactor=[value / brightest for value in plain_colour(look.emission)],
            extensions=extensions,
            doubleSided=True,
        )
    ]
    _tell_lost(mesh)


def _pictures(mesh: Mesh) -> dict[str, bytes]:
    """PNGs by the field of the material that shows them; none without texture coordinates."""
    found: dict[str, bytes] = {}
    if mesh.uv is not None and mesh.material.texture is not None:
        found["baseColorTexture"] = colour_png(mesh.material.texture)
    if mesh.uv is not None and mesh.material.gloss is not None and not mesh.material.unlit:
        found["metallicRoughnessTexture"] = gloss_png(mesh.material.gloss)
    return found


def _roughness(look: Material) -> float:
    if look.unlit:
        return _UNLIT_ROUGHNESS
    if look.highlighted:
        return float((2 / (float(look.shininess) + 2)) ** 0.25)
    return 1.0 if look.roughness is None else float(look.roughness)


def _extensions(look: Material) -> dict[str, Any]:
    if look.unlit:
        return {"KHR_materials_unlit": {}}
    found: dict[str, Any] = {}
    if not (look.glossy or look.highlighted):
        found["KHR_materials_specular"] = {"specularFactor": 0.0}
    brightest = max(plain_colour(look.emission))
    if brightest > 1:
        found["KHR_materials_emissive_strength"] = {"emissiveStrength": brightest}
    return found


def _tell_lost(mesh: Mesh) -> None:
    """Say which reflections the file does not hold."""
    look = mesh.material
    if look.highlighted:
        log.warning("glTF has no Blinn-Phong highlight: written as a roughness of %.3g.", _roughness(look))
    lost = {"mirrors": look.mirrors, "highlights that differ": mesh.finish is not None}
    if any(lost.values()):
        names = " and ".join(name for name, there in lost.items() if there)
        log.warning("A .glb written here does not hold %s: an .obj does.", names)
