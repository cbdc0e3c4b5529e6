"""Pictures that a scene file names: read as linear floats, and written so that the same numbers come back."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from invrender.io.exr import write_exr
from invrender.io.files.atomic import atomic_path, atomic_write_bytes
from invrender.io.hdr import read_hdr
from invrender.io.images import read_image
from invrender.io.meshes.gltf_gloss import gloss_of
from invrender.io.meshes.texture import read_texture
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

    def __init__(self, target: Path) -> None:
        self.target = target
        self.written: list[Path] = []

    def write(self, name: str, picture: torch.Tensor) -> str:
        """Write a picture [h,w,3], or gloss [h,w,2], and return the name of its file.

        Raises:
            UsageError: the place cannot be written to.
            InputError: it holds values that are no numbers.
        """
        values = picture.detach().cpu().float()
        stem = f"{self.target.stem}-{_word(name)}"
        packed = colour_png(values) if values.shape[2] == 3 else gloss_png(values)
        file = self.target.with_name(f"{stem}.png")
        atomic_write_bytes(file, packed)
        again = read_texture(file)
        if again is not None and values.shape[2] == 2:
            again = gloss_of(again, (values.shape[0], values.shape[1]))
        if not same_picture(again, values):
            file.unlink()
            file = _write_floats(self.target.with_name(stem), values)
        self.written.append(file)
        return file.name


def _write_floats(stem: Path, values: torch.Tensor) -> Path:
    """Write [h,w,3] as .exr, and gloss [h,w,2] as .npy; the file."""
    if values.shape[2] == 3:
        file = stem.with_name(f"{stem.name}.exr")
        write_exr(file, values.numpy())
        return file
    file = stem.with_name(f"{stem.name}.npy")
    with atomic_path(file) as temporary:
        np.save(temporary, values.numpy())
    return file


def _word(name: str) -> str:
    """A name as a part of file names; a changed one ends in its checksum."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:60]
    return word if word == name else f"{word}-{zlib.crc32(name.encode()):08x}"
