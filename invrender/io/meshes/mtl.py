"""Material files (.mtl) of Wavefront OBJ: diffuse colour and picture, highlight, mirroring, emission, what passes
through, and roughness and metallic where stated.

Source: Alias/Wavefront, MTL material format, 1995 (statements newmtl, Kd, Ks, Ns, Ke, Tf, Ni, illum, d, Tr, map_Kd and
its options); Pr and Pm are those of the extension for physically based materials that Blender and others write. What
the statements for highlights mean is said in `mtl_shine`, and what those for glass mean in `mtl_glass`. Ka is passed
over: exporters write anything from black to white there, so that the light from everywhere meets Kd.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from invrender.io.files.paths import shown
from invrender.io.meshes.mtl_glass import Glass, clear_of, with_number
from invrender.io.meshes.mtl_shine import Shine, shine_of
from invrender.io.meshes.references import find_file
from invrender.io.meshes.text import decoded, join_continued, plain
from invrender.io.meshes.texture import TextureReader, read_texture
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, PLAIN, Colour

log = logging.getLogger(__name__)

MAX_BYTES = 2**26  # no real .mtl is larger
_BRIGHTEST, _SHARPEST = 1e6, 1e5  # of Ke and Ns: what float32 can compute with
# how many arguments an option of map_Kd takes; those of _VECTORS take up to three numbers
_OPTIONS = {"-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2}
_OPTIONS |= {"-texres": 1, "-type": 1}
_UNSHOWN = {"map_ks": "map_Ks", "map_ke": "map_Ke", "map_d": "map_d"}  # pictures that would be missed
_VECTORS = ("-o", "-s", "-t")


@dataclass(frozen=True)
class Entry:
    """A material as its file describes it.

    Attributes:
        name: as the file has it.
        albedo: linear RGB, or None where there is no Kd.
        picture: the name of its picture, or None.
        scale, shift: texture coordinates become scale * uv + shift.
        folder: where the material file lies.
        clamp: whether the picture ends at its border (-clamp on) instead of repeating.
        roughness, metallic: in [0, 1], or None where they are not stated.
        shine: highlight, mirroring and emission.
        glass: what lets light through.
        unshown: statements of pictures that are not read, though something of it would be seen.
    """

    name: str
    folder: Path
    albedo: Colour | None = None
    picture: str | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False
    roughness: float | None = None
    metallic: float | None = None
    shine: Shine = field(default_factory=Shine)
    glass: Glass = field(default_factory=Glass)
    unshown: tuple[str, ...] = ()


def read_entries(path: Path) -> dict[str, Entry]:
    """The materials of a file by name; of one that cannot be read none, which is said."""
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        log.warning("The material file %s cannot be read: %s.", shown(str(path)), error.strerror)
        return {}
    if content is None or b"\0" in plain(content):
        log.warning("%s is no material file: its materials are shown in plain grey.", shown(str(path)))
        return {}
    entries: dict[str, Entry] = {}
    current: Entry | None = None
    # without comments first: a path in one may end in a backslash, which continues no line
    statements = re.sub(rb"^[ \t]*#[^\n]*", b"", plain(content), flags=re.MULTILINE)
    for line in join_continued(statements).split(b"\n"):
        word, _, rest = decoded(line.replace(b"\x01", b" ")).strip().replace("\t", " ").partition(" ")
        rest = rest.strip()
        if word.lower() == "newmtl":
            current = Entry(rest, path.parent)
        elif current is not None:
            current = _with(current, word.lower(), rest)
        if current is not None:
            entries[current.name] = current
    return entries


def _with(entry: Entry, word: str, rest: str) -> Entry:
    """The entry with one more statement."""
    plain_rest = rest.partition("#")[0].strip()
    if word == "map_kd":
        return _with_picture(entry, rest)
    if word in _UNSHOWN:
        return replace(entry, unshown=(*entry.unshown, _UNSHOWN[word]))
    if word == "kd":
        return replace(entry, albedo=_colour("Kd", plain_rest, entry))
    if word in ("ks", "ke", "tf"):
        return _with_colour(entry, word, plain_rest)
    value = _number(plain_rest.removeprefix("-halo").strip())
    return entry if value is None else _with_number(entry, word, value)


def _with_colour(entry: Entry, word: str, text: str) -> Entry:
    """The entry with one more colour; what is not understood leaves it as it is."""
    colour = _colour(word.capitalize(), text, entry, _BRIGHTEST if word == "ke" else 1.0)
    if colour is None:
        return entry
    if word == "tf":
        return replace(entry, glass=replace(entry.glass, filter=colour))
    shine = replace(entry.shine, specular=colour) if word == "ks" else replace(entry.shine, emission=colour)
    return replace(entry, shine=shine)


def _with_number(entry: Entry, word: str, value: float) -> Entry:
    share = min(max(value, 0.0), 1.0)
    if word in ("pr", "pm"):
        return replace(entry, roughness=share) if word == "pr" else replace(entry, metallic=share)
    if word == "ns":
        return replace(entry, shine=replace(entry.shine, shininess=min(max(value, 0.0), _SHARPEST)))
    if word == "illum":
        return replace(entry, shine=replace(entry.shine, model=int(min(max(value, -1), 99))))
    return replace(entry, glass=with_number(entry.glass, word, value))


def _colour(word: str, text: str, entry: Entry, most: float = 1.0) -> Colour | None:
    """The linear colour of a statement (one number is grey), or None where it is not one; said."""
    values = [_number(each) for each in text.split()[:3]]
    if len(values) == 1:
        values *= 3
    red, green, blue = [*values, None, None, None][:3]
    if red is None or green is None or blue is None:
        log.warning("Material '%s': its colour '%s %s' is not understood.", shown(entry.name), word, shown(text))
        return None
    if not all(0 <= value <= most for value in (red, green, blue)):
        log.warning(
            "Material '%s': its colour '%s %s' is not in 0 to %g: clipped.", shown(entry.name), word, shown(text), most
        )
    return min(max(red, 0.0), most), min(max(green, 0.0), most), min(max(blue, 0.0), most)


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _with_picture(entry: Entry, text: str) -> Entry:
    """The entry with the picture of a map_Kd statement: options first, then a name that may hold spaces."""
    rest = text
    while rest.startswith("-"):
        option, _, after = rest.partition(" ")
        if option in _VECTORS:
            values, rest = _vector(after.lstrip())
            entry = _placed(entry, option, values)
        elif option in _OPTIONS:
            if option == "-mm":
                log.warning("Material '%s': the option -mm of its picture is passed over.", shown(entry.name))
            words = after.split(None, _OPTIONS[option])
            if option == "-clamp" and words[:1] == ["on"]:
                entry = replace(entry, clamp=True)
            rest = words[-1] if len(words) > _OPTIONS[option] else ""
        else:
            break  # a name that begins with a hyphen
    return replace(entry, picture=rest or None)


def _vector(text: str) -> tuple[list[float], str]:
    """Up to three numbers and what follows them; the last word is always the name."""
    values: list[float] = []
    while len(values) < 3:
        word, space, after = text.partition(" ")
        value = _number(word)
        if value is None or not space:
            break
        values.append(value)
        text = after.lstrip()
    return values, text


def _placed(entry: Entry, option: str, values: list[float]) -> Entry:
    """The entry with its texture coordinates scaled (-s) or shifted (-o); missing numbers have their defaults."""
    if option == "-s":
        u, v = [*values, *(1.0, 1.0)[len(values) :]][:2]
        return replace(entry, scale=(u, v))
    if option == "-o":
        u, v = [*values, *(0.0, 0.0)[len(values) :]][:2]
        return replace(entry, shift=(u, v))
    return entry


def picture_of(entry: Entry, folders: Sequence[Path]) -> Path | None:
    """Where the picture of an entry lies, or None where it has none or that is missing; see `material_of`."""
    return None if entry.picture is None else _picture(entry.picture, [entry.folder, *folders])


def material_of(
    entry: Entry, folders: Sequence[Path], read: TextureReader = read_texture, clear: bool = False
) -> Material:
    """The material that an entry describes; a picture that is missing or damaged is said, and Kd stands in for it.

    Args:
        entry: as `read_entries` gives it.
        folders: where to look for the picture besides the folder of the material file.
        read: what reads it.
        clear: whether light goes through what lets it (`mtl_glass`); else all is opaque.

    Raises:
        InputError: the picture is too large.
    """
    texture = None
    if entry.picture is not None:
        path = picture_of(entry, folders)
        texture = read(path) if path is not None else None
        if texture is None:
            trouble = "is missing" if path is None else "is damaged or of an unknown kind (PNG and JPEG are safe)"
            log.warning("The picture %s of material '%s' %s.", shown(entry.picture), shown(entry.name), trouble)
    # exporters often leave Kd black or grey beside a map_Kd that holds the full colour
    albedo = (1.0, 1.0, 1.0) if texture is not None else entry.albedo or PLAIN
    plain = Material(albedo, texture, entry.name or "default", entry.roughness, entry.metallic or 0.0)
    # beside a picture of where it shines, Ke is white as a rule: all of it would glow
    shine = replace(entry.shine, emission=BLACK) if "map_Ke" in entry.unshown else entry.shine
    material = shine_of(shine, plain)
    return clear_of(entry.glass, shine.model, material) if clear else material


def _picture(name: str, folders: Sequence[Path]) -> Path | None:
    found = find_file(name, folders)
    return found if found is not None or "#" not in name else find_file(name.partition("#")[0], folders)
