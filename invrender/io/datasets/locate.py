"""Finding the picture that a pose file means: other case, accents or slashes, no extension, or of another
machine."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from invrender.io.files.paths import entries, is_file, is_folder, shown

log = logging.getLogger(__name__)
_SMALLER = ("_2", "_4", "_8")  # folders of smaller copies, as mip-NeRF 360 and nerfstudio call them


@dataclass(frozen=True)
class Locator:
    """Looks files up below a folder, and remembers what it saw there.

    Attributes:
        root: the folder that relative names start from.
        extensions: of pictures, tried in this order where a name has none.
        by_name: look through all folders for a picture of that name where it is not at its place.
    """

    root: Path
    extensions: Sequence[str]
    by_name: bool = False
    _folders: dict[Path, list[str]] = field(default_factory=dict)
    _moved: set[str] = field(default_factory=set)

    def find(self, named: str) -> Path:
        """The file that is meant; where none is there, the path as it was named."""
        for text in _spellings(named):
            found = self.at(self.root, PurePosixPath(text))
            if found is not None:
                return found
        plain = named.replace("\\", "/").removeprefix("file://")
        elsewhere = self._tail(plain) or self._smaller(plain) or (self._anywhere(plain) if self.by_name else None)
        return elsewhere or self.root / plain

    def at(self, folder: Path, name: PurePosixPath) -> Path | None:
        """The file of that name, with any extension if it has none, in any case if none has this one."""
        path = folder / name
        for candidate in (path, *(path.with_name(path.name + e) for e in self.extensions if path.name)):
            if is_file(candidate):
                return candidate
        return self._any_case(folder, name.parts)

    def _any_case(self, folder: Path, parts: tuple[str, ...]) -> Path | None:
        """The one file whose name differs in case alone; of several nothing is known."""
        if not parts or PurePosixPath(*parts).is_absolute() or ".." in parts:
            return None
        first, rest = _folded(parts[0]), parts[1:]
        wanted = [first] if rest else [first, *(first + extension for extension in self.extensions)]
        for name in wanted:
            alike = [folder / other for other in self._entries(folder) if _folded(other) == name]
            found = [self._any_case(path, rest) for path in alike] if rest else [p for p in alike if is_file(p)]
            there = [path for path in found if path is not None]
            if there:
                return there[0] if len(there) == 1 else None
        return None

    def _entries(self, folder: Path) -> list[str]:
        if folder not in self._folders:
            self._folders[folder] = entries(folder)
        return self._folders[folder]

    def _tail(self, named: str) -> Path | None:
        """The end of a path from another place that exists below the root.

        From another place are absolute paths, those that go up, and those from a folder that is not here: instant-ngp's
        start from where it was called. Of the last a folder has to fit as well.
        """
        parts = PureWindowsPath(named).parts
        away = bool(parts) and (PureWindowsPath(named).anchor != "" or ".." in parts)
        if not parts or not (away or not is_folder(self.root / parts[0])):
            return None
        tails = (parts[i:] for i in range(1, len(parts) if away else len(parts) - 1) if ".." not in parts[i:])
        found = next((path for tail in tails if (path := self.at(self.root, PurePosixPath(*tail)))), None)
        self._say(found, named, "does not exist here")
        return found

    def _smaller(self, named: str) -> Path | None:
        """The picture in a folder of smaller copies, where the folder of the large ones is missing."""
        first, *rest = PurePosixPath(named).parts or ("",)
        if not rest or is_folder(self.root / first):
            return None
        found = (self.at(self.root / f"{first}{factor}", PurePosixPath(*rest)) for factor in _SMALLER)
        path = next((path for path in found if path), None)
        self._say(path, named, "is not there")
        return path

    def _anywhere(self, named: str) -> Path | None:
        """The only picture below the root that is called so."""
        name = _folded(PurePosixPath(named).name)
        found = [path for path in self._walk(self.root, 3) if _folded(path.name) == name]
        path = found[0] if len(found) == 1 else None
        self._say(path, named, "is not there")
        return path

    def _walk(self, folder: Path, depth: int) -> Iterator[Path]:
        for name in self._entries(folder):
            path = folder / name
            if path.suffix.lower() in self.extensions:
                yield path
            elif depth and not name.startswith(".") and is_folder(path):
                yield from self._walk(path, depth - 1)

    def _say(self, found: Path | None, named: str, why: str) -> None:
        """Once for each folder that stands for another."""
        if found is None:
            return
        place = str(PurePosixPath(named).parent)
        if place not in self._moved:
            self._moved.add(place)
            log.warning("%s %s: %s is read in its place", shown(named), why, shown(found))


def _folded(name: str) -> str:
    """A name without what systems change: its case, and whether accents are letters of their own (macOS) or not."""
    return unicodedata.normalize("NFC", name).lower()


def _spellings(named: str) -> list[str]:
    """A name as it is, with slashes for backslashes, and without the escapes of a URL."""
    plain = named.replace("\\", "/")
    return list(dict.fromkeys((named, plain, unquote(plain.removeprefix("file://")))))
