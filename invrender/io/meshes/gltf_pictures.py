"""The pictures of a glTF file, decoded to linear colour. Source: specification, sections 3.8.2 and 3.8.3."""

from __future__ import annotations

import io
import logging
import struct
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.gltf_file import AbsentFileError, Document, resource
from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.texture import linear_texture, readable
from invrender.io.pixels import LARGEST

log = logging.getLogger(__name__)

_FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "AVIF",
    "BMP",
    "GIF",
    "TIFF",
    "DDS",
)  # glTF's own, and what its extensions and users add
_KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
# where else a texture may name its picture, in the order of preference; None is the core's own field
_SOURCES = ("EXT_texture_webp", "EXT_texture_avif", None, "MSFT_texture_dds", "KHR_texture_basisu")
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, TypeError, struct.error)


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        texture: [h,w,3] linear float32, row 0 at the top.
        alpha: [h,w] uint8, or None where it is opaque.
    """

    texture: torch.Tensor
    alpha: NDArray[np.uint8] | None


class _UnreadableError(Exception):
    """Why a picture cannot be shown, in words that go on from its name."""


class Pictures:
    """The pictures of a document, each decoded once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._decoded: dict[int, Picture | str] = {}
        self._said: set[str] = set()

    def of(self, texture: Item) -> Picture | None:
        """The first picture of a texture that can be read; None, after a warning, where there is none.

        Raises:
            InputError: a picture has more than LARGEST, or its data are damaged.
        """
        reasons = []
        for extension in _SOURCES:
            owner = texture if extension is None else texture.extension(extension)
            if owner is None or not owner.has("source"):
                continue
            found = self._image(owner)
            if isinstance(found, Picture):
                return found
            reasons.append(found)
        why = "; ".join(reasons) or "it names no picture"
        if texture.where not in self._said:
            self._said.add(texture.where)
            log.warning("%s: %s is left out: %s", self._document.path.name, texture.where, why)
        return None

    def _image(self, owner: Item) -> Picture | str:
        images = self._document.all("images")
        number = owner.index("source", len(images), "images")
        if number not in self._decoded:
            image = images[number]
            try:
                self._decoded[number] = _decode(self._bytes(image), image)
            except AbsentFileError as error:
                self._decoded[number] = f"the picture {_name(image)} {error.why}"
            except _UnreadableError as error:
                self._decoded[number] = f"the picture {_name(image)} {error}"
        return self._decoded[number]

    def _bytes(self, image: Item) -> bytes:
        if image.has("uri"):
            return resource(self._document.path, image.text("uri"))
        return bytes(self._document.view(image))


def _name(image: Item) -> str:
    uri = image.text("uri")
    return shown(uri) if uri and not uri.startswith("data:") else image.where


def _decode(data: bytes, image: Item) -> Picture:
    if data.startswith(_KTX2) or data.startswith(b"\xabKTX"):
        raise _UnreadableError("is KTX2 (KHR_texture_basisu), which nothing here reads: convert it to PNG or JPEG")
    if data[8:12] == b"WEBP" and not readable(["WEBP"], b""):
        raise _UnreadableError("is WebP (EXT_texture_webp), which this Pillow does not read: convert it to PNG or JPEG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about sizes, which are looked at below, and about odd profiles
            with Image.open(io.BytesIO(data), formats=readable(_FORMATS, data[:8])) as opened:
                if opened.width * opened.height > LARGEST:
                    raise _too_large(image, f"{opened.width} x {opened.height} pixels")
                return Picture(linear_texture(opened, _name(image)), _alpha(opened))
    except Image.DecompressionBombError as error:
        raise _too_large(image, "too many pixels for Pillow") from error
    except UnidentifiedImageError as error:
        raise _UnreadableError(
            f"cannot be read: it is of no kind that is known here ({', '.join(readable(_FORMATS, b''))}), or empty"
        ) from error
    except _DAMAGE as error:
        raise _UnreadableError(f"cannot be read: {shown(str(error) or type(error).__name__)}") from error


def _too_large(image: Item, size: str) -> InputError:
    remedy = f"scale it to at most {LARGEST:,} pixels, or leave it out"
    return InputError(f"{image.path}: the picture {_name(image)} is too large: {size}", remedy)


def _alpha(opened: Image.Image) -> NDArray[np.uint8] | None:
    if not opened.has_transparency_data or opened.mode.startswith("I"):
        return None
    plane = np.asarray(opened.convert("RGBA").getchannel("A"))
    return None if plane.min() == 255 else plane
