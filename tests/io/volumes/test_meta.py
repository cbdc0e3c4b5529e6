"""MetaImage: where the data lie, how numbers are stored, and where in the world; headers are written by hand here."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.volumes.read import read_volume

# spacing 0.5, 1, 2 and offset -10, -20, 5 in LPS: x from -10 to -7.5 to the left is 7.5 to 10 to the right
CORNERS = [[7.5, 16, 5], [10, 20, 11]]


def header(grid, file="LOCAL", kind="MET_SHORT", **more):
    sizes = " ".join(map(str, grid.shape[::-1]))
    fields = {
        "ObjectType": "Image", "NDims": grid.ndim, "BinaryData": True, "BinaryDataByteOrderMSB": False,
        "DimSize": sizes, "ElementSpacing": "0.5 1 2", "Offset": "-10 -20 5", "ElementType": kind, **more,
        "ElementDataFile": file,
    }  # fmt: skip
    return "".join(f"{name} = {value}\n" for name, value in fields.items()).encode()


def in_ras(grid):
    """Left to right and back to front: both are reversed."""
    return grid[..., ::-1, ::-1]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("MET_UCHAR", "u1"), ("MET_LONG", "<i4"), ("MET_ULONG", "<u4"), ("MET_LONG_LONG", "<i8"), ("MET_DOUBLE", "<f8")],
)
def test_number_types(tmp_path, grid, expect, kind, code):
    """MetaIO stores MET_LONG in four bytes on every system."""
    (tmp_path / "v.mha").write_bytes(header(grid, kind=kind) + grid.astype(code).tobytes())
    expect(tmp_path / "v.mha", in_ras(grid), CORNERS)


def test_other_ways_to_write_a_header(tmp_path, grid, expect):
    """MetaIO takes a colon for the equals sign, and MET_SHORT_ARRAY for several channels."""
    colons = header(grid).replace(b" = ", b": ")
    (tmp_path / "colons.mha").write_bytes(colons + grid.astype("<i2").tobytes())
    expect(tmp_path / "colons.mha", in_ras(grid), CORNERS)
    stored = np.stack([grid, grid + 1], -1).astype("<i2")
    (tmp_path / "two.mha").write_bytes(
        header(grid, kind="MET_SHORT_ARRAY", ElementNumberOfChannels=2) + stored.tobytes()
    )
    expect(tmp_path / "two.mha", in_ras(np.stack([grid, grid + 1])), CORNERS)


def test_an_intensity_function_is_left_out_and_said(tmp_path, grid, expect, caplog):
    """ITK reads the stored numbers, whatever the function."""
    for slope, said in ((1, False), (2.5, True)):
        (tmp_path / "v.mha").write_bytes(
            header(grid, ElementToIntensityFunctionSlope=slope) + grid.astype("<i2").tobytes()
        )
        expect(tmp_path / "v.mha", in_ras(grid), CORNERS)
        assert ("left out, as ITK does" in caplog.text) == said


def test_no_field_follows_the_name_of_the_data(tmp_path, grid):
    """MetaIO would take such a line for data, or leave it out."""
    (tmp_path / "v.raw").write_bytes(grid.astype("<i2").tobytes())
    for name, file, data in (("v.mha", "LOCAL", grid.astype("<i2").tobytes()), ("v.mhd", "v.raw", b"")):
        (tmp_path / name).write_bytes(header(grid, file) + b"ElementSpacing = 3 3 3\n" + data)
        with pytest.raises(InputError, match=r"field ElementSpacing follows ElementDataFile.*\n.*behind all others"):
            read_volume(tmp_path / name)


def test_big_endian_and_compressed(tmp_path, grid, expect):
    (tmp_path / "big.mha").write_bytes(header(grid, BinaryDataByteOrderMSB=True) + grid.astype(">i2").tobytes())
    expect(tmp_path / "big.mha", in_ras(grid), CORNERS)
    packed = zlib.compress(grid.astype("<i2").tobytes())
    (tmp_path / "z.mha").write_bytes(header(grid, CompressedData=True, CompressedDataSize=len(packed)) + packed)
    expect(tmp_path / "z.mha", in_ras(grid), CORNERS)
    (tmp_path / "short.mha").write_bytes(header(grid, CompressedData=True) + zlib.compress(bytes(100)))
    with pytest.raises(InputError, match=r"promises 6 x 5 x 4 samples \(240 bytes\), but there are 100 bytes"):
        read_volume(tmp_path / "short.mha")


@pytest.mark.parametrize(("skip", "more"), [(-1, b"a header of a vendor "), (21, b"a header of a vendor ")])
def test_header_size(tmp_path, grid, expect, skip, more):
    (tmp_path / "v.raw").write_bytes(more + grid.astype("<i2").tobytes())
    (tmp_path / "v.mhd").write_bytes(header(grid, "v.raw", HeaderSize=skip))
    expect(tmp_path / "v.mhd", in_ras(grid), CORNERS)


def test_bytes_that_no_header_explains(tmp_path, grid, expect, caplog):
    """Behind local data they are left out, and that is said; beside the header they might come first."""
    data = grid.astype("<i2").tobytes()
    (tmp_path / "v.mha").write_bytes(header(grid) + data + b"\n")
    expect(tmp_path / "v.mha", in_ras(grid), CORNERS)
    assert "more bytes than the 240" in caplog.text
    (tmp_path / "v.raw").write_bytes(b"a header of a vendor " + data)
    (tmp_path / "v.mhd").write_bytes(header(grid, "v.raw"))
    with pytest.raises(InputError, match=r"there are 21 more\n.*HeaderSize"):
        read_volume(tmp_path / "v.mhd")


def test_slices_in_files_of_their_own(tmp_path, grid, expect):
    for k, layer in enumerate(grid):
        (tmp_path / f"Slice {k + 3:02d}.raw").write_bytes(layer.astype("<i2").tobytes())
    names = "".join(f"Slice {k:02d}.raw\n" for k in range(3, 7))
    (tmp_path / "list.mhd").write_bytes(header(grid, "LIST") + names.encode())
    (tmp_path / "pattern.mhd").write_bytes(header(grid, "slice %02d.raw 3 6 1"))
    expect(tmp_path / "list.mhd", in_ras(grid), CORNERS)
    expect(tmp_path / "pattern.mhd", in_ras(grid), CORNERS)
    (tmp_path / "Slice 04.raw").unlink()
    for name in ("list.mhd", "pattern.mhd"):
        with pytest.raises(InputError, match=r"(?i)slice 04\.raw, which is not there"):
            read_volume(tmp_path / name)


def test_text(tmp_path, grid, expect):
    (tmp_path / "v.mha").write_bytes(header(grid, BinaryData=False) + " ".join(map(str, grid.ravel())).encode())
    expect(tmp_path / "v.mha", in_ras(grid), CORNERS)
    (tmp_path / "w.mha").write_bytes(header(grid, BinaryData=False) + b"1 2 3")
    with pytest.raises(InputError, match="promises 120 numbers, and there are 3"):
        read_volume(tmp_path / "w.mha")


def test_directions_and_other_names_of_fields(tmp_path, grid, expect):
    """Fast axis along y, middle one along -z, slow one along x, all in LPS."""
    stored = grid.transpose(2, 0, 1)[:, ::-1, :]
    text = header(stored, Orientation="0 1 0 0 0 -1 1 0 0", ElementSize="1 2 0.5", Position="-10 -20 11")
    text = text.replace(b"ElementSpacing = 0.5 1 2\n", b"").replace(b"Offset = -10 -20 5\n", b"")
    (tmp_path / "v.mha").write_bytes(text.replace(b"DimSize", b"DIMSIZE") + stored.astype("<i2").tobytes())
    expect(tmp_path / "v.mha", in_ras(grid), CORNERS)


def test_channels_are_no_frames(tmp_path, grid, expect):
    both = np.stack([grid, 2 * grid])
    interleaved = np.moveaxis(both, 0, -1).astype("<i2").tobytes()
    (tmp_path / "c.mha").write_bytes(header(grid, ElementNumberOfChannels=2) + interleaved)
    expect(tmp_path / "c.mha", in_ras(both), CORNERS)
    spaced = {"ElementSpacing": "0.5 1 2 1", "Offset": "-10 -20 5 0"}
    (tmp_path / "t.mha").write_bytes(header(both, **spaced) + both.astype("<i2").tobytes())
    with pytest.raises(InputError, match="--frame N, from 0 to 1"):
        read_volume(tmp_path / "t.mha")
    expect(tmp_path / "t.mha", in_ras(2 * grid), CORNERS, frame=1)


@pytest.mark.parametrize("name", ["/etc/hostname", "../v.raw", r"C:\data\v.raw", r"..\v.raw"])
def test_data_stay_in_the_folder_of_their_header(tmp_path, grid, name):
    (tmp_path / "v.raw").write_bytes(grid.astype("<i2").tobytes())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "v.mhd").write_bytes(header(grid, name))
    with pytest.raises(InputError, match="outside its own folder"):
        read_volume(tmp_path / "in" / "v.mhd")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"DimSize": "100000 100000 100000"}, "but there are 240 bytes"),
        ({"DimSize": "100000 100000 100000", "CompressedData": True}, "promises 100000 x 100000 x 100000"),
        ({"DimSize": "6 5"}, "DimSize = 6 5"),
        ({"DimSize": "6 5 0"}, "DimSize = 6 5 0"),
        ({"ElementSpacing": "0.5 0 2"}, "spacing 0.5, 0, 2 is impossible"),
        ({"ElementSpacing": "0.5 -1 2"}, "spacing 0.5, -1, 2 is impossible"),
        ({"ElementSpacing": "0.5 nan 2"}, "spacing 0.5, nan, 2 is impossible"),
        ({"Offset": "0 inf 0"}, "origin is not a finite number"),
        ({"ElementSpacing": "1e30 1e30 1e30"}, "beyond what can be computed"),
        ({"Offset": "1e20 0 0"}, "too close to each other"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "lie in one plane"),
        ({"ElementType": "MET_OTHER"}, "MET_OTHER"),
        ({"ElementNumberOfChannels": "9" * 30}, "but there are 240 bytes"),
        ({"HeaderSize": "1e9"}, "cannot be read"),
    ],
)
def test_headers_that_make_no_sense(tmp_path, grid, fields, message):
    (tmp_path / "v.mha").write_bytes(header(grid, **fields) + grid.astype("<i2").tobytes())
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "v.mha")
