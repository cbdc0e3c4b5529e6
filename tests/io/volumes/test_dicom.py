"""DICOM series, written by pydicom and by SimpleITK: places, numbers, and what is said of odd ones."""

from __future__ import annotations

import locale
from collections.abc import Iterator

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.assets import identify
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume

pydicom = pytest.importorskip("pydicom")

from tests.io.volumes.dicom_files import AXIAL, CT, enhanced, header, save, with_pixels, write_series  # noqa: E402 - needs pydicom


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """ITK's writer of DICOM leaves the locale C, in which later tests could read no UTF-8 from programs."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


OTHER = "1.2.826.0.1.3680043.8.498.2"


@pytest.fixture
def pixels(grid):
    return (grid * 10).astype(np.int16)


def turned():
    """A row and a column direction that run along no axis."""
    q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    return tuple(float(n) for n in np.concatenate([q[0], q[1]]))


def test_a_series_is_put_together_by_the_places_of_its_slices(tmp_path, pixels, caplog):
    """x and y of a patient run the other way in DICOM; numbers and names of the files count for nothing."""
    write_series(tmp_path / "a" / "b", pixels)
    found = read_volume(tmp_path)
    assert np.array_equal(found.numpy()[0], pixels[:, ::-1, ::-1].astype(np.float32) - 1024)
    assert np.allclose(found.bounds, [[10 - 2.5, -20 - 3, 100], [10, -20, 106]])
    assert found.units == "millimetre"
    assert not caplog.text
    assert identify(tmp_path) == ("volume", tmp_path)
    one = next((tmp_path / "a" / "b").iterdir())
    assert np.array_equal(read_volume(one).numpy(), found.numpy())


@pytest.mark.parametrize("orientation", [AXIAL, (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), turned()])
def test_places_are_those_of_simpleitk(tmp_path, pixels, vertices, orientation):
    itk = pytest.importorskip("SimpleITK")
    write_series(tmp_path / "s", pixels, orientation)
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "s")))
    theirs = reader.Execute()
    found = read_volume(tmp_path / "s")
    places = found.in_world(vertices(found)).numpy().reshape(-1, 3)
    for place, value in zip(places, found.numpy().ravel().tolist(), strict=True):
        index = theirs.TransformPhysicalPointToIndex((place * [-1, -1, 1]).tolist())
        assert theirs.GetPixel(*index) == value
    write_volume(tmp_path / "v.nrrd", found)
    back = itk.ReadImage(str(tmp_path / "v.nrrd"))
    for i, j, k in ((0, 0, 0), (1, 2, 3), (5, 4, 3)):
        place = theirs.TransformIndexToPhysicalPoint((i, j, k))
        other = back.TransformPhysicalPointToContinuousIndex(place)
        assert np.allclose(other, np.round(other), atol=1e-5)
        assert back.GetPixel(*(int(n) for n in np.round(other))) == theirs.GetPixel(i, j, k)


def test_what_simpleitk_writes_is_read(tmp_path, pixels):
    itk = pytest.importorskip("SimpleITK")
    writer = itk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in range(len(pixels)):
        one = itk.GetImageFromArray(pixels[k : k + 1])
        one.SetSpacing((0.5, 0.75, 2.0))
        one = one[:, :, 0]
        for tag, text in (
            ("0020|000e", CT), ("0008|0060", "CT"), ("0020|0013", str(k)), ("0028|0030", "0.75\\0.5"),
            ("0020|0032", f"-10\\20\\{100 + 2 * k}"), ("0020|0037", "1\\0\\0\\0\\1\\0"),
            ("0008|0018", f"{CT}.{k + 1}"),
        ):  # fmt: skip
            one.SetMetaData(tag, text)
        writer.SetFileName(str(tmp_path / f"{k}.dcm"))
        writer.Execute(one)
    found = read_volume(tmp_path)
    assert np.array_equal(found.numpy()[0], pixels[:, ::-1, ::-1].astype(np.float32))
    assert np.allclose(found.bounds, [[7.5, -23, 100], [10, -20, 106]])


def test_of_two_series_one_is_chosen(tmp_path, pixels):
    write_series(tmp_path / "one", pixels, SeriesDescription="Abdomen  soft", SeriesNumber=2)
    write_series(tmp_path / "two", pixels[:3] + 1, series=OTHER, SeriesDescription="Bone", SeriesNumber=1)
    with pytest.raises(InputError, match="holds 2 DICOM series") as caught:
        read_volume(tmp_path)
    for said in ("#1 'Bone', CT, 3 slices", f"UID {OTHER}", "#2 'Abdomen soft', CT, 4 slices", f"UID {CT}"):
        assert said in caught.value.cause
    assert "#2" in caught.value.remedy
    for name, count in (("#1", 3), ("#2", 4), (f"#{OTHER}", 3), (f"#{CT}", 4)):
        assert read_volume(f"{tmp_path}{name}").shape[0] == count
        assert identify(f"{tmp_path}{name}")[0] == "volume"
    with pytest.raises(InputError, match="has no series 3"):
        read_volume(f"{tmp_path}#3")
    assert read_volume(tmp_path / "two").shape[0] == 3


def test_missing_slices_are_filled_and_said(tmp_path, caplog):
    values = np.arange(8, dtype=np.int16)[:, None, None] * np.full((8, 4, 5), 10, np.int16)
    for path in write_series(tmp_path, values)[3:5]:
        path.unlink()
    found = read_volume(tmp_path)
    assert "2 slices are missing (behind 4 mm" in caplog.text
    assert np.allclose(found.numpy()[0], values - 1024)
    assert np.allclose(found.spacing, [0.5, 0.75, 2])


def test_uneven_slices_are_resampled_and_said(tmp_path, caplog):
    places = np.array([0, 2, 4.5, 6, 8.0])
    values = np.round(100 * places).astype(np.int16)[:, None, None] * np.ones((5, 4, 5), np.int16)
    write_series(tmp_path, values, places=places)
    found = read_volume(tmp_path)
    assert "slices are 1.5 to 2.5 mm apart" in caplog.text
    assert np.allclose(found.numpy()[0, :, 0, 0], np.linspace(0, 800, 5) - 1024)


def test_slices_that_are_there_twice(tmp_path, pixels, caplog):
    write_series(tmp_path, pixels)
    again = pydicom.dcmread(tmp_path / "IM0000")
    save(again, tmp_path / "copy")
    found = read_volume(tmp_path)
    assert found.shape == pixels.shape
    assert "1 places have several slices" in caplog.text or "1 place has several slices" in caplog.text


def test_phases_at_the_same_places_are_frames(tmp_path, pixels):
    for phase in (0, 1, 2):
        write_series(tmp_path / f"{2 - phase}", pixels + phase, AcquisitionNumber=phase + 1)
    with pytest.raises(InputError, match="holds 3 volumes"):
        read_volume(tmp_path)
    assert read_volume(tmp_path, frame=2).numpy().min() == pixels.min() + 2 - 1024


def test_an_enhanced_file_of_many_frames(tmp_path, pixels):
    path = enhanced(tmp_path / "e.dcm", pixels, (0.5, 0.75, 2.0))
    for source in (path, tmp_path):
        found = read_volume(source)
        assert np.array_equal(found.numpy()[0], 2 * pixels[:, ::-1, ::-1].astype(np.float32) - 1000)
        assert np.allclose(found.bounds, [[7.5, -23, 100], [10, -20, 106]])


def test_a_tilted_gantry_is_resampled_upright(tmp_path, caplog):
    """Slices lie beside each other's normal: their grid is sheared."""
    values = np.ones((6, 12, 10), np.int16) * 1024 + 100
    files = write_series(tmp_path, values)
    for k, path in enumerate(files):
        made = pydicom.dcmread(path)
        made.ImagePositionPatient = [-10, 20 + 0.5 * k, 100 + 2 * k]
        save(made, path)
    found = read_volume(tmp_path)
    assert "resampled" in caplog.text
    assert found.placement is None
    assert found.shape[1] > 12


