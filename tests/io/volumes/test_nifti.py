"""NIfTI: which affine holds, scaling, pairs of files, time, colours, and grids that are turned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.volumes.read import read_volume

nibabel = pytest.importorskip("nibabel")

CORNERS = [[-10, -20, 5], [-7.5, -16, 11]]  # of spacing 0.5, 1, 2


@pytest.fixture
def affine():
    matrix = np.diag([0.5, 1.0, 2.0, 1.0])
    matrix[:3, 3] = -10, -20, 5
    return matrix


def image(grid, affine, sform=1, qform=1, kind=np.int16):
    made = nibabel.Nifti1Image(grid.T.astype(kind), affine)
    made.set_sform(affine if sform else None, code=sform)
    made.set_qform(affine if qform else None, code=qform)
    return made


def test_sform_then_qform_then_the_spacing_alone(tmp_path, grid, expect, affine):
    for name, sform, qform in (("s", 1, 0), ("q", 0, 1)):
        image(grid, affine, sform, qform).to_filename(tmp_path / f"{name}.nii")
        expect(tmp_path / f"{name}.nii", grid, CORNERS)
    both = image(grid, affine)
    other = affine.copy()
    other[:3, 3] = 1, 2, 3
    both.set_qform(other, code=1)
    both.to_filename(tmp_path / "both.nii")
    expect(tmp_path / "both.nii", grid, CORNERS)
    image(grid, affine, 0, 0).to_filename(tmp_path / "neither.nii")
    expect(tmp_path / "neither.nii", grid, [[0, 0, 0], [2.5, 4, 6]])


def test_the_slope_of_stored_numbers(tmp_path, grid, expect, affine):
    scaled = image(grid, affine)
    scaled.header.set_slope_inter(2, -1024)
    scaled.to_filename(tmp_path / "v.nii.gz")
    stored = np.asarray(nibabel.load(tmp_path / "v.nii.gz").dataobj.get_unscaled()).T
    expect(tmp_path / "v.nii.gz", 2.0 * stored - 1024, CORNERS)
    image(grid, affine).to_filename(tmp_path / "zero.nii")
    content = bytearray((tmp_path / "zero.nii").read_bytes())
    for bits in (np.float32([0, 0]), np.float32([np.nan, np.nan])):
        content[112:120] = bits.tobytes()  # scl_slope and scl_inter
        (tmp_path / "zero.nii").write_bytes(content)
        expect(tmp_path / "zero.nii", grid, CORNERS)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_number_types_and_big_endian(tmp_path, grid, expect, affine, kind):
    image(grid, affine, kind=kind).to_filename(tmp_path / "v.nii.gz")
    expect(tmp_path / "v.nii.gz", grid, CORNERS)
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(kind)
    nibabel.Nifti1Image(grid.T.astype(kind), affine, header).to_filename(tmp_path / "big.nii")
    expect(tmp_path / "big.nii", grid, CORNERS)


def test_pairs(tmp_path, grid, expect, affine):
    nibabel.save(nibabel.Nifti1Pair(grid.T.astype(np.int16), affine), tmp_path / "v.img")
    expect(tmp_path / "v.img", grid, CORNERS)
    expect(tmp_path / "v.hdr", grid, CORNERS)
    (tmp_path / "v.img").unlink()
    with pytest.raises(InputError, match=r"one of a pair, and v\.img is not there"):
        read_volume(tmp_path / "v.hdr")


def test_time_is_no_colour(tmp_path, grid, expect, affine):
    frames = np.stack([grid, 2 * grid, 3 * grid, 4 * grid])
    image(frames, affine).to_filename(tmp_path / "t.nii")
    with pytest.raises(InputError, match="--frame N, from 0 to 3"):
        read_volume(tmp_path / "t.nii")
    expect(tmp_path / "t.nii", 3 * grid, CORNERS, frame=2)
    image(frames[:1], affine).to_filename(tmp_path / "one.nii")
    expect(tmp_path / "one.nii", grid, CORNERS)
    expect(tmp_path / "one.nii", grid, CORNERS, frame=0)


def test_colours_are_channels(tmp_path, grid, expect, affine):
    colours = np.stack([grid, grid + 1, grid + 2], -1).astype(np.uint8)
    records = colours.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    nibabel.Nifti1Image(np.ascontiguousarray(records.T), affine).to_filename(tmp_path / "rgb.nii")
    expect(tmp_path / "rgb.nii", np.stack([grid, grid + 1, grid + 2]), CORNERS)


def test_a_turned_grid_keeps_its_samples_and_their_places(tmp_path, affine, vertices, caplog):
    """A field that is linear in the world, sampled on axes turned by 20 degrees about z, is what samples say there."""
    angle = math.radians(20)
    turn = np.eye(4)
    turn[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    turned = turn @ affine
    index = np.stack(np.meshgrid(*map(np.arange, (24, 12, 8)), indexing="ij"), -1)
    world = index @ turned[:3, :3].T + turned[:3, 3]
    field = 300 + world @ [3.0, -2.0, 5.0]
    nibabel.Nifti1Image(field.astype(np.float32), turned).to_filename(tmp_path / "v.nii")
    found = read_volume(tmp_path / "v.nii")
    assert not caplog.text
    assert found.values.numel() == field.size
    places = found.in_world(vertices(found)).numpy()
    assert np.abs(found.numpy()[0] - (300 + places @ [3.0, -2.0, 5.0])).max() < 1e-3
    centre = found.bounds.mean(0)
    assert np.allclose(found.in_world(centre), centre)
    assert np.allclose(centre, world.reshape(-1, 3).mean(0), atol=1e-3)


def test_sizes_are_compared_with_the_file_first(tmp_path, grid, affine):
    image(grid, affine).to_filename(tmp_path / "v.nii")
    content = bytearray((tmp_path / "v.nii").read_bytes())
    content[42:48] = np.int16([30000, 30000, 30000]).tobytes()  # dim[1] to dim[3]
    (tmp_path / "v.nii").write_bytes(content)
    with pytest.raises(InputError, match="promises 30000 x 30000 x 30000"):
        read_volume(tmp_path / "v.nii")


def test_nan_is_refused_with_its_place(tmp_path, grid, affine):
    grid[2, 3, 1] = np.nan
    image(grid, affine, kind=np.float32).to_filename(tmp_path / "v.nii")
    with pytest.raises(InputError, match=r"1 of 120 values are NaN or infinite \(the first at z, y, x = \(2, 3, 1\)\)"):
        read_volume(tmp_path / "v.nii")


def test_the_same_image_lies_in_one_place_in_every_format(tmp_path, grid):
    itk = pytest.importorskip("SimpleITK")
    made = itk.GetImageFromArray(grid)
    made.SetSpacing((0.5, 1, 2))
    made.SetOrigin((3, -4.5, 11))
    made.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    for ending in ("nii.gz", "nrrd", "mha"):
        itk.WriteImage(made, str(tmp_path / f"v.{ending}"))
    first, *others = (read_volume(tmp_path / f"v.{ending}") for ending in ("nii.gz", "nrrd", "mha"))
    for other in others:
        assert np.array_equal(first.numpy(), other.numpy())
        assert np.allclose(first.bounds, other.bounds, atol=1e-5)
