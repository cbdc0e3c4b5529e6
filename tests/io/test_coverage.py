"""Masks as programs store them: two values or two colours mean background and object, whatever they are."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from invrender.errors import InputError
from invrender.io.images import read_image, read_mask, read_mask_as

OBJECT = np.zeros((12, 16), bool)
OBJECT[3:9, 4:11] = True
ONE = OBJECT.astype(np.uint8)


def colours(background: tuple[int, ...], inside: tuple[int, ...]) -> np.ndarray:
    return np.where(OBJECT[..., None], inside, background).astype(np.uint8)


def palette(first: tuple[int, ...], second: tuple[int, ...], labels: np.ndarray = ONE) -> Image.Image:
    image = Image.fromarray(labels).convert("P")
    image.putpalette([*first, *second, *[9] * 762])
    image.frombytes(labels.tobytes())
    return image


MASKS = {
    "white": (Image.fromarray(ONE * 255), ""),
    "0 and 1": (Image.fromarray(ONE), "0 and 1"),
    "instance": (Image.fromarray(ONE * 37), "0 and 37"),
    "labels from 1": (Image.fromarray(ONE + 1), "1 and 2"),
    "one bit": (Image.fromarray(OBJECT), ""),
    "16 bits": (Image.fromarray(ONE * np.uint16(65535)), ""),
    "16 bits that hold 255": (Image.fromarray(ONE * np.uint16(255)), "0 and 255"),
    "32 bits": (Image.fromarray(ONE * np.int32(100000)), "0 and 100000"),
    "trimap without its edge": (Image.fromarray(ONE * np.uint8(127) + np.uint8(128)), "128 and 255"),
    "grey and alpha": (Image.merge("LA", [Image.fromarray(ONE * 255), Image.new("L", (16, 12), 255)]), ""),
    "alpha of 0 and 1": (Image.merge("LA", [Image.new("L", (16, 12), 0), Image.fromarray(ONE)]), "0 and 1"),
    "red on black": (Image.fromarray(colours((0, 0, 0), (255, 0, 0))), "(0, 0, 0) and (255, 0, 0)"),
    "dark blue on black": (Image.fromarray(colours((0, 0, 0), (0, 0, 90))), "(0, 0, 0) and (0, 0, 90)"),
    "white on green": (Image.fromarray(colours((0, 99, 0), (255, 255, 255))), "(0, 99, 0) and (255, 255, 255)"),
    "viridis": (Image.fromarray(colours((68, 1, 84), (253, 231, 37))), "(68, 1, 84) and (253, 231, 37)"),
    "dark palette": (palette((0, 0, 0), (128, 0, 0)), "the palette's entries 0 and 1"),
    "palette turned round": (palette((128, 0, 0), (0, 0, 0), 1 - ONE), "the palette's entries 1 and 0"),
    "palette of greys": (palette((255, 255, 255), (0, 0, 0), 1 - ONE), ""),
    "palette of colours": (palette((200, 0, 200), (90, 120, 60)), "the palette's entries 0 and 1"),
}


@pytest.mark.parametrize("kind", MASKS)
def test_two_values_are_a_mask(tmp_path, kind):
    image, note = MASKS[kind]
    image.save(tmp_path / ("mask.tif" if image.mode == "I" else "mask.png"))
    mask, said = read_mask_as(next(tmp_path.iterdir()))
    assert np.array_equal(mask, OBJECT)
    assert said == note


@pytest.mark.parametrize("values", [(0, 255), (0, 255, 0)])
def test_ringing_of_jpeg_stays_small(tmp_path, values):
    image = Image.fromarray(ONE * 255) if len(values) == 2 else Image.fromarray(colours((0, 0, 0), values))
    image.resize((160, 120), Image.Resampling.NEAREST).save(tmp_path / "mask.jpg", quality=90)
    mask, said = read_mask_as(tmp_path / "mask.jpg")
    wanted = np.kron(OBJECT, np.ones((10, 10), bool))
    assert np.array_equal(mask >= 0.5, wanted) and said == ""


def test_soft_edges_stay_soft(tmp_path):
    soft = np.linspace(0, 255, 192).astype(np.uint8).reshape(12, 16)
    Image.fromarray(soft).save(tmp_path / "mask.png")
    assert np.allclose(read_mask(tmp_path / "mask.png"), soft / 255, atol=1e-6)
    red = np.dstack([soft, 0 * soft, 0 * soft])
    Image.fromarray(red).save(tmp_path / "mask.png")
    assert np.allclose(read_mask(tmp_path / "mask.png"), soft / 255, atol=1e-6)


LABELS = ONE.copy()
LABELS[0, 0] = 2
UNCLEAR = {
    "dim": (Image.fromarray(LABELS), "the largest value of this mask is 2 of 255"),
    "full of ones": (Image.fromarray(ONE * 0 + 1), "the largest value of this mask is 1 of 255"),
    "three labels": (palette((0, 0, 0), (128, 0, 0), LABELS), "the palette's entries 0, 1, 2"),
    "equally bright": (Image.fromarray(colours((30, 30, 120), (120, 8, 0))), "equally bright"),
    "floats to 255": (Image.fromarray((LABELS * 127).astype(np.float32)), "run from 0 to 254, beyond 1"),
    "nan": (Image.fromarray(np.where(OBJECT, np.nan, 0).astype(np.float32)), "nan at row 3, column 4"),
}


@pytest.mark.parametrize("kind", UNCLEAR)
def test_unclear_masks_are_refused(tmp_path, kind):
    image, words = UNCLEAR[kind]
    image.save(tmp_path / ("mask.tif" if image.mode == "F" else "mask.png"))
    with pytest.raises(InputError, match=re.escape(words)) as error:
        read_mask(next(tmp_path.iterdir()))
    assert error.value.remedy


def png16(path: Path, values: np.ndarray) -> None:
    """A PNG of 16 bits a channel (PNG 1.2, section 4.1.1), which Pillow cannot write."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_16_bits(tmp_path, channels):
    values = np.full((12, 16, channels), 20000, np.uint16)
    values[..., -1] = OBJECT * 65535
    png16(tmp_path / "a.png", values)
    rgb, alpha = read_image(tmp_path / "a.png")
    assert alpha is not None and np.array_equal(alpha, OBJECT)
    assert np.allclose(rgb, ((20000 / 65535 + 0.055) / 1.055) ** 2.4, atol=2e-3)


def test_alpha_of_grey_pictures_and_palettes(tmp_path):
    Image.merge("LA", [Image.new("L", (16, 12), 99), Image.fromarray(ONE * 255)]).save(tmp_path / "grey.png")
    palette((255, 0, 255), (90, 120, 60)).save(tmp_path / "palette.png", transparency=0)
    for name in ("grey.png", "palette.png"):
        alpha = read_image(tmp_path / name)[1]
        assert alpha is not None and np.array_equal(alpha, OBJECT)
