"""Folders of slices and multi-page TIFF, in and out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.assets import identify
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.stack_write import write_slices
from invrender.io.volumes.tiff_write import write_tiff
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume


def save(folder, grid, names, kind=np.uint16):
    folder.mkdir(exist_ok=True)
    for values, name in zip(grid, names, strict=True):
        Image.fromarray(values.astype(kind)).save(folder / name)


def placed(grid, **more):
    bounds = np.array([[-3.0, 10.5, 100.25], [-3 + 0.3 * 5, 10.5 + 1.25 * 4, 100.25 + 2.0 * 3]])
    return Volume(torch.from_numpy(grid.astype(np.float32))[None], torch.from_numpy(bounds), **more)


@pytest.mark.parametrize("ending", ["tif", "tiff", "png"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_slices_are_stacked_in_the_order_that_people_count(tmp_path, grid, expect, caplog, ending, kind):
    save(tmp_path / "s", grid, [f"scan_{n}.{ending}" for n in (8, 9, 10, 11)], kind)
    (tmp_path / "s" / "scan.log").write_text("Voxel size = 0.0125")
    expect(tmp_path / "s", grid, [[-0.5, -0.4, -0.3], [0.5, 0.4, 0.3]])
    assert "cells are taken as cubes" in caplog.text
    assert "gaps" not in caplog.text
    assert identify(tmp_path / "s") == ("volume", tmp_path / "s")


def test_floats_and_the_spacing_that_is_told(tmp_path, grid, expect, caplog):
    save(tmp_path / "s", grid - 0.5, [f"{n:03d}.tif" for n in range(4)], np.float32)
    expect(tmp_path / "s", grid - 0.5, [[0, 0, 0], [2.5, 4, 6]], spacing=(0.5, 1, 2))
    expect(tmp_path / "s", grid - 0.5, [[0, 0, 0], [1, 0.8, 0.6]], spacing=(0.2,))
    assert "cubes" not in caplog.text
    with pytest.raises(UsageError, match="is impossible"):
        read_volume(tmp_path / "s", spacing=(1, 0, 1))
    write_volume(tmp_path / "v.nrrd", placed(grid))
    with pytest.raises(UsageError, match="tells its own"):
        read_volume(tmp_path / "v.nrrd", spacing=(1, 1, 1))


def test_gaps_in_the_numbers_are_said(tmp_path, grid, caplog):
    save(tmp_path / "s", grid, [f"a_2024_{n:03d}.png" for n in (0, 1, 3, 4)])
    assert read_volume(tmp_path / "s").shape[0] == 4
    assert "no 2" in caplog.text


def test_an_odd_page_is_named(tmp_path, grid):
    save(tmp_path / "s", grid, [f"{n}.tif" for n in range(4)])
    Image.fromarray(np.zeros((5, 7), np.uint16)).save(tmp_path / "s" / "2.tif")
    with pytest.raises(InputError, match=r"2\.tif has 7 x 5 pixels of uint16, and 0\.tif has 6 x 5"):
        read_volume(tmp_path / "s")
    Image.fromarray(np.zeros((5, 6), np.uint8)).save(tmp_path / "s" / "2.tif")
    with pytest.raises(InputError, match=r"2\.tif has 6 x 5 pixels of uint8"):
        read_volume(tmp_path / "s")
    (tmp_path / "s" / "2.tif").write_bytes(b"II*\0")
    with pytest.raises(InputError, match=r"2\.tif cannot be read"):
        read_volume(tmp_path / "s")


def test_two_slices_of_one_number_or_two_formats(tmp_path, grid):
    save(tmp_path / "s", grid, ["s1.png", "s01.png", "s2.png", "s3.png"])
    with pytest.raises(InputError, match="two slices have the number 1"):
        read_volume(tmp_path / "s")
    save(tmp_path / "t", grid, ["s1.png", "s2.png", "s3.tif", "s4.tif"])
    with pytest.raises(InputError, match="several formats"):
        read_volume(tmp_path / "t")


@pytest.mark.parametrize("big", [False, True])
def test_pages_keep_values_spacing_unit_and_place(tmp_path, grid, expect, big):
    volume = placed(grid / 7, units="millimetre")
    write_tiff(tmp_path / "v.tif", volume, big=big)
    expect(tmp_path / "v.tif", volume.numpy()[0], volume.bounds.tolist())
    assert read_volume(tmp_path / "v.tif").units == "millimetre"
    with Image.open(tmp_path / "v.tif") as image:
        assert image.n_frames == 4
        image.seek(3)
        assert np.array_equal(np.array(image), volume.numpy()[0, 3])


def test_tifffile_reads_our_pages_as_imagej_does(tmp_path, grid):
    tifffile = pytest.importorskip("tifffile")
    write_volume(tmp_path / "v.tif", placed(grid, units="micrometre"))
    with tifffile.TiffFile(tmp_path / "v.tif") as file:
        assert file.is_imagej
        assert file.imagej_metadata["slices"] == 4
        assert file.imagej_metadata["spacing"] == 2.0
        assert file.imagej_metadata["unit"] == "um"
        across = file.pages[0].tags["XResolution"].value
        assert across[1] / across[0] == pytest.approx(0.3, rel=1e-9)
        assert np.array_equal(file.asarray(), grid.astype(np.float32))


@pytest.mark.parametrize("kind", ["tiff", "png"])
@pytest.mark.parametrize("shift", [0.0, -1000.0])
def test_folders_of_slices_come_back(tmp_path, grid, expect, kind, shift):
    volume = placed(grid + shift, units="millimetre")
    assert write_slices(tmp_path / "s", volume, kind) == 0
    expect(tmp_path / "s", volume.numpy()[0], volume.bounds.tolist())
    assert read_volume(tmp_path / "s").units == "millimetre"
    with pytest.raises(OutputExistsError):
        write_slices(tmp_path / "s", volume, kind)
    write_slices(tmp_path / "s", placed(grid[:, :, ::-1].copy()), kind, overwrite=True)
    assert np.array_equal(read_volume(tmp_path / "s").numpy()[0], grid[:, :, ::-1].astype(np.float32))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "diary.txt").write_text("mine")
    with pytest.raises(OutputExistsError):
        write_slices(tmp_path / "other", volume, kind, overwrite=True)
    assert (tmp_path / "other" / "diary.txt").is_file()


def test_png_slices_say_how_much_rounding_costs(tmp_path, grid):
    volume = placed(grid / 7 - 3)
    error = write_slices(tmp_path / "s", volume, "png")
    assert 0 < error < 2e-4
    assert np.abs(read_volume(tmp_path / "s").numpy() - volume.numpy()).max() <= error * 1.01


def test_what_stands_beside_the_slices_is_checked(tmp_path, grid):
    write_slices(tmp_path / "s", placed(grid), "tiff")
    for wrong in ("spacing = [1, 2]", "spacing = [0, 1, 1]", "scale = 'a'", "sapcing = [1, 1, 1]", "["):
        (tmp_path / "s" / "slices.toml").write_text(wrong)
        with pytest.raises(InputError, match=r"slices\.toml"):
            read_volume(tmp_path / "s")
