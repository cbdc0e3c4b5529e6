"""The data of a .ply file, ASCII or binary, as one array for each property."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.meshes.ply_header import AGAIN, Element, Header, Property
from invrender.io.meshes.text import Integers, Lines, numbers, plain, unreadable

log = logging.getLogger(__name__)


class Column(NamedTuple):
    """The values of one property in all rows of an element.

    Attributes:
        values: [N] all numbers, those of lists one row after the other.
        sizes: [R] how many numbers each row has, or None where each has one.
        kind: the type that the file stores them in.
    """

    values: NDArray[Any]
    sizes: Integers | None
    kind: np.dtype

    @property
    def lengths(self) -> Integers:
        """[R] how many numbers each row has."""
        return np.ones(len(self.values), np.int64) if self.sizes is None else self.sizes


Table = dict[str, Column]


def read_tables(path: Path, content: bytes, header: Header) -> dict[str, Table]:
    """Read the data behind the header: element name -> property name -> column.

    Raises:
        InputError: there is less than the header promises, or a line holds something else.
    """
    return _Ascii(path, content, header).read() if header.order == "" else _binary(path, content, header)


def _cut_short(path: Path, element: Element, found: int) -> InputError:
    rows = f"{found} of {element.count} rows of '{shown(element.name)}' are there"
    return InputError(f"{path} is cut short: {rows}", AGAIN)


def _binary(path: Path, content: bytes, header: Header) -> dict[str, Table]:
    tables, place = {}, header.size
    for element in header.elements:
        room = len(content) - place
        if element.count * element.least > room:  # before any memory is taken for it
            raise _cut_short(path, element, max(0, room) // max(element.least, 1))
        if element.count and element.properties:
            tables[element.name], place = _binary_table(path, content, place, element, header.order)
    if place < len(content) and content[place:].strip():
        log.warning(
            "%s has %d bytes more than its header promises: they are passed over.",
            shown(path.name),
            len(content) - place,
        )
    return tables


def _binary_table(path: Path, content: bytes, place: int, element: Element, order: str) -> tuple[Table, int]:
    """The columns of an element, and where the next one begins."""
    sizes = _first_sizes(path, content, place, element, order)
    row = _row_type(element, sizes, order)
    end = place + row.itemsize * element.count
    if end <= len(content):
        rows = np.frombuffer(content, row, element.count, place)
        lists = [i for i, each in enumerate(element.properties) if each.length is not None]
        if all((rows[f"n{i}"] == sizes[i]).all() for i in lists):
            return {each.name: _column(each, rows[f"p{i}"]) for i, each in enumerate(element.properties)}, end
    return _mixed_table(path, content, place, element, order)


def _first_sizes(path: Path, content: bytes, place: int, element: Element, order: str) -> list[int]:
    """How many numbers each property has in the first row."""
    sizes = []
    for each in element.properties:
        size, place = _size(content, place, each, order)
        if size < 0:
            raise _cut_short(path, element, 0)
        sizes.append(size)
    return sizes


def _size(content: bytes, place: int, each: Property, order: str) -> tuple[int, int]:
    """How many numbers a property has at a place, and where the next one begins; -1 where the file ends before."""
    size = 1
    if each.length is not None:
        size = int.from_bytes(
            content[place : place + each.length.itemsize],
            "little" if order == "<" else "big",
            signed=each.length.kind == "i",
        )
        place += each.length.itemsize
    place += size * each.kind.itemsize
    return (size, place) if size >= 0 and place <= len(content) else (-1, place)


def _row_type(element: Element, sizes: list[int], order: str) -> np.dtype:
    """A row whose lists have these sizes: p0, p1, ... are the properties, n0, n1, ... the sizes before lists."""
    fields: list[tuple[str, str, tuple[int, ...]]] = []
    for i, (each, size) in enumerate(zip(element.properties, sizes, strict=True)):
        if each.length is not None:
            fields.append((f"n{i}", order + each.length.str[1:], ()))
        fields.append((f"p{i}", order + each.kind.str[1:], () if each.length is None else (size,)))
    return np.dtype(fields)


def _column(each: Property, values: NDArray[Any]) -> Column:
    sizes = None if each.length is None else np.full(len(values), values.shape[1], np.int64)
    return Column(values.reshape(-1), sizes, each.kind)


def _mixed_table(path: Path, content: bytes, place: int, element: Element, order: str) -> tuple[Table, int]:
    """The columns of an element whose lists differ in size: row by row, as a row tells where the next one begins."""
    found: list[list[NDArray[Any]]] = [[] for _ in element.properties]
    for row in range(element.count):
        for each, values in zip(element.properties, found, strict=True):
            size, end = _size(content, place, each, order)
            if size < 0:
                raise _cut_short(path, element, row)
            values.append(np.frombuffer(content, order + each.kind.str[1:], size, end - size * each.kind.itemsize))
            place = end
    return {
        each.name: Column(
            np.concatenate(values),
            None if each.length is None else np.array([len(part) for part in values], np.int64),
            each.kind,
        )
        for each, values in zip(element.properties, found, strict=True)
    }, place


class _Ascii:
    """The rows of an ASCII file: one line each."""

    def __init__(self, path: Path, content: bytes, header: Header) -> None:
        self._path, self._elements = path, header.elements
        above = b"\n" * plain(content[: header.size]).count(b"\n")  # so that messages count the header's lines
        self._lines = Lines.of(above + plain(content[header.size :]))

    def read(self) -> dict[str, Table]:
        lines, tables, row = self._lines, {}, 0
        elements = [element for element in self._elements if element.properties]
        promised = sum(element.count for element in elements)
        if len(lines.count) < promised:
            raise InputError(f"{self._path} is cut short: {len(lines.count)} of {promised} lines are there", AGAIN)
        if len(lines.count) > promised:
            log.warning(
                "%s has %d line(s) more than its header promises: they are passed over.",
                shown(self._path.name),
                len(lines.count) - promised,
            )
        for element in elements:
            if element.count:
                tables[element.name] = self._table(element, np.arange(row, row + element.count))
            row += element.count
        return tables

    def _table(self, element: Element, rows: Integers) -> Table:
        """The columns of an element whose rows are these lines."""
        counts = self._lines.count[rows]
        values = numbers(self._lines.body(rows))
        if values is None or len(values) != counts.sum():
            bad = next((row for row in rows if numbers(self._lines.line(row)) is None), rows[0])
            raise unreadable(self._path, self._lines, int(bad), "something else than numbers")
        place, end = np.cumsum(counts) - counts, np.cumsum(counts)
        table: Table = {}
        for each in element.properties:
            sizes = None
            if each.length is not None:
                sizes = self._sizes(rows, values, place, end)
                place = place + 1
            width = np.ones(len(rows), np.int64) if sizes is None else sizes
            self._refuse(rows, place + width > end, element)
            table[each.name] = Column(_gather(values, place, width), sizes, each.kind)
            place = place + width
        self._refuse(rows, place != end, element)
        return table

    def _sizes(self, rows: Integers, values: NDArray[Any], place: Integers, end: Integers) -> Integers:
        """[R] the size of the list that begins at each place."""
        sizes = values[np.minimum(place, len(values) - 1)]
        bad = (place >= end) | ~((sizes >= 0) & (sizes <= end - place) & (sizes == np.floor(sizes)))
        if bad.any():
            why = "its list has another number of entries than it says"
            raise unreadable(self._path, self._lines, int(rows[bad.argmax()]), why)
        return sizes.astype(np.int64)

    def _refuse(self, rows: Integers, bad: NDArray[np.bool_], element: Element) -> None:
        if bad.any():
            why = f"it has another number of entries than the header says of '{shown(element.name)}'"
            raise unreadable(self._path, self._lines, int(rows[bad.argmax()]), why)


def _gather(values: NDArray[Any], place: Integers, width: Integers) -> NDArray[Any]:
    """The runs of `width` numbers from each place on, one after the other."""
    starts = np.cumsum(width) - width
    index = np.arange(int(width.sum())) + np.repeat(place - starts, width)
    gathered: NDArray[Any] = values[index]
    return gathered
