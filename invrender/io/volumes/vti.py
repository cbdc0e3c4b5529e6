"""VTK image data, .vti: read through pyvista, written without it."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.volumes.arrays import choose
from invrender.io.volumes.axes import arrange
from invrender.io.volumes.grid import Grid, damaged, place, scalars, size_lie, slices
from invrender.io.volumes.vti_header import parse_vti
from invrender.nouns import Volume

BLOCK = 1 << 15  # bytes that are compressed together, as VTK has it


def read_vti(path: Path, key: str, frame: int | None = None) -> Grid:
    """The point or cell data `key`, or the only ones; the samples of cell data sit at the cells' centres."""
    header = parse_vti(path)
    image = _load(path)
    points, cells = list(image.point_data.keys()), list(image.cell_data.keys())
    name = choose(key, points if len(points) == 1 and key not in cells else [*points, *cells], path)
    at_cells = name not in points
    found = image.cell_data if at_cells else image.point_data
    axes = header.axes
    counts = np.asarray(image.dimensions)
    extent = np.asarray(image.extent)[::2]
    origin = header.origin + axes @ extent
    if at_cells:
        counts = np.maximum(counts - 1, 1)
        origin = origin + axes @ np.full(3, 0.5)
    values = np.asarray(found[name])
    if len(values) != int(np.prod(counts)):
        raise size_lie(path, tuple(counts[::-1]), int(np.prod(counts)) * values.itemsize, values.nbytes)
    values = values.reshape(*counts[::-1], -1)
    return Grid(arrange(values, "zyxc", frame, path), axes, origin)


def write_vti(path: Path, volume: Volume) -> None:
    """Point data `density` (float32, compressed), with several components where there are several channels.

    Written without VTK, which takes a second to import and must not be imported by a run that may be stopped. The form
    is that of VTK's XML files with appended raw data: after an underscore, 64-bit numbers (how many blocks, their
    length, the last one's length or 0 if it is whole, the compressed lengths), then the blocks, each deflated by itself
    ("VTK XML Formats", docs.vtk.org, "Appended data" and "Compressed data"). The numbers are filled in once the blocks
    are written, one after the other: no more than a few slices are in memory besides the volume.
    """
    values = scalars(volume)
    axes, origin = place(volume)
    steps = np.linalg.norm(axes, axis=0)
    extent = " ".join(f"0 {count - 1}" for count in values.shape[:0:-1])
    head = f'''<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64" compressor="vtkZLibDataCompressor">
  <ImageData WholeExtent="{extent}" Origin="{_numbers(origin)}" Spacing="{_numbers(steps)}" Direction="{_numbers((axes / steps).ravel())}">
    <Piece Extent="{extent}">
      <PointData Scalars="density">
        <DataArray type="Float32" Name="density" NumberOfComponents="{len(values)}" format="appended" offset="0"/>
      </PointData>
    </Piece>
  </ImageData>
  <AppendedData encoding="raw">
_'''  # noqa: E501 - lines of the file, not of ours
    size = values.size * 4
    lengths = np.zeros(-(-size // BLOCK), "<u8")
    with path.open("wb") as file:
        start = file.write(head.encode())
        file.write(np.array([len(lengths), BLOCK, size % BLOCK], "<u8").tobytes() + lengths.tobytes())
        for number, block in enumerate(_blocks(values)):
            lengths[number] = file.write(zlib.compress(block))
        file.write(b"\n  </AppendedData>\n</VTKFile>\n")
        file.seek(start + 3 * lengths.itemsize)
        file.write(lengths.tobytes())


def _blocks(values: NDArray[np.float32]) -> Iterator[bytes]:
    """The bytes of values [C,D,H,W], channels side by side, so many together, the last ones perhaps fewer."""
    left = b""
    for layer in slices(values):
        data = left + layer
        whole = len(data) // BLOCK * BLOCK
        for begin in range(0, whole, BLOCK):
            yield data[begin : begin + BLOCK]
        left = data[whole:]
    if left:
        yield left


def _numbers(values: Iterable[float]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


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
    root = logging.getLogger()
    root.addFilter(_nothing)  # pyvista sends what VTK's inner parsers say to the root logger, as it stands in the file
    try:
        reader.Update()
    finally:
        root.removeFilter(_nothing)
    image = pyvista.wrap(reader.GetOutput())
    if faults or reader.GetErrorCode() or min(image.dimensions) < 1:
        raise damaged(path, faults[0] if faults else "its XML is cut off or damaged")
    return image
