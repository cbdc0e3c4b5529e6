"""VTK image data, .vti: read through pyvista, written without it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError
from invrender.io.volumes.arrays import choose
from invrender.io.volumes.grid import Grid, damaged, scalars, size_lie, spacing
from invrender.nouns import Volume

BLOCK = 1 << 15  # bytes that are compressed together, as VTK has it


def read_vti(path: Path, key: str) -> Grid:
    """The point data `key` (or the only one); where there is cell data alone, its samples sit at the cells' centres."""
    _check_start(path)
    image = _load(path)
    at_cells = not image.point_data.keys()
    found = image.cell_data if at_cells else image.point_data
    name = choose(key, found.keys(), path)
    axes = np.asarray(image.direction_matrix, np.float64) * np.asarray(image.spacing, np.float64)
    counts = np.asarray(image.dimensions)
    extent = np.asarray(image.extent)[::2]
    origin = np.asarray(image.origin, np.float64) + axes @ extent
    if at_cells:
        counts = np.maximum(counts - 1, 1)
        origin = origin + axes @ np.full(3, 0.5)
    values = np.asarray(found[name])
    if len(values) != int(np.prod(counts)):
        raise size_lie(path, tuple(counts[::-1]), int(np.prod(counts)) * values.itemsize, values.nbytes)
    values = values.reshape(*counts[::-1], -1)
    return Grid(np.moveaxis(values, 3, 0), axes, origin)


def write_vti(path: Path, volume: Volume) -> None:
    """Point data `density` (float32, compressed), with several components where there are several channels.

    Written without VTK, which takes a second to import and must not be imported by a run that may be stopped. The form
    is that of VTK's XML files with appended raw data: after an underscore, 64-bit numbers (how many blocks, their
    length, the last one's length or 0 if it is whole, the compressed lengths), then the blocks, each deflated by itself
    ("VTK XML Formats", docs.vtk.org, "Appended data" and "Compressed data").
    """
    values = np.ascontiguousarray(np.moveaxis(scalars(volume), 0, 3), "<f4")
    steps, origin = spacing(volume)
    extent = " ".join(f"0 {count - 1}" for count in values.shape[2::-1])
    head = f'''<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64" compressor="vtkZLibDataCompressor">
  <ImageData WholeExtent="{extent}" Origin="{_numbers(origin)}" Spacing="{_numbers(steps)}" Direction="1 0 0 0 1 0 0 0 1">
    <Piece Extent="{extent}">
      <PointData Scalars="density">
        <DataArray type="Float32" Name="density" NumberOfComponents="{values.shape[3]}" format="appended" offset="0"/>
      </PointData>
    </Piece>
  </ImageData>
  <AppendedData encoding="raw">
_'''  # noqa: E501 - lines of the file, not of ours
    data = values.tobytes()
    blocks = [zlib.compress(data[i : i + BLOCK]) for i in range(0, len(data), BLOCK)]
    header = np.array([len(blocks), BLOCK, len(data) % BLOCK, *map(len, blocks)], "<u8")
    with path.open("wb") as file:
        file.write(head.encode() + header.tobytes())
        file.writelines(blocks)
        file.write(b"\n  </AppendedData>\n</VTKFile>\n")


def _numbers(values: Iterable[float]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _check_start(path: Path) -> None:
    """VTK can crash on what is no .vti at all, so the first bytes are looked at before."""
    with path.open("rb") as file:
        start = file.read(2048)
    if b"<VTKFile" not in start:
        raise damaged(path, "it does not begin as a VTK XML file")
    if not re.search(rb'type\s*=\s*"ImageData"', start):
        raise InputError(f"{path} holds no image data (a regular grid)", "resample it to ImageData in ParaView first")


def _load(path: Path) -> Any:
    """The image; VTK's own reader reports faults through events, which would otherwise only be printed."""
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader

    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    faults: list[str] = []

    def note(_reader: object, _event: str, text: str) -> None:
        faults.append(re.split(r"\(0x[0-9a-f]+\):\s*", text.strip())[-1].strip())

    note.CallDataType = "string0"  # type: ignore[attr-defined] # so that VTK hands over the text
    reader: Any = vtkXMLImageDataReader()
    reader.AddObserver("ErrorEvent", note)
    reader.SetFileName(str(path))
    reader.Update()
    image = pyvista.wrap(reader.GetOutput())
    if faults or reader.GetErrorCode() or min(image.dimensions) < 1:
        raise damaged(path, faults[0] if faults else "its XML is cut off or damaged")
    return image
