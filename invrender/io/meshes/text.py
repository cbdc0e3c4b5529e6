"""Text files of statements, cut into lines and tokens with whole-array operations: millions of lines are quick.

Any of the line ends LF, CR LF and CR counts, and so does a byte-order mark. Errors name lines as editors do.
"""

from __future__ import annotations

import codecs
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown

Integers = NDArray[np.int64]

JOINT = 1  # the byte that stands for a continued line's end: white, and counted as a line
_WHITE = np.zeros(256, bool)
_WHITE[[JOINT, 9, 10, 11, 12, 32]] = True
_LOWER = np.frombuffer(bytes(range(256)).lower(), np.uint8).astype(np.uint64)
_PADDING = b"\0\x1a"  # of tapes and mail, and the end mark of DOS
_MARKS = (  # those of four bytes first: that of UTF-16 is the beginning of one of them
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KEY = 8  # so many bytes of a line's first token tell the statements apart


def plain(content: bytes) -> bytes:
    """The content as ASCII-compatible text with LF line ends, without a byte-order mark or padding at the end."""
    coding = _wide(content)
    if coding is not None:
        content = content.decode(coding, errors="replace").encode().removeprefix(codecs.BOM_UTF8)
    content = content.removeprefix(codecs.BOM_UTF8).rstrip(_PADDING)
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in content else content


def _wide(content: bytes) -> str | None:
    """How text of two or four bytes a character is written: by its mark, or by the zeros between ASCII letters."""
    for mark, coding in _MARKS:
        if content.startswith(mark):
            return coding
    start = content[: len(content) // 2 * 2][:64]
    low, high = start[::2], start[1::2]
    if len(low) > 3 and 0 not in low and not any(high):
        return "utf-16-le"
    return "utf-16-be" if len(high) > 3 and 0 not in high and not any(low) else None


def decoded(text: bytes) -> str:
    """A name: UTF-8, or else each byte as the character of its number, so that names that differ stay different."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def join_continued(text: bytes) -> bytes:
    r"""The text with lines that end in `\` joined to the next one."""
    return re.sub(rb"\\[ \t]*\n", bytes([JOINT]), text) if b"\\" in text else text


def key(word: bytes) -> int:
    """The number that stands for a statement's keyword in `Lines.keys`."""
    return int.from_bytes(word[:_KEY].ljust(_KEY, b"\0"), "little")


def numbers(text: bytes) -> NDArray[np.float64] | None:
    """All numbers of a text of numbers between white space, or None where something else is in it."""
    return _parse(text, np.float64)


def integers(text: bytes) -> Integers | None:
    """All integers of a text of integers between white space, or None where something else is in it."""
    return _parse(text, np.int64)


def _parse(text: bytes, kind: type) -> NDArray[Any] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # what NumPy before 2.3 makes of other text
        try:
            return np.fromstring(text.replace(bytes([JOINT]), b" "), kind, sep=" ")
        except (ValueError, DeprecationWarning):
            return None


@dataclass(frozen=True)
class Lines:
    """The lines of a text that hold anything, and their tokens.

    Attributes:
        text: LF line ends.
        first: [L] where the first token of each line starts.
        last: [L] where the last token of each line ends.
        count: [L] how many tokens each line has.
        keys: [L] uint64, the first eight bytes of the first token in lower case, as `key` gives them.
    """

    text: bytes
    first: Integers
    last: Integers
    count: Integers
    keys: NDArray[np.uint64]

    @staticmethod
    def of(text: bytes) -> Lines:
        """Cut a text."""
        data = np.frombuffer(text, np.uint8)
        white = np.concatenate([[True], _WHITE[data], [True]])
        starts = np.flatnonzero(white[:-1] & ~white[1:])
        ends = np.flatnonzero(~white[:-1] & white[1:])
        behind = np.searchsorted(starts, np.flatnonzero(data == 10))  # the token behind each line's end
        head = np.concatenate([[0], behind, [len(starts)]])
        head = head[np.concatenate([head[1:] > head[:-1], [False]])]  # lines that hold anything
        count = np.diff(head, append=len(starts))
        first = starts[head]
        return Lines(text, first, ends[head + count - 1], count, _keys(data, first, ends[head] - first))

    def are(self, *words: bytes) -> NDArray[np.bool_]:
        """[L] whether a line's statement is one of these."""
        found: NDArray[np.bool_] = np.isin(self.keys, np.array([key(word) for word in words], np.uint64))
        return found

    def line(self, row: int | np.integer) -> bytes:
        """One line, from its first token to its last."""
        return self.text[self.first[row] : self.last[row]]

    def rest(self, row: int | np.integer) -> bytes:
        """One line without its first token."""
        words = self.line(row).split(None, 1)
        return words[1] if len(words) > 1 else b""

    def number(self, row: int | np.integer) -> int:
        """The number of a line in the file, from 1."""
        end = int(self.first[row])
        return self.text.count(b"\n", 0, end) + self.text.count(bytes([JOINT]), 0, end) + 1

    def body(self, rows: Integers, skip: int = 0) -> bytes:
        """The text of these lines alone (ascending), each with its first `skip` bytes blank."""
        if not len(rows):
            return b""
        begin, end = int(self.first[rows[0]]), int(self.last[rows[-1]])
        window = np.frombuffer(self.text, np.uint8)[begin:end].copy()
        for k in range(skip):
            window[np.minimum(self.first[rows] + k, self.last[rows] - 1) - begin] = ord(" ")
        others = np.ones(rows[-1] - rows[0] + 1, bool)
        others[rows - rows[0]] = False
        if not others.any():
            return window.tobytes()
        steps = np.zeros(len(window) + 1, np.int8)
        between = np.flatnonzero(others) + rows[0]
        steps[self.first[between] - begin] += 1
        steps[self.last[between] - begin] -= 1
        kept: NDArray[np.uint8] = window[np.cumsum(steps[:-1], dtype=np.int8) == 0]
        return kept.tobytes()


def _keys(data: NDArray[np.uint8], first: Integers, length: Integers) -> NDArray[np.uint64]:
    keys = np.zeros(len(first), np.uint64)
    for k in range(_KEY):
        longer = np.flatnonzero(length > k)
        if not len(longer):
            break
        byte = _LOWER[data[first[longer] + k]]
        keys[longer] |= byte << np.uint64(8 * k)
    return keys


def unreadable(path: object, lines: Lines, row: int | np.integer, why: str) -> InputError:
    """The error for a line that makes no sense."""
    line = lines.line(row)
    remedy = "the file is damaged: export it again, or mend that line"
    if re.search(rb"\d,\d", line):
        remedy = "write numbers with a decimal point, not a comma: export it under an English locale"
    return InputError(f"{path} cannot be read, line {lines.number(row)}: {why} ('{shown(line)}')", remedy)
