"""Arrays of numpy and headerless files: axes, types, what is too large for its file, and what would fit."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
import zlib

import numpy as np
import pytest

from invrender.errors import InputError, MemoryLimitError, UsageError
from invrender.io.volumes.read import read_volume


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (lambda v: v[None], {}),
        (lambda v: v[None, None], {}),
        (lambda v: v[..., None], {}),
        (lambda v: v[:, None], {}),
        (lambda v: v[:, :, None, None], {}),
        (np.asfortranarray, {}),
        (lambda v: v.astype(">f8"), {}),
        (lambda v: v.astype(np.float16), {}),
        (lambda v: v.astype(np.int64), {}),
        (lambda v: np.stack([0 * v] * 4 + [v]), {"frame": 4}),
        (lambda v: np.stack([0 * v, v]), {"frame": 1}),
        (lambda v: np.stack([0 * v, v])[:, None], {"frame": 1}),
    ],
)
def test_one_volume_however_it_is_stored(tmp_path, grid, expect, shape, options):
    np.save(tmp_path / "v.npy", shape(grid))
    expect(tmp_path / "v.npy", grid, [[-1 / 2, -2 / 5, -3 / 10], [1 / 2, 2 / 5, 3 / 10]], **options)
    np.savez_compressed(tmp_path / "v.npz", other=shape(grid), note=np.array("text"))
    expect(tmp_path / "v.npz", grid, [[-1 / 2, -2 / 5, -3 / 10], [1 / 2, 2 / 5, 3 / 10]], **options)


def test_channels_come_first_or_last(tmp_path, grid, expect):
    colours = np.stack([grid, grid + 1, grid + 2, grid + 3])
    large = np.repeat(colours, 2, 1)
    for name, stored in (("first", large), ("last", np.moveaxis(large, 0, -1))):
        np.save(tmp_path / f"{name}.npy", stored)
        expect(tmp_path / f"{name}.npy", large)
        expect(tmp_path / f"{name}.npy", large[2], frame=2)


def test_what_four_unnamed_channels_are_taken_for_is_said(tmp_path, grid, caplog):
    """Four moments in time could be meant as well; those that we wrote ourselves are known."""
    four = np.stack([np.repeat(grid, 2, 0)] * 4) / 200
    np.save(tmp_path / "first.npy", four)
    np.save(tmp_path / "last.npy", np.moveaxis(four, 0, -1))
    four.astype("<f4").tofile(tmp_path / "first.raw")
    for name, options in (("first.npy", {}), ("last.npy", {}), ("first.raw", {"shape": four.shape, "dtype": "f4"})):
        caplog.clear()
        read_volume(tmp_path / name, **options)
        assert f"its {name.split('.')[0]} axis is taken for channels (extinction, red, green, blue" in caplog.text
        assert "choose one with --frame N" in caplog.text
        caplog.clear()
        read_volume(tmp_path / name, frame=1, **options)
        assert caplog.text == ""
    np.savez(tmp_path / "ours.npz", density=four, bounds=[[0, 0, 0], [1, 1, 1]])
    read_volume(tmp_path / "ours.npz")
    assert caplog.text == ""


def test_negative_numbers_that_were_read_as_unsigned(tmp_path, grid, caplog):
    scan = (grid * 20 - 1000).astype(np.int16)
    mask = np.where(grid > 60, 65535, 0).astype(np.uint16)
    for values, said in ((scan.view(np.uint16), True), (scan, False), (mask, False)):
        np.save(tmp_path / "v.npy", values)
        caplog.clear()
        read_volume(tmp_path / "v.npy")
        assert ("write the file as int16" in caplog.text) == said


def test_small_differences_of_large_numbers_are_told_of(tmp_path, grid, caplog):
    for values, said in ((1e9 + grid, True), (grid * 1e9, False), (np.full_like(grid, 1e9), False)):
        np.save(tmp_path / "v.npy", values)
        caplog.clear()
        read_volume(tmp_path / "v.npy")
        assert ("subtract the least first" in caplog.text) == said


def test_what_follows_the_array_is_left_out_and_said(tmp_path, grid, expect, caplog):
    with (tmp_path / "v.npy").open("wb") as file:
        np.save(file, grid)
        np.save(file, grid + 1)
    expect(tmp_path / "v.npy", grid)
    assert "more bytes follow the array" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("v.npz", lambda v: promised((2, 2, 2)), "by its content it is a .npy file"),
        ("v.nii", lambda v: gzip.compress(v.tobytes()), "mv v.nii v.nii.gz"),
        ("v.nrrd", lambda v: gzip.compress(v.tobytes()), "gunzip v.nrrd.gz"),
        ("v.nii.gz", lambda v: bytes(344) + b"n+1\0" + v.tobytes(), "by its content it is a .nii file"),
        ("v.vti", lambda v: b"# vtk DataFile Version 3.0\n", "by its content it is a .vtk file"),
        ("v.npy", lambda v: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("v.mha", lambda v: b"<!DOCTYPE html><html>", "web page"),
        ("v.npy", pickle.dumps, "a pickle"),
        ("v.nhdr", lambda v: b"ENVI\nsamples = 6\n", "give the --shape and --dtype"),
    ],
)
def test_a_file_of_another_kind_than_its_name_says(tmp_path, grid, name, content, hint):
    (tmp_path / name).write_bytes(content(grid))
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path / name)
    assert hint in caught.value.remedy


def test_a_colour_picture_is_said_to_be_none(tmp_path, caplog):
    np.save(tmp_path / "photo.npy", np.zeros((48, 64, 3), np.uint8))
    read_volume(tmp_path / "photo.npy")
    assert "a colour picture is no volume" in caplog.text


def test_frames_are_no_channels(tmp_path, grid):
    np.save(tmp_path / "v.npy", np.stack([grid] * 7))
    with pytest.raises(InputError, match=r"7 volumes along a fourth axis.*\n.*--frame N, from 0 to 6"):
        read_volume(tmp_path / "v.npy")
    with pytest.raises(UsageError, match="use a number from 0 to 6"):
        read_volume(tmp_path / "v.npy", frame=7)
    np.save(tmp_path / "w.npy", grid)
    with pytest.raises(UsageError, match="holds one volume"):
        read_volume(tmp_path / "w.npy", frame=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([{"a": 1}], object), "Python objects"),
        (np.zeros((3, 3), np.float32), "an array of 2 axes"),
        (np.zeros((3, 3, 3), [("x", "f4"), ("y", "f4")]), r"not real numbers\n.*values\['x'\]"),
        (np.zeros((3, 3, 3), complex), r"not real numbers\n.*numpy\.abs"),
        (np.zeros((3, 3, 3), "U4"), "not real numbers"),
        (np.zeros((3, 3, 3), "M8[s]"), "not real numbers"),
        (np.zeros((3, 0, 3)), "3 x 0 x 3 samples, which has no extent"),
        (np.zeros((2, 7, 7, 7, 7)), "an array of 5 axes"),
    ],
)
def test_arrays_that_are_no_volume(tmp_path, values, message):
    np.save(tmp_path / "v.npy", values, allow_pickle=True)
    np.savez(tmp_path / "v.npz", density=values)
    for name in ("v.npy", "v.npz"):
        with pytest.raises(InputError, match=message):
            read_volume(tmp_path / name)


def promised(shape, data=b"\0" * 64):
    """The bytes of an array whose header promises more than follows."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + data


