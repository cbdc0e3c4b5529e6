"""TIFF stacks, the arrays of .vti, and files of formats that are not read."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from invrender.errors import InputError
from invrender.io.assets import identify
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume


def write_stack(path, pages, description=""):
    tags = ImageFileDirectory_v2()
    tags[270] = description
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=others, tiffinfo=tags)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
def test_a_tiff_stack_is_a_volume(tmp_path, grid, expect, caplog, kind):
    write_stack(tmp_path / "v.tif", grid.astype(kind))
    expect(tmp_path / "v.tif", grid, [[-1 / 2, -2 / 5, -3 / 10], [1 / 2, 2 / 5, 3 / 10]])
    assert "spacing of a TIFF stack is not read" in caplog.text


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


def test_cell_arrays_beside_point_arrays(tmp_path, grid, expect):
    import pyvista

    image = pyvista.ImageData(dimensions=(7, 6, 5), spacing=(0.5, 1, 2), origin=(-10, -20, 5))
    image.cell_data["inside"] = grid.astype(np.float32).ravel()
    image.point_data["points"] = np.zeros(7 * 6 * 5)
    image.point_data["more"] = np.ones(7 * 6 * 5)
    image.save(tmp_path / "v.vti")
    expect(tmp_path / "v.vti", grid, [[-9.75, -19.5, 6], [-7.25, -15.5, 12]], key="inside")
    expect(tmp_path / "v.vti", np.ones((5, 6, 7)), [[-10, -20, 5], [-7, -15, 13]], key="more")
    with pytest.raises(InputError, match="points, more, inside"):
        read_volume(tmp_path / "v.vti")


@pytest.mark.parametrize("extent", ["0 99999 0 99999 0 99999", "0 5 0 4", "0 5 0 4 0 x", "5 0 0 4 0 3", ""])
def test_extents_are_looked_at_before_vtk_reads(tmp_path, grid, extent):
    write_volume(tmp_path / "v.vti", Volume.from_numpy(grid))
    content = (tmp_path / "v.vti").read_bytes()
    assert b"0 5 0 4 0 3" in content
    (tmp_path / "v.vti").write_bytes(content.replace(b"0 5 0 4 0 3", extent.encode()))
    with pytest.raises(InputError, match=r"promises|cannot be read"):
        read_volume(tmp_path / "v.vti")


def test_other_formats_are_named_with_a_way_there(tmp_path):
    for name in ("v.h5", "v.mrc", "v.dcm", "v.czi", "v.vtk", "v.nrrd.gz", "V.MGZ", "v.zarr"):
        (tmp_path / name).write_bytes(b"something")
        with pytest.raises(InputError, match=re.escape(".npz, .npy, .vti, .nrrd")) as caught:
            read_volume(tmp_path / name)
        assert len(caught.value.remedy) > 10
        assert identify(tmp_path / name)[0] == "volume"
    (tmp_path / "folder.mha").mkdir()
    with pytest.raises(InputError, match="is a folder, not a volume file"):
        read_volume(tmp_path / "folder.mha")
