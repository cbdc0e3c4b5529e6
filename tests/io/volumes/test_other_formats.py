"""The arrays of .vti files, and files of formats that are not read."""

from __future__ import annotations

import re

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.assets import identify, read
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume


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
    for name in ("v.h5", "v.mrc", "v.czi", "v.vtk", "v.nrrd.gz", "V.MGZ", "v.zarr", "v.gipl.gz", "v.fits"):
        (tmp_path / name).write_bytes(b"something")
        with pytest.raises(InputError, match=re.escape(".npz, .npy, .vti, .nrrd")) as caught:
            read_volume(tmp_path / name)
        assert len(caught.value.remedy) > 10
        assert identify(tmp_path / name)[0] == "volume"
    (tmp_path / "folder.mha").mkdir()
    with pytest.raises(InputError, match="is a folder, not a volume file"):
        read_volume(tmp_path / "folder.mha")


def test_a_name_that_no_format_has_is_told_of_volumes_too(tmp_path):
    (tmp_path / "v.xyz123").write_bytes(b"something")
    with pytest.raises(InputError, match=r"not a known mesh format\n.*\.obj.*; of volumes \.npz, \.npy, \.vti"):
        read(tmp_path / "v.xyz123")
