"""Damage to text, kept as bytes: awkward numbers, lost and swapped lines, other line ends, letters that are none."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from mutations.raw import mutate_bytes

NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
WORD = re.compile(rb"[A-Za-z_][\w.\-]*")

NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"2", b"3", b"-3", b"1e308", b"-1e308", b"1e400", b"nan", b"-inf", b"inf", b"1e25",
    b"1e11", b"1e-300", b"1e-30", b"255", b"65536", b"2147483647", b"2147483648", b"-2147483648", b"4294967295",
    b"99999999", b"9223372036854775808", b"1" * 30, b"9" * 5000, b"0x10", b"1_000", b"1.5", b"1,5", b"1.2.3", b"--1",
    b"1e", b"", b"\xd9\xa1", b"/", b"1/1/1/1", b"None", b"*",
)  # fmt: skip

INSERTED = (
    b"\xff\xfe", b"\xc3", b"\x80\x80", b"\x00", b"\x1b[31mred\x1b[0m", b"\x07", b"\r", b"\t", b"\x0c",
    b"\xef\xbb\xbf", b"\\\n", b"#", b'"', b"'", b"%00", b"../", b"/dev/zero", b"A" * 5000, b"\xe2\x80\xae", b"\n\n\n",
)  # fmt: skip


def _number(text: bytes, rng: Random) -> bytes:
    return _replace(text, NUMBER, rng, rng.choice(NUMBERS))


def _numbers(text: bytes, rng: Random) -> bytes:
    """Every number that is like one of them, so that fields that have to agree still do."""
    found = NUMBER.findall(text)
    if not found:
        return mutate_bytes(text, rng)
    old, new = rng.choice(found), rng.choice(NUMBERS)
    return NUMBER.sub(lambda match: new if match.group() == old else match.group(), text)


def _word(text: bytes, rng: Random) -> bytes:
    """A word of the file in place of another, or cut, or in the other case."""
    words = WORD.findall(text)
    if not words:
        return mutate_bytes(text, rng)
    word = rng.choice(words)
    return _replace(text, WORD, rng, rng.choice((word, word, word.swapcase(), word[:-1], b"", word + b"2")))


def _replace(text: bytes, pattern: re.Pattern[bytes], rng: Random, new: bytes) -> bytes:
    found = list(pattern.finditer(text))
    if not found:
        return mutate_bytes(text, rng)
    match = rng.choice(found[: 40 if rng.random() < 0.5 else None])
    return text[: match.start()] + new + text[match.end() :]


def _lines(text: bytes, rng: Random) -> bytes:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return mutate_bytes(text, rng)
    one, other = (rng.randrange(len(lines)) for _ in range(2))
    match rng.randrange(5):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            del lines[one]
        case 2:
            lines[one:one] = [lines[other]] * rng.choice((1, 1, 50))
        case 3:
            lines[one] = lines[one].rstrip(b"\r\n")
        case _:
            del lines[one:]
    return b"".join(lines)


def _ends(text: bytes, rng: Random) -> bytes:
    return text.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b" \n", b"\n\t", b" # note\n")))


def _insert(text: bytes, rng: Random) -> bytes:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(INSERTED) + text[at:]


def _start(text: bytes, rng: Random) -> bytes:
    return rng.choice((b"\xef\xbb\xbf", b"\n", b" ", b"\xff\xfe")) + text


def _encoding(text: bytes, rng: Random) -> bytes:
    return text.decode("latin-1").encode(rng.choice(("utf-16", "utf-16-le", "utf-32")))


OPERATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _number, _number, _number, _number, _numbers, _word, _word, _lines, _lines, _ends, _insert, _insert, _start,
    mutate_bytes, _encoding,
)  # fmt: skip


def mutate_text(text: bytes, rng: Random) -> bytes:
    """One damage that text is prone to."""
    return rng.choice(OPERATIONS)(text, rng) if text else rng.choice(INSERTED)
