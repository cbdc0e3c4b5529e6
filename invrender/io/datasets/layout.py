"""How the pictures of a dataset are laid out: undistorted or not, scaled by one factor, on one canvas.

Cameras of one noun share an image size, and pictures of one dataset need not: of several cameras, or of one that was
turned. All of them lie in the top left corner of a canvas as large as the largest; the rest of it is unknown.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from invrender.errors import InputError, MemoryLimitError
from invrender.io.datasets.posed import Lens, PosedImage
from invrender.io.datasets.resample import scaled
from invrender.io.datasets.sizes import fits
from invrender.io.datasets.undistort import Straight, straight
from invrender.io.files.memory import SPARE, available_memory
from invrender.io.files.paths import shown

log = logging.getLogger(__name__)
Size = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """Where one picture goes.

    Attributes:
        view: with the lens of a pinhole.
        turn: Exif's orientation to apply to the stored pixels.
        full: (H, W) of the picture after that.
        straight: the distorted lens and its pinhole, or None of a pinhole.
        size: (H, W) of the region on the canvas.
    """

    view: PosedImage
    turn: int
    full: Size
    straight: Straight | None
    size: Size

    @property
    def pinhole_size(self) -> Size:
        """(H, W) of the undistorted picture before it is scaled down."""
        return self.full if self.straight is None else self.straight.size


def lay_out(
    posed: Sequence[PosedImage], turns: Sequence[int], sizes: Sequence[Size], size: int | None, root: Path
) -> list[Place]:
    """Where the pictures of views go.

    Args:
        posed: the views, their lenses distorted or not.
        turns: Exif's orientation to apply to each.
        sizes: (H, W) of each after that.
        size: the longer side of the canvas, where it would be larger, or None.
        root: the dataset's folder, for messages.

    Raises:
        InputError: pictures of one lens differ in size, or a lens cannot be undistorted.
    """
    _check_sizes(posed, sizes, root)
    bent = [
        None if view.lens.distortion is None else straight(view.lens, full, str(root))
        for view, full in zip(posed, sizes, strict=True)
    ]
    whole = [full if s is None else s.size for full, s in zip(sizes, bent, strict=True)]
    longest = max(max(one) for one in whole)
    factor = 1.0 if size is None else min(1.0, size / longest)
    _tell(posed, bent, sizes, whole)
    return [
        Place(view if s is None else replace(view, lens=s.pinhole), turn, full, s, scaled(one, factor))
        for view, turn, full, s, one in zip(posed, turns, sizes, bent, whole, strict=True)
    ]


def canvas_of(places: Sequence[Place]) -> Size:
    """(H, W) of the smallest canvas that takes all regions."""
    return max(place.size[0] for place in places), max(place.size[1] for place in places)


def check_room(count: int, canvas: Size, each: int, largest: Size, root: Path, available: int | None = None) -> None:
    """Refuse pictures that do not fit in memory, before any of them is read.

    Args:
        count: of the pictures.
        canvas: (H, W) of each.
        each: bytes that are kept of a pixel.
        largest: (H, W) of the largest picture, which is held whole while it is read.
        root: the dataset's folder, for the message.
        available: bytes; measured if None.

    Raises:
        MemoryLimitError: naming the size that would fit.
    """
    room = available_memory() if available is None else available
    kept, reading = each * count * math.prod(canvas), 40 * math.prod(largest)
    if room is None or kept + reading <= SPARE * room:
        return
    left = SPARE * room - reading
    side = int(max(canvas) * math.sqrt(max(0.0, left) / kept) * 0.95)
    remedy = f"read them smaller: --size {side // 8 * 8} fits" if side >= 16 else "use fewer views"
    raise MemoryLimitError(
        f"{root}: {count} pictures of {canvas[1]} x {canvas[0]} pixels take {(kept + reading) / 2**30:.1f} GiB, and"
        f" {room / 2**30:.1f} are free",
        remedy,
    )


def _check_sizes(posed: Sequence[PosedImage], sizes: Sequence[Size], root: Path) -> None:
    """Refuse pictures of different sizes for which one lens is told, without the size that it is of."""
    first: dict[Lens, int] = {}
    for i, (view, size) in enumerate(zip(posed, sizes, strict=True)):
        before = first.setdefault(view.lens, i)
        if view.lens.width is not None or size == sizes[before]:
            continue
        copy = Lens(width=sizes[before][1], height=sizes[before][0])
        if view.lens.fx is not None or view.lens.cx is not None or not fits(copy, size):
            raise InputError(
                f"{root}: the images differ in size, and one lens is told for them: {shown(posed[before].name)} is"
                f" {_wide(sizes[before])}, {shown(view.name)} is {_wide(size)}",
                "leave out what another camera took, or give each frame its own fl_x, w and h",
            )


def _tell(
    posed: Sequence[PosedImage], bent: Sequence[Straight | None], sizes: Sequence[Size], whole: Sequence[Size]
) -> None:
    """Say what is undistorted and what differs in size."""
    curved = [i for i, one in enumerate(bent) if one is not None]
    if curved:
        i = curved[0]
        log.warning(
            "%d of %d pictures are undistorted, such as %s (%s) from %s to %s pixels", len(curved), len(posed),
            shown(posed[i].name), posed[i].lens.distortion, _wide(sizes[i]), _wide(whole[i]),
        )  # fmt: skip
    kinds = Counter(whole)
    if len(kinds) > 1:
        told = ", ".join(f"{count} of {_wide(size)}" for size, count in kinds.most_common(3))
        log.warning("the pictures differ in size (%s): they are padded with unknown pixels", told)


def _wide(size: Size) -> str:
    return f"{size[1]} x {size[0]}"
