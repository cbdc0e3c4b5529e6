"""What a mesh loses in a format that has no place for it."""

from __future__ import annotations

from pathlib import Path

from invrender.nouns import Mesh
from invrender.nouns.appearance import Material


def lost(mesh: Mesh, target: Path, units: str | None = None) -> list[str]:
    """What a file of the format that the extension names does not hold of a mesh, one sentence each.

    Args:
        mesh: that is written.
        target: the file.
        units: of its coordinates, where they are known.
    """
    extension = target.suffix.lower()
    textured = mesh.uv is not None and mesh.material.texture is not None
    said = []
    if extension == ".stl":
        if textured or mesh.colours is not None:
            said.append(".stl holds no colours (.glb and .obj do, .ply those at vertices)")
        elif mesh.material != Material():
            said.append(".stl holds no material (.glb and .obj do)")
    if extension == ".ply" and textured:
        said.append(".ply gets the texture's colours at the vertices only (.glb and .obj hold the picture)")
    if extension == ".ply" and mesh.material.glossy:
        said.append(".ply holds no roughness or metallic (.glb does)")
    if extension in (".stl", ".obj") and units is not None:
        said.append(f"{extension} has no place for units: its numbers are in {units} (.glb and .ply tell)")
    if extension in (".glb", ".gltf") and units not in (None, "metre"):
        said.append(
            f"glTF means metres, and the numbers stay in {units}: other programs see another size"
            " (--units m converts, --from-units tells what the input is in)"
        )
    return said
