"""TIFF stacks: their numbers, the order of their pages and their spacing."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from invrender.errors import InputError
from invrender.io.volumes.read import read_volume


def write_stack(path, pages, description="", first_tags=None, page_tags=None):
    """Pages as ImageJ and tifffile write them: only the first has the description and the resolution."""
    tags = ImageFileDirectory_v2()
    tags[270] = description
    tags.update(first_tags or {})
    rest = ImageFileDirectory_v2()
    rest.update(page_tags or {})
    first, *others = [Image.fromarray(page) for page in pages]
    for other in others:
        other.encoderinfo = {"tiffinfo": rest}
    first.save(path, save_all=True, append_images=others, tiffinfo=tags)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
def test_a_tiff_stack_is_a_volume(tmp_path, grid, expect, caplog, kind):
    write_stack(tmp_path / "v.tif", grid.astype(kind))
    expect(tmp_path / "v.tif", grid, [[-1 / 2, -2 / 5, -3 / 10], [1 / 2, 2 / 5, 3 / 10]])
    assert "its cells are taken as cubes" in caplog.text


def test_the_pages_of_imagej(tmp_path, grid, expect):
    """Channels run fastest, then slices, then frames."""
    values = np.stack([grid, grid + 1, grid + 2, grid + 3]).reshape(2, 2, *grid.shape).astype(np.uint8)  # t, c
    pages = values.transpose(0, 2, 1, 3, 4).reshape(-1, *grid.shape[1:])
    write_stack(tmp_path / "v.tif", pages, "ImageJ=1.53t\nimages=16\nchannels=2\nslices=4\nframes=2\n")
    with pytest.raises(InputError, match="--frame N, from 0 to 1"):
        read_volume(tmp_path / "v.tif")
    expect(tmp_path / "v.tif", values[1], frame=1)
    write_stack(tmp_path / "w.tif", pages, "ImageJ=1.53t\nimages=999\nslices=999\n")
    with pytest.raises(InputError, match="there are 16"):
        read_volume(tmp_path / "w.tif")


def test_tiffs_that_are_no_stack(tmp_path, grid):
    Image.fromarray(grid[0].astype(np.uint8)).save(tmp_path / "one.tif")
    with pytest.raises(InputError, match="holds one picture, not a stack"):
        read_volume(tmp_path / "one.tif")
    write_stack(tmp_path / "two.tiff", [grid[0].astype(np.uint8), grid[0, :3].astype(np.uint8)])
    with pytest.raises(InputError, match=r"page 2 has another size.*\n.*tifffile"):
        read_volume(tmp_path / "two.tiff")
    content = (tmp_path / "one.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"TIFF stack"):
        read_volume(tmp_path / "cut.tif")


def test_the_spacing_of_imagej(tmp_path, grid, expect):
    """2 and 4 pixels a unit are cells of 0.5 and 0.25 (ImageJ's TiffDecoder)."""
    told = "ImageJ=1.54f\nimages=4\nslices=4\nunit=micron\nspacing=3.5\nloop=false\n"
    write_stack(tmp_path / "v.tif", grid.astype(np.uint16), told, {282: 2.0, 283: 4.0})
    expect(tmp_path / "v.tif", grid, [[0, 0, 0], [2.5, 1, 10.5]])
    write_stack(tmp_path / "v.tif", grid.astype(np.uint16), told.replace("3.5", "-2"))
    expect(tmp_path / "v.tif", grid, [[0, 0, 0], [5, 4, 6]])


def test_the_spacing_of_ome(tmp_path, grid, expect, caplog):
    xml = '<?xml version="1.0"?><OME><Image><Pixels SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.25" {}/>'
    write_stack(tmp_path / "v.tif", grid.astype(np.uint8), xml.format('PhysicalSizeZ="2"'))
    expect(tmp_path / "v.tif", grid, [[0, 0, 0], [2.5, 1, 6]])
    assert "cubes" not in caplog.text
    for rest in ("", 'PhysicalSizeXUnit="nm" PhysicalSizeZ="2" PhysicalSizeZUnit="mm"', 'PhysicalSizeZ="0"'):
        caplog.clear()
        write_stack(tmp_path / "v.tif", grid.astype(np.uint8), xml.format(rest))
        expect(tmp_path / "v.tif", grid, [[-1 / 2, -2 / 5, -3 / 10], [1 / 2, 2 / 5, 3 / 10]])
        assert "its cells are taken as cubes" in caplog.text


def test_a_film_is_no_volume(tmp_path, grid):
    write_stack(tmp_path / "v.tif", grid.astype(np.uint8), "ImageJ=1.54f\nimages=4\nframes=4\n")
    with pytest.raises(InputError, match=r"4 pages are moments of one slice.*\n.*Image > Properties"):
        read_volume(tmp_path / "v.tif")
    write_stack(tmp_path / "v.tif", grid[:1].astype(np.uint8), "ImageJ=1.54f\nimages=4\nslices=4\n")
    with pytest.raises(InputError, match=r"4 pages as one block.*\n.*tifffile"):
        read_volume(tmp_path / "v.tif")
    write_stack(tmp_path / "v.tif", grid.astype(np.uint8), f"ImageJ=1.54f\nimages=4\nslices={'9' * 5000}\n")
    read_volume(tmp_path / "v.tif")  # no number of slices: all pages are such


def test_numbers_come_as_they_are_stored(tmp_path, grid, expect):
    signed = {339: 2}  # SampleFormat
    write_stack(tmp_path / "signed.tif", grid.astype(np.uint8) + 100, "", signed)
    with pytest.raises(InputError, match="page 2 has another size or type"):
        read_volume(tmp_path / "signed.tif")
    write_stack(tmp_path / "signed.tif", grid.astype(np.uint8) + 100, "", signed, signed)
    expect(tmp_path / "signed.tif", (grid + 100).astype(np.uint8).view(np.int8).astype(float))
    for name, values in {"bytes": grid.astype(np.uint8), "mask": grid > 60}.items():
        write_stack(tmp_path / f"{name}.tif", values)
        content = (tmp_path / f"{name}.tif").read_bytes()
        black, white = (struct.pack("<HHIHH", 262, 3, 1, kind, 0) for kind in (1, 0))  # PhotometricInterpretation
        assert content.count(black) == len(grid)
        (tmp_path / f"{name}.tif").write_bytes(content.replace(black, white))
        expect(tmp_path / f"{name}.tif", values.astype(float))
