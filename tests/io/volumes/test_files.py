"""Volume files: what is written is read back, by us and by the packages that other people use; faults are named."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest
import torch

from invrender.errors import InputError, UsageError
from invrender.io.volumes.read import VOLUME_EXTENSIONS, read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume

SPACING, ORIGIN = np.array([0.5, 1.25, 2.0]), np.array([-3.0, 10.5, 100.25])  # exact in binary
SHAPE = (4, 5, 7)  # z, y, x
PLACED = (".npz", ".vti", ".nrrd", ".nii", ".nii.gz", ".mha")


@pytest.fixture
def volume() -> Volume:
    values = np.random.default_rng(3).random((1, *SHAPE), np.float32)
    bounds = np.stack([ORIGIN, ORIGIN + SPACING * (np.array(SHAPE[::-1]) - 1)])
    return Volume(values=torch.from_numpy(values), bounds=torch.from_numpy(bounds))


def array(volume: Volume) -> np.ndarray:
    return volume.values.numpy()


@pytest.mark.parametrize("extension", PLACED)
def test_values_and_place_survive_a_round_trip(tmp_path, volume, extension):
    write_volume(tmp_path / f"v{extension}", volume)
    again = read_volume(tmp_path / f"v{extension}")
    assert np.array_equal(array(again), array(volume))
    assert torch.equal(again.bounds, volume.bounds)
    assert again.values.dtype == torch.float32
    assert [entry.name for entry in tmp_path.iterdir()] == [f"v{extension}"]


@pytest.mark.parametrize("extension", PLACED)
def test_several_channels_survive_a_round_trip(tmp_path, volume, extension):
    several = Volume(torch.cat([volume.values, volume.values + 1, volume.values * 2]), volume.bounds)
    write_volume(tmp_path / f"v{extension}", several)
    again = read_volume(tmp_path / f"v{extension}")
    assert np.array_equal(array(again), array(several))
    assert torch.equal(again.bounds, volume.bounds)


def test_files_without_a_place_get_the_unit_frame(tmp_path, volume):
    write_volume(tmp_path / "v.npy", volume)
    write_volume(tmp_path / "v.raw", volume)
    raw = read_volume(tmp_path / "v.raw", shape=SHAPE, dtype="float32")
    for again in (read_volume(tmp_path / "v.npy"), raw):
        assert np.array_equal(array(again), array(volume))
        assert np.allclose(again.bounds, [[-1 / 2, -1 / 3, -1 / 4], [1 / 2, 1 / 3, 1 / 4]])


def test_pyvista_reads_ours_and_we_read_its(tmp_path, volume):
    import pyvista

    write_volume(tmp_path / "v.vti", volume)
    image = pyvista.read(tmp_path / "v.vti")
    assert np.array_equal(image.spacing, SPACING)
    assert np.array_equal(image.origin, ORIGIN)
    assert np.array_equal(image.point_data["density"].reshape(SHAPE), array(volume)[0])
    image.point_data["other"] = np.zeros(image.n_points)
    image.save(tmp_path / "theirs.vti")
    again = read_volume(tmp_path / "theirs.vti")
    assert np.array_equal(array(again), array(volume))
    assert torch.equal(again.bounds, volume.bounds)
    assert not array(read_volume(tmp_path / "theirs.vti", key="other")).any()
    with pytest.raises(InputError, match="did you mean other"):
        read_volume(tmp_path / "theirs.vti", key="othr")


def test_cell_data_sit_at_the_centres_of_the_cells(tmp_path, volume):
    import pyvista

    image = pyvista.ImageData(dimensions=np.array(SHAPE[::-1]) + 1, spacing=SPACING, origin=ORIGIN)
    image.cell_data["density"] = array(volume).ravel()
    image.save(tmp_path / "cells.vti")
    again = read_volume(tmp_path / "cells.vti")
    assert np.array_equal(array(again), array(volume))
    assert np.allclose(again.bounds, volume.bounds.numpy() + SPACING / 2)


def test_pynrrd_reads_ours_and_we_read_its(tmp_path, volume):
    nrrd = pytest.importorskip("nrrd")
    write_volume(tmp_path / "v.nrrd", volume)
    values, header = nrrd.read(str(tmp_path / "v.nrrd"))
    assert np.array_equal(values, array(volume)[0].T)
    assert np.array_equal(header["space directions"], np.diag(SPACING))
    assert np.array_equal(header["space origin"], ORIGIN)
    nrrd.write(str(tmp_path / "old.nrrd"), values, {"spacings": list(SPACING)})
    again = read_volume(tmp_path / "old.nrrd")
    assert np.array_equal(array(again), array(volume))
    assert np.allclose(again.bounds[1] - again.bounds[0], volume.bounds[1] - volume.bounds[0])


def test_nibabel_reads_ours_and_we_read_its(tmp_path, volume):
    nibabel = pytest.importorskip("nibabel")
    write_volume(tmp_path / "v.nii.gz", volume)
    image = nibabel.load(tmp_path / "v.nii.gz")
    assert np.array_equal(image.get_fdata(dtype=np.float32), array(volume)[0].T)
    assert np.array_equal(
        image.affine, np.array([[0.5, 0, 0, -3], [0, 1.25, 0, 10.5], [0, 0, 2, 100.25], [0, 0, 0, 1]])
    )
    counts = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    theirs = nibabel.Nifti1Image(counts, np.eye(4))
    theirs.header.set_slope_inter(0.5, 1)
    nibabel.save(theirs, tmp_path / "scaled.nii")
    read = nibabel.load(tmp_path / "scaled.nii").get_fdata(dtype=np.float32)
    assert np.allclose(array(read_volume(tmp_path / "scaled.nii"))[0], read.T)


@pytest.mark.parametrize("extension", [".mha", ".nrrd", ".nii.gz"])
def test_simpleitk_reads_ours_and_we_read_its(tmp_path, volume, extension):
    itk = pytest.importorskip("SimpleITK")
    write_volume(tmp_path / f"v{extension}", volume)
    image = itk.ReadImage(str(tmp_path / f"v{extension}"))
    assert np.array_equal(itk.GetArrayFromImage(image), array(volume)[0])
    turn = np.array([-1, -1, 1])  # ITK's x and y run the other way
    assert np.allclose(image.GetSpacing(), SPACING)
    assert np.allclose(image.GetOrigin(), ORIGIN * turn)
    for compressed in (False, True):
        itk.WriteImage(image, str(tmp_path / f"theirs{extension}"), compressed)
        again = read_volume(tmp_path / f"theirs{extension}")
        assert np.array_equal(array(again), array(volume))
        assert np.allclose(again.bounds, volume.bounds)


def test_simpleitks_two_file_metaimage(tmp_path, volume):
    itk = pytest.importorskip("SimpleITK")
    write_volume(tmp_path / "v.mha", volume)
    itk.WriteImage(itk.ReadImage(str(tmp_path / "v.mha")), str(tmp_path / "two.mhd"))
    assert np.array_equal(array(read_volume(tmp_path / "two.mhd")), array(volume))
    (tmp_path / "two.raw").unlink()
    with pytest.raises(InputError, match=r"two\.raw, which is not there"):
        read_volume(tmp_path / "two.mhd")


def test_permuted_and_reversed_axes_are_sorted(tmp_path, volume):
    """A sample keeps its value at its place in the world, however the file runs through the grid."""
    nibabel = pytest.importorskip("nibabel")
    values = array(volume)[0]
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = -SPACING[1], SPACING[2], -SPACING[0], 1
    affine[:3, 3] = ORIGIN + SPACING * [SHAPE[2] - 1, SHAPE[1] - 1, 0]
    stored = values.transpose(1, 0, 2)[::-1, :, ::-1]  # i runs along -y, j along z, k along -x
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(stored), affine), tmp_path / "turned.nii")
    again = read_volume(tmp_path / "turned.nii")
    assert np.array_equal(array(again)[0], values)
    assert np.allclose(again.bounds, volume.bounds)


def test_an_archive_with_spacing_and_origin(tmp_path, volume):
    np.savez(tmp_path / "a.npz", whatever=array(volume)[0], spacing=SPACING, origin=ORIGIN)
    assert np.allclose(read_volume(tmp_path / "a.npz").bounds, volume.bounds)
    np.savez(tmp_path / "b.npz", whatever=array(volume)[0], bounds=np.zeros(5))
    with pytest.raises(InputError, match="bounds, spacing or origin have a wrong shape"):
        read_volume(tmp_path / "b.npz")


def truncated(path):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])


@pytest.mark.parametrize("extension", [*PLACED, ".npy"])
def test_a_file_that_was_cut_off(tmp_path, volume, extension):
    write_volume(tmp_path / f"v{extension}", volume)
    truncated(tmp_path / f"v{extension}")
    with pytest.raises(InputError, match=r"cannot be read|the header promises"):
        read_volume(tmp_path / f"v{extension}")


@pytest.mark.parametrize("extension", [*PLACED, ".npy", ".mhd"])
def test_a_file_of_another_kind(tmp_path, extension):
    (tmp_path / f"v{extension}").write_bytes(b"these are no samples\n" * 40)
    with pytest.raises(InputError, match="cannot be read as"):
        read_volume(tmp_path / f"v{extension}")


def replace(path, old, new):
    content = path.read_bytes()
    assert re.search(old, content)
    path.write_bytes(re.sub(old, new, content, count=1))


def test_headers_that_lie_about_the_size(tmp_path, volume):
    write_volume(tmp_path / "v.mha", volume)
    replace(tmp_path / "v.mha", rb"DimSize = 7", rb"DimSize = 9")
    with pytest.raises(InputError, match=r"promises 9 x 5 x 4 samples \(720 bytes\), but there are 560 bytes"):
        read_volume(tmp_path / "v.mha")
    write_volume(tmp_path / "v.vti", volume)
    content = (tmp_path / "v.vti").read_bytes().replace(b"0 6 0 4 0 3", b"0 9 0 4 0 3")
    (tmp_path / "v.vti").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read|promises"):
        read_volume(tmp_path / "v.vti")
    write_volume(tmp_path / "v.nrrd", volume)
    replace(tmp_path / "v.nrrd", rb"sizes: 7 5 4", rb"sizes: 9 5 4")
    with pytest.raises(InputError, match=r"promises 9 x 5 x 4 samples \(720 bytes\), but there are 560 bytes"):
        read_volume(tmp_path / "v.nrrd")


def test_raw_files_need_the_right_shape(tmp_path, volume):
    write_volume(tmp_path / "v.raw", volume)
    with pytest.raises(UsageError, match="--shape 64,128,128 --dtype uint8"):
        read_volume(tmp_path / "v.raw")
    with pytest.raises(InputError, match=r"7 x 5 x 5 samples of float32 are 700 bytes, but the file has 560"):
        read_volume(tmp_path / "v.raw", shape=(5, 5, 7), dtype="float32")
    with pytest.raises(UsageError, match="no number type 'flot'"):
        read_volume(tmp_path / "v.raw", shape=SHAPE, dtype="flot")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 1, 1)), "1 x 1 x 1 samples, which has no extent"),
        (np.zeros((1, 4, 4)), "4 x 4 x 1 samples, which has no extent"),
        (np.full((2, 2, 2), np.nan), "8 of 8 values are NaN"),
        (
            np.full((2, 2, 2), 1e300),
            "8 of 8 values are too large for float32 (the first at z, y, x = (0, 0, 0) is 1e+300)",
        ),
        (np.zeros((2, 2, 2), complex), "complex128, not real numbers"),
        (np.zeros((2, 2)), "an array of 2 axes"),
        (
            np.zeros((9, 9, 9, 9)),
            "9 volumes along a fourth axis (time, or a list)",
        ),
    ],
)
def test_values_that_are_no_volume(tmp_path, values, message):
    np.save(tmp_path / "v.npy", values)
    with pytest.raises(InputError, match=re.escape(message)):
        read_volume(tmp_path / "v.npy")


def test_paths_that_lead_nowhere(tmp_path, volume):
    write_volume(tmp_path / "cloud.npz", volume)
    with pytest.raises(InputError, match=re.escape(f"did you mean {tmp_path / 'cloud.npz'}")):
        read_volume(tmp_path / "clod.npz")
    with pytest.raises(InputError, match=re.escape(", ".join(VOLUME_EXTENSIONS))):
        read_volume(tmp_path / "cloud.txt")
    with pytest.raises(UsageError, match="cannot be written"):
        write_volume(tmp_path / "cloud.txt", volume)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "nibabel", None)
    (tmp_path / "v.nii").write_bytes(zlib.compress(b"x"))
    with pytest.raises(InputError, match="pip install nibabel"):
        read_volume(tmp_path / "v.nii")