def test_a_slice_of_another_size_or_direction_is_named(tmp_path, pixels):
    files = write_series(tmp_path, pixels)
    made = pydicom.dcmread(files[0])
    save(with_pixels(made, np.zeros((9, 9), np.int16)), files[0])
    with pytest.raises(InputError, match="IM0000 has 9 x 9 pixels"):
        read_volume(tmp_path)
    made = pydicom.dcmread(files[1])
    made.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    files[0].unlink()
    save(made, files[1])
    with pytest.raises(InputError, match="IM0007 is not parallel"):
        read_volume(tmp_path)


def test_an_inverted_display_is_turned_round_as_simpleitk_does(tmp_path, pixels, caplog):
    itk = pytest.importorskip("SimpleITK")
    for signed in (0, 1):
        files = write_series(
            tmp_path / f"{signed}", pixels, PhotometricInterpretation="MONOCHROME1", PixelRepresentation=signed
        )
        found = read_volume(tmp_path / f"{signed}")
        theirs = itk.GetArrayFromImage(itk.ReadImage(str(files[0])))
        assert np.array_equal(found.numpy()[0, 0], theirs[0, ::-1, ::-1])
    assert "MONOCHROME1" in caplog.text


def test_packed_slices(tmp_path, pixels):
    """Run lengths are undone by pydicom itself; of what nothing here undoes it is said what would."""
    for path in write_series(tmp_path / "rle", pixels):
        made = pydicom.dcmread(path)
        made.compress(pydicom.uid.RLELossless)
        made.save_as(path)
    assert np.array_equal(read_volume(tmp_path / "rle").numpy()[0], pixels[:, ::-1, ::-1] - 1024.0)
    for path in write_series(tmp_path / "mpeg", pixels):
        made = pydicom.dcmread(path)
        made.PixelData = pydicom.encaps.encapsulate([b"\0" * 64])
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
        made.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
        made.save_as(path)
    with pytest.raises(InputError, match="is compressed") as caught:
        read_volume(tmp_path / "mpeg")
    assert "gdcmconv" in caught.value.remedy


