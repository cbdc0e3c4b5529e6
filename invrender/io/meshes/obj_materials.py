"""The materials of an .obj file: which files it names (mtllib), and what its faces' names (usemtl) mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from invrender.io.files.paths import shown
from invrender.io.meshes.mtl import Entry, material_of, picture_of, read_entries
from invrender.io.meshes.references import find_file
from invrender.io.meshes.texture import TextureReader, texture_reader
from invrender.nouns import Material

log = logging.getLogger(__name__)


_NOBODY = ("", "none", "null", "(null)")  # what exporters write where an object has no material


@dataclass(frozen=True)
class Look:
    """A material, and how texture coordinates [V,2] are placed on its picture: scale * uv + shift.

    `bare` is the material without its picture, for faces that have no texture coordinates; `clamp` tells that the
    picture should end at its border.
    """

    material: Material | None = None
    bare: Material | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False


def read_looks(path: Path, libraries: Sequence[str], names: Sequence[str], clear: bool = False) -> list[Look]:
    """What each material name of an .obj file means; one that no file explains is said, and has no material.

    Args:
        path: the .obj file.
        libraries: what follows `mtllib` on each of its lines.
        names: what follows `usemtl`, each once.
        clear: whether light goes through what lets it; else all is opaque, which is said.

    Raises:
        InputError: a picture is too large.
    """
    entries: dict[str, Entry] = {}
    files = list(_files(path, libraries))
    for file in filter(None, files):
        entries = {**read_entries(file), **entries}
    chosen = [_entry(name, entries) for name in names]
    pictures = [picture_of(entry, [path.parent]) for entry in chosen if entry is not None]
    read = texture_reader(filter(None, pictures))
    looks = [Look() if entry is None else _look(path, entry, read, clear) for entry in chosen]
    _tell_unshown(path, [entry for entry in chosen if entry is not None], clear)
    unknown = [name for name, look in zip(names, looks, strict=True) if look.material is None]
    unknown = [name for name in unknown if name.lower() not in _NOBODY]
    if unknown and None not in files:
        log.warning(
            "%s uses the material '%s'%s, which no material file describes: shown in plain grey.",
            shown(path.name), shown(unknown[0]), f" and {len(unknown) - 1} more" if unknown[1:] else "",
        )  # fmt: skip
    return looks


def _tell_unshown(path: Path, entries: list[Entry], clear: bool) -> None:
    """Say what pictures do not show of the materials: light that passes through, and pictures but for the colour."""
    dissolved = [entry for entry in entries if entry.glass.opacity < 1]
    if dissolved and not clear:
        log.warning(
            "%s: the material %s lets light through (opacity %.3g): shown opaque.",
            shown(path.name), _first(dissolved), dissolved[0].glass.opacity,
        )  # fmt: skip
    pictured = [entry for entry in entries if entry.unshown]
    if pictured:
        names = ", ".join(sorted({name for entry in pictured for name in entry.unshown}))
        log.warning(
            "%s: the material %s has pictures that are not shown: %s.", shown(path.name), _first(pictured), names
        )


def _first(entries: list[Entry]) -> str:
    return f"'{shown(entries[0].name)}'" + (f" (and {len(entries) - 1} more)" if entries[1:] else "")


def _entry(name: str, entries: dict[str, Entry]) -> Entry | None:
    """The material of a name, with or without what looks like a comment: "Material #25" is a name, too."""
    entry = entries.get(name) or entries.get(name.partition("#")[0].strip())
    if entry is None and name:
        return next((each for each in entries.values() if each.name.partition("#")[0].strip() == name), None)
    return entry


def _look(path: Path, entry: Entry, read: TextureReader, clear: bool) -> Look:
    material = material_of(entry, [path.parent], read, clear)
    bare = material if material.texture is None else material_of(replace(entry, picture=None), [], clear=clear)
    return Look(material, bare, entry.scale, entry.shift, entry.clamp and material.texture is not None)


def _files(path: Path, libraries: Sequence[str]) -> Iterator[Path | None]:
    """The material files that exist; None for each that does not, which is said."""
    for line in dict.fromkeys(libraries):
        whole = find_file(line, [path.parent])
        yield from [whole] if whole is not None else _several(path, line.split())


def _several(path: Path, words: list[str]) -> Iterator[Path | None]:
    """The files of a line with several names, each of which may hold spaces: the longest that exists counts."""
    missing: list[str] = []
    while words and not words[0].startswith("#"):
        for k in range(len(words), 0, -1):
            found = find_file(" ".join(words[:k]), [path.parent])
            if found is not None:
                yield found
                words = words[k:]
                break
        else:
            missing.append(words[0])
            words = words[1:]
    if missing:
        name = shown(" ".join(missing))
        log.warning(
            "%s names the material file %s, which is missing: it is shown in plain grey.", shown(path.name), name
        )
        yield None
