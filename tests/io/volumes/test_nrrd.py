"""NRRD: encodings, detached data, kinds of axes and directions; headers are written by hand here."""

from __future__ import annotations

import bz2
import gzip

import numpy as np
import pytest

from invrender.errors import InputError, UsageError
from invrender.io.volumes.read import read_volume

CORNERS = [[7.5, 16, 5], [10, 20, 11]]  # of spacing 0.5, 1, 2 and origin -10, -20, 5 in LPS, turned to RAS
UPRIGHT = [[-10, -20, 5], [-7.5, -16, 11]]  # the same, not turned
LPS = {
    "space": "left-posterior-superior",
    "space directions": "(0.5,0,0) (0,1,0) (0,0,2)",
    "space origin": "(-10,-20,5)",
}


def header(grid, code="short", encoding="raw", **fields):
    lines = ["NRRD0005", "# by hand", f"type: {code}", f"dimension: {grid.ndim}", "endian: little"]
    lines += [f"sizes: {' '.join(map(str, grid.shape[::-1]))}", f"encoding: {encoding}", "key:=value: with a colon"]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in fields.items())]).encode() + b"\n"


def in_ras(grid):
    return grid[..., ::-1, ::-1]


ENCODED = {
    "raw": bytes,
    "gzip": gzip.compress,
    "gz": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    "bzip2": bz2.compress,
    "hex": lambda data: data.hex(" ", 8).encode(),
    "HEX": lambda data: b"\n".join(data.hex().encode()[i : i + 35] for i in range(0, 2 * len(data), 35)),
    "ascii": lambda data: " ".join(map(str, np.frombuffer(data, "<i2"))).encode(),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_encodings(tmp_path, grid, expect, encoding):
    data = ENCODED[encoding](grid.astype("<i2").tobytes())
    (tmp_path / "v.nrrd").write_bytes(header(grid, encoding=encoding, **LPS) + b"\n" + data)
    expect(tmp_path / "v.nrrd", in_ras(grid), CORNERS)
    (tmp_path / "cut.nrrd").write_bytes(header(grid, encoding=encoding, **LPS) + b"\n" + data[: len(data) // 2])
    with pytest.raises(InputError, match=r"promises|cannot be read"):
        read_volume(tmp_path / "cut.nrrd")


@pytest.mark.parametrize("code", ["uchar", "int16", "unsigned int", "long long int", "float", "double"])
def test_big_endian_numbers(tmp_path, grid, expect, code):
    kind = {"uchar": "u1", "int16": ">i2", "unsigned int": ">u4", "long long int": ">i8", "float": ">f4"}
    text = header(grid, code, **LPS).replace(b"little", b"big")
    (tmp_path / "v.nrrd").write_bytes(text + b"\n" + grid.astype(kind.get(code, ">f8")).tobytes())
    expect(tmp_path / "v.nrrd", in_ras(grid), CORNERS)


def test_detached_data(tmp_path, grid, expect):
    data = grid.astype("<i2").tobytes()
    (tmp_path / "Data.raw").write_bytes(b"one line\nanother\n1234" + data)
    skips = {"line skip": 2, "byte skip": 4}
    (tmp_path / "a.nhdr").write_bytes(header(grid, **LPS, **skips, **{"data file": "data.raw"}))
    (tmp_path / "b.nhdr").write_bytes(header(grid, **LPS, **{"byte skip": -1, "datafile": "./Data.raw"}) + b"\n")
    for k, layer in enumerate(grid):
        (tmp_path / f"{k:03d}.raw").write_bytes(layer.astype("<i2").tobytes())
    names = "LIST\n" + "\n".join(f"{k:03d}.raw" for k in range(4))
    (tmp_path / "c.nhdr").write_bytes(header(grid, **LPS, **{"data file": names}))
    (tmp_path / "d.nhdr").write_bytes(header(grid, **LPS, **{"data file": "%03d.raw 0 3 1"}))
    (tmp_path / "e.nhdr").write_bytes(header(grid[::-1], **LPS, **{"data file": "%03d.raw 3 0 -1"}))
    for name in "abcd":
        expect(tmp_path / f"{name}.nhdr", in_ras(grid), CORNERS)
    expect(tmp_path / "e.nhdr", in_ras(grid[::-1]), CORNERS)
    (tmp_path / "f.nhdr").write_bytes(header(grid, **LPS, **{"data file": "missing.raw"}))
    with pytest.raises(InputError, match=r"missing\.raw, which is not there"):
        read_volume(tmp_path / "f.nhdr")
    (tmp_path / "g.nhdr").write_bytes(header(grid, **LPS, **{"data file": "/etc/passwd"}))
    with pytest.raises(InputError, match="outside its own folder"):
        read_volume(tmp_path / "g.nhdr")


def test_a_sagittal_scan_lies_where_the_axial_one_does(tmp_path, grid, expect):
    stored = grid.transpose(2, 0, 1)[:, ::-1, :]  # fast along y, middle along -z, slow along x
    turned = {**LPS, "space directions": "(0,1,0) (0,0,-2) (0.5,0,0)", "space origin": "(-10,-20,11)"}
    (tmp_path / "v.nrrd").write_bytes(header(stored, **turned) + b"\n" + stored.astype("<i2").tobytes())
    expect(tmp_path / "v.nrrd", in_ras(grid), CORNERS)


@pytest.mark.parametrize(
    ("fields", "turned", "corners"),
    [
        ({**LPS, "space": "right-anterior-superior"}, False, UPRIGHT),
        ({**LPS, "space": "LPS"}, True, CORNERS),
        ({**LPS, "space": "scanner-xyz"}, False, UPRIGHT),
        ({**LPS, "space": "3D-left-handed"}, False, UPRIGHT),
        ({**LPS, "space": "3D-right-handed"}, False, UPRIGHT),
        ({"spacings": "0.5 1 2", "axis mins": "nan nan nan"}, False, [[0, 0, 0], [2.5, 4, 6]]),
        ({"spacings": "0.5 1 2"}, False, [[0, 0, 0], [2.5, 4, 6]]),
        ({"spacings": "0.5 1 2", "axis mins": "-10 -20 5"}, False, UPRIGHT),
        ({"axis mins": "-10 -20 5", "axis maxs": "-7.5 -16 11"}, False, UPRIGHT),
        (
            {"axis mins": "-10 -20 5", "axis maxs": "-7 -15 13", "centers": "cell cell cell"},
            False,
            [[-9.75, -19.5, 6], [-7.25, -15.5, 12]],
        ),
    ],
)
def test_places(tmp_path, grid, expect, fields, turned, corners):
    (tmp_path / "v.nrrd").write_bytes(header(grid, **fields) + b"\n" + grid.astype("<i2").tobytes())
    expect(tmp_path / "v.nrrd", in_ras(grid) if turned else grid, corners)


def test_a_spacing_of_nan_tells_the_axis_that_is_not_space(tmp_path, grid, expect):
    for name, count in (("one", 1), ("two", 2)):
        stored = np.stack([grid + c for c in range(count)], -1)
        text = header(stored, spacings="nan 0.5 1 2") + b"\n"
        (tmp_path / f"{name}.nrrd").write_bytes(text + stored.astype("<i2").tobytes())
        expect(tmp_path / f"{name}.nrrd", np.moveaxis(stored, -1, 0), [[0, 0, 0], [2.5, 4, 6]])


@pytest.mark.parametrize("kind", ["list", "time", "domain", "???"])
def test_the_slowest_of_four_axes_holds_frames(tmp_path, grid, expect, kind):
    frames = np.stack([grid, grid[::-1], 0 * grid])
    fields = {**LPS, "space directions": LPS["space directions"] + " none", "kinds": f"domain domain domain {kind}"}
    (tmp_path / "v.nrrd").write_bytes(header(frames, **fields) + b"\n" + frames.astype("<i2").tobytes())
    with pytest.raises(InputError, match=r"3 volumes along a fourth axis.*\n.*--frame N, from 0 to 2"):
        read_volume(tmp_path / "v.nrrd")
    with pytest.raises(UsageError, match="--frame is 3"):
        read_volume(tmp_path / "v.nrrd", frame=3)
    expect(tmp_path / "v.nrrd", in_ras(grid[::-1]), CORNERS, frame=1)


def test_the_fastest_of_four_axes_holds_channels_or_nothing(tmp_path, grid, expect, caplog):
    for name, count, kind in (("c", 4, "RGBA-color"), ("one", 1, "scalar"), ("unnamed", 4, "none")):
        values = np.stack([grid * (c + 1) for c in range(count)])
        stored = np.moveaxis(values, 0, -1)
        fields = {**LPS, "space directions": "none " + LPS["space directions"], "kinds": f"{kind} domain domain domain"}
        (tmp_path / f"{name}.nrrd").write_bytes(header(stored, **fields) + b"\n" + stored.astype("<i2").tobytes())
        expect(tmp_path / f"{name}.nrrd", in_ras(values), CORNERS)
        assert ("of the kind rgba-color; four channels are extinction" in caplog.text) == (name == "c")
        caplog.clear()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"sizes: 6 5 4", b"sizes: 60000 50000 40000", "promises 60000 x 50000 x 40000"),
        (b"encoding: raw", b"encoding: gzip", "cannot be read"),
        (b"encoding: raw", b"encoding: zrl", "encoding zrl"),
        (b"NRRD0005", b"NRRD0009", "does not begin with NRRD000x"),
        (b"type: short", b"type: block", "type: block"),
        (b"(0,1,0)", b"(0,0,0)", "2 of its axes are spatial"),
        (b"(0,1,0)", b"(1,0,0)", "lie in one plane"),
        (b"(-10,-20,5)", b"(-10,-20)", "space origin"),
        (b"endian: little\n", b"", "endian is missing"),
        (b"sizes: 6 5 4", b"sizes: 6 5", "an array of 2 axes"),
    ],
)
def test_headers_that_make_no_sense(tmp_path, grid, old, new, message):
    content = header(grid, **LPS) + b"\n" + grid.astype("<i2").tobytes()
    assert old in content
    (tmp_path / "v.nrrd").write_bytes(content.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "v.nrrd")
