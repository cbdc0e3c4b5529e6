"""Pictures that a scene file names: read as linear floats, and written so that the same numbers come back."""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from invrender.errors import InputError
from invrender.io.exr import write_exr
from invrender.io.files.atomic import atomic_path, atomic_write_bytes
from invrender.io.files.paths import existing_file, shown
from invrender.io.hdr import read_hdr
from invrender.io.images import read_image
from invrender.io.meshes.gltf_gloss import gloss_of
from invrender.io.meshes.texture import linear_texture, read_texture
from invrender.io.meshes.texture_write import colour_png, gloss_png
from invrender.io.scenes.table import Table

FLOATS = (".exr", ".hdr", ".npy")


def read_picture(table: Table, key: str, channels: int = 3) -> torch.Tensor:
    """[h,w,3] linear float32 of the picture that a key names; of gloss [h,w,2] roughness and metallic.

    Of pictures with 8 bits gloss is in green and blue, as in glTF.

    Raises:
        InputError: it is missing, damaged, or holds something else.
    """
    path = table.file(key, "picture")
    if path.suffix.lower() in FLOATS:
        return _floats(path, table, channels)
    found = read_texture(path)
    if found is None:
        raise table.wrong(f"names {path.name}, which cannot be read as a picture", "save it as PNG or JPEG")
    return found if channels == 3 else gloss_of(found, (found.shape[0], found.shape[1]))


def read_environment(path: Path) -> torch.Tensor:
    """[h,w,3] linear float32 of a picture of an environment by itself.

    Raises:
        InputError: it is missing, damaged, black, or holds something else.
    """
    existing_file(path, "picture")
    picture = read_picture(Table(path, "as an environment", {"picture": path.name}), "picture")
    if not bool(picture.any()):
        raise InputError(f"{shown(path)} is black everywhere, and no light", "use a picture that is not")
    return picture


def _floats(path: Path, table: Table, channels: int) -> torch.Tensor:
    kind = path.suffix.lower()
    array = read_image(path)[0] if kind == ".exr" else read_hdr(path) if kind == ".hdr" else _numpy(path, table)
    array = array[..., 1:] if channels == 2 and array.ndim == 3 and array.shape[2] == 3 else array
    if array.ndim != 3 or array.shape[2] != channels or not array.size or array.dtype.kind != "f":
        shape = " x ".join(map(str, array.shape))
        raise table.wrong(f"names {path.name}, {shape} of {array.dtype}", f"save [h,w,{channels}] linear floats")
    if not np.isfinite(array).all() or (array < 0).any():
        raise table.wrong(f"names {path.name}, which holds NaN, infinite or negative numbers", "use numbers from 0")
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def _numpy(path: Path, table: Table) -> Any:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise table.wrong(f"names {path.name}, which is no .npy array", "write it with numpy.save") from error


def same_picture(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Whether two arrays, which may be missing, hold the same numbers."""
    if one is None or other is None or one is other:
        return one is other
    return one.shape == other.shape and torch.equal(one.detach().cpu().double(), other.detach().cpu().double())


class Pictures:
    """Pictures that are written beside a scene file.

    Attributes:
        target: the scene file.
        written: what has been written.
    """

    def __init__(self, target: Path, keep: bool) -> None:
        """Files of the same names are replaced, but where a source may refer to them (`keep`)."""
        self.target = target
        self.written: list[Path] = []
        self._keep = keep

    def write(self, name: str, picture: torch.Tensor) -> str:
        """Write a picture [h,w,3], or gloss [h,w,2], and return the name of its file.

        Raises:
            UsageError: the place cannot be written to.
            InputError: it holds values that are no numbers.
        """
        values = picture.detach().cpu().float()
        packed = colour_png(values) if values.shape[2] == 3 else gloss_png(values)
        exact = same_picture(_unpacked(packed, values.shape[2]), values)
        file = self._place(name, ".png" if exact else ".exr" if values.shape[2] == 3 else ".npy")
        if exact:
            atomic_write_bytes(file, packed)
        elif values.shape[2] == 3:
            write_exr(file, values.numpy())
        else:
            with atomic_path(file) as temporary:
                np.save(temporary, values.numpy())
        self.written.append(file)
        return file.name

    def _place(self, name: str, ending: str) -> Path:
        """Where a picture of that name goes."""
        stem, number = f"{self.target.stem}-{_word(name)}", 1
        file = self.target.with_name(f"{stem}{ending}")
        while self._keep and file.exists():
            number += 1
            file = self.target.with_name(f"{stem}-{number}{ending}")
        return file


def _unpacked(packed: bytes, channels: int) -> torch.Tensor:
    """What reading a PNG gives."""
    with Image.open(io.BytesIO(packed)) as image:
        found = linear_texture(image, "picture", image.width * image.height)
    return found if channels == 3 else gloss_of(found, (found.shape[0], found.shape[1]))


def _word(name: str) -> str:
    """A name as a part of file names; a changed one ends in its checksum."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:60]
    return word if word == name else f"{word}-{zlib.crc32(name.encode()):08x}"
