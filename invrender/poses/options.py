"""What a search for cameras may be told, checked before any work begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

from invrender.errors import UsageError

SHARING = ("auto", "one", "each", "folder")
MATCHING = ("auto", "exhaustive", "sequential", "similar")


@dataclass(frozen=True)
class PoseOptions:
    """How cameras are found.

    Attributes:
        camera: which pictures share a lens: 'one' all of them, 'each' none, 'folder' those of a folder; 'auto' those of
            one size and one focal length in their Exif.
        focal: of all pictures as a first guess, in pixels; None: from Exif, else 1.2 times the longer side.
        fov: the same as the angle of view across the picture's width, in degrees.
        matching: which pairs are compared: 'exhaustive' all, 'sequential' neighbours in the order of names and those
            that look alike, 'similar' those that look alike; 'auto' all of up to 120, else one of the others.
        frames: how many pictures are taken from a video.
        seed: of everything random.
        scale: metres per unit of the dataset that would be made without it (its object is one unit long), or None.
        scale_by: two pictures and the distance in metres between their cameras, or None.

    Raises:
        UsageError: a value is out of range, or two contradict each other.
    """

    camera: str = "auto"
    focal: float | None = None
    fov: float | None = None
    matching: str = "auto"
    frames: int = 80
    seed: int = 0
    scale: float | None = None
    scale_by: tuple[str, str, float] | None = None

    def __post_init__(self) -> None:
        _check_choice("--camera", self.camera, SHARING)
        _check_choice("--matching", self.matching, MATCHING)
        _check_positive("--focal", self.focal)
        _check_positive("--scale", self.scale)
        if self.fov is not None and not 1 <= self.fov <= 170:
            raise UsageError(f"--fov is {self.fov:g}", "give degrees from 1 to 170, across the width of the picture")
        if self.focal is not None and self.fov is not None:
            raise UsageError("--focal and --fov say the same thing", "give one of them")
        if self.scale is not None and self.scale_by is not None:
            raise UsageError("--scale and --scale-by say the same thing", "give one of them")
        if self.frames < 3:
            raise UsageError(f"--frames is {self.frames}", "take at least 3 pictures from a video; 80 are usual")

    def focal_of(self, width: int) -> float | None:
        """The focal length in pixels that was given for pictures of this width, or None."""
        return width / 2 / math.tan(math.radians(self.fov) / 2) if self.fov is not None else self.focal


def parse_scale_by(text: str) -> tuple[str, str, float]:
    """`NAME1,NAME2,METRES` as a tuple.

    Raises:
        UsageError: it is something else.
    """
    remedy = "write two pictures and the distance of their cameras in metres: --scale-by first.jpg,last.jpg,1.25"
    names, _, length = text.rpartition(",")
    first, _, second = names.partition(",")
    try:
        metres = float(length)
    except ValueError as error:
        raise UsageError(f"--scale-by is {text!r}", remedy) from error
    if not first.strip() or not second.strip() or not 0 < metres < math.inf:
        raise UsageError(f"--scale-by is {text!r}", remedy)
    return first.strip(), second.strip(), metres


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name} is {value!r}", f"choose one of {', '.join(choices)}")


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"{name} is {value:g}", f"give {name} a number above 0")
