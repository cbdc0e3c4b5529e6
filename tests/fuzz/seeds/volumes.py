"""Seeds of every volume format, each by its specification."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib

import numpy as np

from seeds.seed import Seed, volume_seed
from seeds.shapes import ball

VALUES = ball()
Z, Y, X = VALUES.shape
FLOATS = VALUES.astype("<f4").tobytes()
SHORTS = np.round(1000 * VALUES).astype("<i2").tobytes()


def _npy(values: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.save(written, values)
    return written.getvalue()


def _npz() -> bytes:
    written = io.BytesIO()
    np.savez_compressed(written, density=VALUES, bounds=np.array([[-1.0, -1, -1], [1, 1, 2]]))
    return written.getvalue()


def _nrrd(encoding: str, data: bytes, more: str = "") -> bytes:
    header = (
        f"NRRD0004\n# a ball\ntype: float\ndimension: 3\nspace: left-posterior-superior\nsizes: {X} {Y} {Z}\n"
        f"space directions: (0.5,0,0) (0,0.5,0) (0,0,0.4)\nkinds: domain domain domain\nendian: little\n"
        f"encoding: {encoding}\nspace origin: (1,2,3)\n{more}\n"
    )
    return header.encode() + data


def _meta(where: str, data: bytes, more: str = "") -> bytes:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n" + more
        + f"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\nElementSpacing = 0.5 0.5 0.4\nDimSize = {X} {Y} {Z}\n"
        + f"ElementType = MET_SHORT\nElementDataFile = {where}\n"
    )  # fmt: skip
    return header.encode() + data


def _nifti() -> bytes:
    """NIfTI-1: 348 bytes of header, 4 of no extensions, 16-bit integers with a slope."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, X, Y, Z, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 0.5, 0.5, 0.4, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 0.001, 0)
    struct.pack_into("<B", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, 0.5, 0, 0, 1, 0, 0.5, 0, 2, 0, 0, 0.4, 3)
    struct.pack_into("<4s", header, 344, b"n+1\0")
    return bytes(header) + SHORTS


def _vti(data_array: str, tail: str) -> bytes:
    extent = f"0 {X - 1} 0 {Y - 1} 0 {Z - 1}"
    return (
        '<?xml version="1.0"?>\n'
        '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt32">\n'
        f'<ImageData WholeExtent="{extent}" Origin="1 2 3" Spacing="0.5 0.5 0.4">\n<Piece Extent="{extent}">\n'
        f'<PointData Scalars="density">\n<DataArray type="Float32" Name="density" NumberOfComponents="1" {data_array}\n'
        f"</PointData>\n<CellData></CellData>\n</Piece>\n</ImageData>\n{tail}</VTKFile>\n"
    ).encode()


def _vti_ascii() -> bytes:
    return _vti(f'format="ascii">\n{" ".join(f"{v:g}" for v in VALUES.ravel())}\n</DataArray>', "")


def _vti_appended() -> bytes:
    packed = base64.b64encode(struct.pack("<I", len(FLOATS)) + FLOATS).decode()
    return _vti('format="appended" offset="0"/>', f'<AppendedData encoding="base64">\n_{packed}\n</AppendedData>\n')


def _vdb() -> bytes:
    """OpenVDB: one leaf of 8 x 8 x 8 voxels below two nodes, whose values that are not 0 are packed with zlib."""
    voxels = np.zeros((8, 8, 8), "<f4")
    voxels[:X, :Y, :Z] = VALUES.T
    mask = np.packbits(voxels.ravel() != 0, bitorder="little").tobytes()
    packed = zlib.compress(voxels[voxels != 0].tobytes())
    nodes = [b"\1" + bytes(2 * across**3 // 8 - 1) + struct.pack("<bq", 0, 0) for across in (32, 16)]
    tree = struct.pack("<ifII3i", 1, 0, 0, 1, 0, 0, 0) + b"".join(nodes) + mask
    leaf = mask + struct.pack("<bq", 0, len(packed)) + packed
    place = [1, 2, 3, *[0.5] * 6, *[2] * 3, *[4] * 3, *[1] * 3]
    head = struct.pack("<II", 3, 0) + _vdb_text("UniformScaleTranslateMap") + struct.pack("<18d", *place) + tree
    start = b" BDV\0\0\0\0" + struct.pack("<3IB", 224, 10, 0, 1) + b"00000000-0000-0000-0000-000000000000"
    start += struct.pack("<Ii", 0, 1) + _vdb_text("density") + _vdb_text("Tree_float_5_4_3") + _vdb_text("")
    at = len(start) + 24
    return start + struct.pack("<3q", at, at + len(head), at + len(head) + len(leaf)) + head + leaf


def _vdb_text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


def seeds() -> list[Seed]:
    """All of them."""
    packed = zlib.compress(SHORTS)
    stored = f"CompressedData = True\nCompressedDataSize = {len(packed)}\n"
    nhdr = _nrrd("raw", b"", "data file: ball.bin\n")
    return [
        volume_seed("npy", "ball.npy", {"ball.npy": _npy(VALUES)}),
        volume_seed("npy-colour", "ball.npy", {"ball.npy": _npy(np.stack([VALUES] * 4, 3))}),
        volume_seed("npz", "ball.npz", {"ball.npz": _npz()}),
        volume_seed("nrrd", "ball.nrrd", {"ball.nrrd": _nrrd("raw", FLOATS)}),
        volume_seed("nrrd-gzip", "ball.nrrd", {"ball.nrrd": _nrrd("gzip", gzip.compress(FLOATS, mtime=0))}),
        volume_seed("nhdr", "ball.nhdr", {"ball.nhdr": nhdr, "ball.bin": FLOATS}),
        volume_seed("nii", "ball.nii", {"ball.nii": _nifti()}),
        volume_seed("nii.gz", "ball.nii.gz", {"ball.nii.gz": gzip.compress(_nifti(), mtime=0)}),
        volume_seed("mha", "ball.mha", {"ball.mha": _meta("LOCAL", SHORTS)}),
        volume_seed("mha-packed", "ball_packed.mha", {"ball_packed.mha": _meta("LOCAL", packed, stored)}),
        volume_seed("mhd", "ball.mhd", {"ball.mhd": _meta("ball.zraw", b""), "ball.zraw": SHORTS}),
        volume_seed("vti-ascii", "ball_ascii.vti", {"ball_ascii.vti": _vti_ascii()}),
        volume_seed("vti", "ball.vti", {"ball.vti": _vti_appended()}),
        volume_seed("vdb", "ball.vdb", {"ball.vdb": _vdb()}),
        volume_seed("raw", "ball.raw", {"ball.raw": FLOATS}, "--shape", f"{Z},{Y},{X}", "--dtype", "float32"),
    ]