def test_without_places_the_numbers_count(tmp_path, pixels, caplog):
    for k, one in enumerate(pixels):
        save(with_pixels(header(InstanceNumber=k, SpacingBetweenSlices=3, PixelSpacing=[1, 0.5]), one),
             tmp_path / f"{9 - k}.dcm")  # fmt: skip
    found = read_volume(tmp_path)
    assert "do not say where they lie" in caplog.text
    assert np.array_equal(found.numpy()[0], pixels.astype(np.float32))
    assert np.allclose(found.spacing, [0.5, 1, 3])


@pytest.mark.parametrize("damage", ["cut", "colour", "report", "single", "text"])
def test_what_is_no_volume_is_named(tmp_path, pixels, damage):
    files = write_series(tmp_path, pixels)
    if damage == "cut":
        files[2].write_bytes(files[2].read_bytes()[:-30])
    elif damage == "colour":
        for path in files:
            made = pydicom.dcmread(path)
            made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
            made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
            made.PixelData = bytes(3 * made.Rows * made.Columns)
            made.save_as(path)
    elif damage == "text":
        (tmp_path / "notes.txt").write_text("of no account")
        assert read_volume(tmp_path).shape == pixels.shape
        (tmp_path / "z.dcm").write_text("no DICOM at all, whatever its name says")
    else:
        for path in files if damage == "report" else files[1:]:
            path.unlink()
        if damage == "report":
            save(header(Modality="SR"), tmp_path / "r.dcm")
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path)
    assert str(tmp_path) in caught.value.cause
    assert caught.value.remedy
