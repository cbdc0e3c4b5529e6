"""Writing Wavefront .obj, with its material (.mtl) and picture (.png) beside it.

Names in these files end at a space in many programs, so the two files beside `my ball.obj` are called
`my_ball-XXXXXXXX.mtl` and `.png` (a checksum of the name, so that two files never share them). Statements Pr and Pm
(roughness, metallic) are those that Blender and others read.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import torch

from invrender.colour import linear_to_srgb
from invrender.errors import OutputExistsError
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.meshes.generator import GENERATOR
from invrender.io.meshes.looks import Looks, looks_of
from invrender.io.meshes.mtl_shine import statements
from invrender.io.meshes.texture_write import colour_png, written_here
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import WHITE

_MARK = b"# invrender"


def write_obj(path: str | Path, mesh: Mesh) -> None:
    """Write .obj text with all digits of the positions, colours after them, texture coordinates and the material.

    The picture comes first and the .obj last, each in one piece, so that no file names one that is missing. A mesh with
    the default material has no .mtl.

    Raises:
        UsageError: the place cannot be written to.
        OutputExistsError: a .mtl or .png of that name is there that was not written here.
        InputError: the texture holds values that are no numbers.
    """
    vertices, faces = mesh.numpy()
    looks = looks_of(mesh)
    rows = _write_material(Path(path), mesh, looks.materials)
    points = [row("v", point) for point in vertices.tolist()]
    if mesh.colours is not None:
        encoded = linear_to_srgb(mesh.colours.detach().cpu().double().numpy())
        points = [f"{point} {r:.4f} {g:.4f} {b:.4f}" for point, (r, g, b) in zip(points, encoded.tolist(), strict=True)]
    corner = "{0}"
    if mesh.uv is not None:
        points += [row("vt", place) for place in mesh.uv.detach().cpu().double().tolist()]
        corner = "{0}/{0}"
    used = _uses(looks)
    triangles = [
        used.get(k, "") + "f " + " ".join(corner.format(i + 1) for i in face) for k, face in enumerate(faces.tolist())
    ]
    text = "\n".join([f"# {GENERATOR}", *rows, *points, *triangles, ""])
    atomic_write_bytes(path, text.encode())


def row(key: str, values: list[float]) -> str:
    """A line with all digits of its numbers."""
    return f"{key} {' '.join(map(repr, values))}"


def _uses(looks: Looks) -> dict[int, str]:
    """The line before each face that begins with another material; none for the default one."""
    if not looks.materials:
        return {}
    before, names = -1, [_word(material.name) for material in looks.materials]
    lines = {}
    for face, k in enumerate(looks.of_face):
        if k != before:
            lines[face] = f"usemtl {names[k]}\n"
        before = k
    return lines


def _write_material(path: Path, mesh: Mesh, looks: list[Material]) -> list[str]:
    """Write the files beside the .obj that its materials need, and return the line that names them."""
    if not looks:
        return []
    base = _word(path.stem)
    library, picture = path.parent / f"{base}.mtl", path.parent / f"{base}.png"
    textured = mesh.material.texture is not None and mesh.uv is not None
    for file in (library, picture) if textured else (library,):
        _check_free(file)
    if mesh.material.texture is not None and mesh.uv is not None:
        # many programs leave Kd out beside map_Kd, so the picture holds the product
        atomic_write_bytes(picture, colour_png(mesh.material.texture, mesh.material.rgb))
    blocks = [_mtl(look, picture.name if textured else None) for look in looks]
    atomic_write_bytes(library, "\n".join([f"# {GENERATOR}", *blocks]).encode())
    return [f"mtllib {library.name}"]


def _mtl(look: Material, picture: str | None) -> str:
    colour = WHITE if picture else look.rgb
    lines = [f"newmtl {_word(look.name)}", row("Kd", list(colour)), *statements(look)]
    if look.glossy:
        roughness, metallic = _mean_gloss(look)
        lines += [row("Pr", [roughness]), row("Pm", [metallic])]
    return "\n".join([*lines, *([f"map_Kd {picture}"] if picture else []), ""])


def _mean_gloss(look: Material) -> tuple[float, float]:
    """Roughness and metallic; of a texture the mean, since the format's pictures for them are read by few."""
    texture = torch.ones(2) if look.gloss is None else look.gloss.detach().float().mean((0, 1)).cpu()
    rough = 1.0 if look.roughness is None else float(look.roughness)
    return rough * float(texture[0]), float(look.metallic) * float(texture[1])


def _word(name: str) -> str:
    """A name without spaces and signs that programs stumble over; a changed one ends in its checksum."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-")
    return plain if plain == name and plain else f"{plain or 'mesh'}-{zlib.crc32(name.encode()):08x}"


def _check_free(file: Path) -> None:
    """Refuse to replace a file of somebody else's."""
    if not file.exists():
        return
    if file.is_file():
        with file.open("rb") as opened:
            start = opened.read(512)
        if start.startswith(_MARK) or written_here(start):
            return
    raise OutputExistsError(
        f"{file} is there already and was not written by invrender", "move it away, or give the .obj another name"
    )