@pytest.mark.parametrize("shape", [(100_000,) * 3, (2**40, 2**40, 2**40), (10**30, 2, 2), (-1, 4, 4)])
def test_shapes_are_compared_with_the_file_before_anything_is_allocated(tmp_path, shape):
    (tmp_path / "v.npy").write_bytes(promised(shape))
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("density.npy", promised(shape))
    for name in ("v.npy", "v.npz"):
        with pytest.raises(InputError, match=r"promises|cannot be read"):
            read_volume(tmp_path / name)


def test_an_archive_that_unpacks_to_more_than_there_is(tmp_path, grid, monkeypatch):
    np.savez_compressed(tmp_path / "v.npz", density=np.zeros((64, 64, 64)))
    monkeypatch.setattr("invrender.io.files.memory.available_memory", lambda: 1 << 20)
    with pytest.raises(MemoryLimitError, match=r"in memory, and 0\.0 are free"):
        read_volume(tmp_path / "v.npz")
    np.savez_compressed(tmp_path / "small.npz", density=grid)
    read_volume(tmp_path / "small.npz")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"bounds": [[1, 1, 1], [0, 0, 0]]}, "span no box"),
        ({"spacing": [1, 0, 1]}, "span no box"),
        ({"spacing": [1, np.nan, 1]}, "span no box"),
        ({"spacing": 1.0, "origin": [np.inf, 0, 0]}, "origin is not a finite number"),
        ({"spacing": [1, 1, 1e-12]}, "one is 1e.09 times another"),
        ({"bounds": [[-1e31, 0, 0], [1e31, 1, 1]]}, "beyond what can be computed"),
        ({"bounds": np.zeros((2, 3), complex)}, "span no box|wrong shape"),
        ({"bounds": [0, 1, 0, 2, 30, 36]}, r"wrong shape.*\n.*2 x 3 numbers"),  # VTK's order
        ({"bounds": [[0, 1], [0, 2], [30, 36]]}, r"wrong shape.*\n.*2 x 3 numbers"),
    ],
)
def test_places_that_make_no_sense(tmp_path, grid, more, message):
    np.savez(tmp_path / "v.npz", density=grid, **more)
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "v.npz")


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "hint"),
    [
        ("v.raw", (4, 5, 6), "uint8", "--dtype uint16"),
        ("v.raw", (4, 5, 6), "float64", "--dtype uint16"),
        ("v.raw", (8, 5, 6), "uint16", "--shape 4,5,6"),
        ("v.raw", (4, 5, 5), "uint16", "tail -c +41 v.raw"),
        ("brain_6x5x4_int16.raw", (5, 5, 5), "uint16", "--shape 4,5,6 --dtype int16"),
        ("v.raw", (4, 5, 7), "float32", "of the program that wrote it"),
    ],
)
def test_a_raw_file_of_another_size_says_what_would_fit(tmp_path, grid, name, shape, dtype, hint):
    grid.astype("<u2").tofile(tmp_path / name)
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path / name, shape=shape, dtype=dtype)
    assert hint in caught.value.remedy


