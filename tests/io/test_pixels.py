"""What is refused before or while pixels are unpacked: sizes, kinds of files, damage; and how viewers turn pictures."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from invrender.errors import InputError
from invrender.io.images import read_image, read_mask
from invrender.io.pixels import read_header, read_picture, turned


def png_head(path: Path, width: int, height: int) -> None:
    """A PNG that says it has so many pixels and holds almost none."""
    parts = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 99))
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def tiff_head(path: Path, width: int, height: int) -> None:
    """A TIFF 6.0 of one byte a pixel and one strip, which is missing."""
    tags = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 1))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0")


def exr_head(path: Path, width: int, height: int) -> None:
    """The start of an OpenEXR file (openexr.com, "OpenEXR File Layout")."""
    value = struct.pack("<4i", 0, 0, width - 1, height - 1)
    path.write_bytes(struct.pack("<ii", 20000630, 2) + b"dataWindow\0box2i\0" + struct.pack("<i", 16) + value + b"\0")


@pytest.mark.parametrize(("width", "height"), [(13100, 13000), (60000, 60000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize(("name", "write"), [("a.png", png_head), ("a.tif", tiff_head), ("a.exr", exr_head)])
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_what_unpacks_to_gigabytes_is_refused_from_its_header(tmp_path, name, write, width, height, read):
    write(tmp_path / name, width, height)
    with pytest.raises(InputError, match=r"megapixels\)?; the limit is 100 megapixels") as error:
        read(tmp_path / name)
    if width == 13100:
        assert "13100 x 13000 pixels (170 megapixels)" in error.value.cause


def test_a_large_picture_within_the_limit_needs_no_warning(tmp_path):
    """Pillow warns from 89 megapixels on, and warnings are errors in these tests."""
    Image.new("1", (9500, 9500)).save(tmp_path / "a.png")
    assert read_header(tmp_path / "a.png").size == (9500, 9500)


def test_only_pictures_are_opened(tmp_path):
    (tmp_path / "secret").write_text("root:x:0:0\n")
    (tmp_path / "a.png").symlink_to(tmp_path / "secret")
    for name, words in (("a.png", "none of PNG, JPEG"), ("secret", "not a known image format")):
        with pytest.raises(InputError, match=words) as error:
            read_image(tmp_path / name)
        assert "x:0:0" not in str(error.value)
    Image.new("RGB", (4, 4)).save(tmp_path / "b.gif")
    (tmp_path / "b.gif").rename(tmp_path / "b.png")
    with pytest.raises(InputError, match="none of PNG"):
        read_image(tmp_path / "b.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "c.jpg")
    (tmp_path / "c.jpg").rename(tmp_path / "c.png")
    assert read_image(tmp_path / "c.png")[0].shape == (4, 4, 3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif"])
def test_cut_pictures_are_named(tmp_path, name):
    Image.effect_noise((64, 64), 50).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=f"{name} cannot be read as an image: .*[a-z]") as error:
        read_image(tmp_path / name)
    assert error.value.remedy


def test_stacks_and_animations_are_no_view(tmp_path):
    pages = [Image.new("L", (6, 4), 9 * i) for i in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="holds 3 pages"):
        read_image(tmp_path / "a.tif")
    pages[2].save(tmp_path / "b.tif", save_all=True, append_images=[Image.new("L", (3, 2))])  # a thumbnail behind it
    assert np.array_equal(read_picture(tmp_path / "b.tif").values, np.full((4, 6, 1), 18))


def test_numbers_that_are_no_colour_are_refused(tmp_path):
    values = np.full((4, 6), 0.5, np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert np.array_equal(read_image(tmp_path / "a.tif")[0], np.full((4, 6, 3), 0.5))  # floats are linear
    values[2, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="NaN or infinity, first at row 2, column 3"):
        read_image(tmp_path / "a.tif")
    Image.fromarray(np.full((4, 6), 70000, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="integers from 70000 to 70000"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_turn_as_viewers_turn_them(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(4, 6, 3)
    Image.fromarray(pixels).save(tmp_path / "a.webp", exif=exif, lossless=True)
    header = read_header(tmp_path / "a.webp")
    assert header.size == (4, 6) and header.orientation == orientation
    with Image.open(tmp_path / "a.webp") as image:
        shown = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(turned(read_picture(tmp_path / "a.webp").values, orientation), shown)
