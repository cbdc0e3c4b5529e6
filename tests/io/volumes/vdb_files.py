"""Makes .vdb files by hand, as the format is published: every kind of compression and of inactive value.

It shares nothing with the library, so that neither hides the other's mistakes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import blosc
import numpy as np
from numpy.typing import NDArray

ZIP, ACTIVE_MASK, BLOSC = 1, 2, 4
IDENTITY = ("TranslationMap", (0.0, 0.0, 0.0))

Values = NDArray[Any]
Mask = NDArray[np.bool_]


def text(words: str) -> bytes:
    """A string behind its length."""
    return struct.pack("<I", len(words.encode())) + words.encode()


def packed(values: Values, flags: int) -> bytes:
    """Values as one chunk."""
    content = values.tobytes()
    if flags & BLOSC:
        chunk = blosc.compress(content, typesize=4, cname="lz4", clevel=9) if content else b""
    elif flags & ZIP:
        chunk = zlib.compress(content)
    else:
        return content
    if chunk and len(chunk) < len(content):
        return struct.pack("<q", len(chunk)) + chunk
    return struct.pack("<q", -len(content)) + content


@dataclass(frozen=True)
class Leaf:
    """8 x 8 x 8 voxels, x slowest.

    Attributes:
        values: [512].
        active: [512].
        case: how the inactive ones are told, 0 to 6.
    """

    values: Values
    active: Mask
    case: int = 6

    def buffer(self, flags: int, background: float, half: bool = False) -> bytes:
        """Its values in the file, behind its mask."""
        case = self.case if flags & ACTIVE_MASK else 6
        inactive = np.unique(self.values[~self.active]).tolist()
        told = {2: inactive, 4: [value for value in inactive if value != background], 5: inactive}.get(case, [])
        parts = [mask(self.active), bytes([case]), np.array(told, self.values.dtype).tobytes()]
        if case in (3, 4, 5):
            second = told[1] if case == 5 else background
            parts.append(mask(~self.active & (self.values == second)))
        kept = self.values[self.active] if case != 6 else self.values
        if half:
            kept = kept.astype("<f2")
        return b"".join(parts) + (b"" if half and not len(kept) else packed(kept, flags))


def mask(bits: Mask) -> bytes:
    """A mask, the lowest bit first."""
    return np.packbits(bits, bitorder="little").tobytes()


def node(across: int, children: Sequence[int], active: dict[int, Any], values: Values, flags: int) -> bytes:
    """An inner node; all values of its slots are told."""
    child, on = np.zeros(across**3, bool), np.zeros(across**3, bool)
    child[list(children)] = True
    on[list(active)] = True
    for slot, value in active.items():
        values[slot] = value
    return mask(child) + mask(on) + bytes([6]) + packed(values, flags)


def tree(
    leaves: dict[int, Leaf], flags: int, background: float = 0.0, kind: str = "<f4", half: bool = False
) -> tuple[bytes, bytes]:
    """One node at the origin whose first child holds leaves by slot; the parts before and behind the file's middle."""
    kept = "<f2" if half else kind
    upper = node(32, [0], {}, np.full(32768, background, kept), flags)
    lower = node(16, list(leaves), {}, np.full(4096, background, kept), flags)
    root = struct.pack("<i", 1) + np.array(background, kind).tobytes() + struct.pack("<2I3i", 0, 1, 0, 0, 0)
    topology = root + upper + lower + b"".join(mask(leaf.active) for leaf in leaves.values())
    return topology, b"".join(leaf.buffer(flags, background, half) for leaf in leaves.values())


def grid(
    name: str,
    content: tuple[bytes, bytes],
    flags: int,
    tree_type: str = "Tree_float_5_4_3",
    transform: tuple[str, Sequence[float]] = IDENTITY,
    parent: str = "",
) -> tuple[bytes, bytes, bytes]:
    """The list entry of a grid without its places, and both parts of its content."""
    half = tree_type.endswith("_HalfFloat")
    about = struct.pack("<I", 2) + text("name") + text("string") + text(name.partition("\x1e")[0])
    about += text("is_saved_as_half_float") + text("bool") + struct.pack("<I?", 1, half)
    head = struct.pack("<I", flags) + about + text(transform[0])
    head += struct.pack(f"<{len(transform[1])}d", *transform[1])
    return text(name) + text(tree_type) + text(parent), head + content[0], content[1]


def archive(*grids: tuple[bytes, bytes, bytes], offsets: bool = True, version: int = 224) -> bytes:
    """A file of grids; without offsets as a stream has it."""
    found = b" BDV\0\0\0\0" + struct.pack("<3IB", version, 10, 0, offsets) + b"00000000-0000-0000-0000-000000000000"
    found += struct.pack("<Ii", 0, len(grids))
    for entry, before, behind in grids:
        place = len(found) + len(entry) + 24
        places = (place, place + len(before), place + len(before) + len(behind)) if offsets else (0, 0, 0)
        found += entry + struct.pack("<3q", *places) + before + behind
    return found


def leaf(case: int, background: float, seed: int = 0, kind: str = "<f4") -> Leaf:
    """Random numbers whose inactive ones are such as `case` can tell."""
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 60, 512).astype(kind)
    active = rng.random(512) < 0.5
    inactive = {
        0: [background], 1: [-background], 2: [77], 3: [background, -background], 4: [78, background], 5: [79, 80],
        6: [81, 82, 83],
    }[case]  # fmt: skip
    values[~active] = rng.choice(np.array(inactive, kind), np.count_nonzero(~active))
    return Leaf(values, active, case)


def all_leaves(background: float, kind: str = "<f4") -> dict[int, Leaf]:
    """One for each way to tell inactive values, beside each other along z, then along y; and one that is all active."""
    leaves = {slot: leaf(case, background, case, kind) for case, slot in enumerate((0, 1, 2, 3, 16, 17, 18))}
    ones = np.ones(512, bool)
    leaves[19] = Leaf(np.arange(1, 513).astype(kind), ones, 0)
    return leaves


def all_cases() -> dict[str, bytes]:
    """Files with every way to tell inactive values, by compression; of floats, halves and as a stream."""
    files = {}
    for flags in (0, ZIP, BLOSC, ACTIVE_MASK, ZIP | ACTIVE_MASK, BLOSC | ACTIVE_MASK):
        for half in (False, True):
            content = tree(all_leaves(3.0), flags, 3.0, half=half)
            stored = "Tree_float_5_4_3" + ("_HalfFloat" if half else "")
            name = f"flags{flags}{'-half' if half else ''}"
            files[name] = archive(grid("density", content, flags, stored))
    return files