def test_a_raw_file_without_options_suggests_those_of_its_name_or_of_a_cube(tmp_path, expect, grid):
    grid.astype("<f4").tofile(tmp_path / "engine-6x5x4.raw")
    np.zeros(1000, np.uint8).tofile(tmp_path / "cube.raw")
    for name, hint in (("engine-6x5x4.raw", "--shape 4,5,6 --dtype float32"), ("cube.raw", "10,10,10 --dtype uint8")):
        with pytest.raises(UsageError, match=hint):
            read_volume(tmp_path / name)
    expect(tmp_path / "engine-6x5x4.raw", grid, shape=(4, 5, 6), dtype="float32")
    for dtype in ("object", "V4", "complex64", ",,", "i4,f4"):
        with pytest.raises(UsageError, match=r"type"):
            read_volume(tmp_path / "cube.raw", shape=(10, 10, 10), dtype=dtype)


def test_members_that_are_damaged(tmp_path, grid):
    np.savez(tmp_path / "v.npz", density=grid)
    content = bytearray((tmp_path / "v.npz").read_bytes())
    content[300] ^= 255
    (tmp_path / "v.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as"):
        read_volume(tmp_path / "v.npz")
    (tmp_path / "z.npz").write_bytes(zlib.compress(content))
    with pytest.raises(InputError, match="cannot be read as"):
        read_volume(tmp_path / "z.npz")
