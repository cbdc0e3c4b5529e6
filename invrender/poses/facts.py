"""What is in a folder of photographs without cameras, or in a video: the facts that `invrender inspect` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from invrender.poses.photographs import FEWEST, Found, find_photographs, is_video
from invrender.poses.video import VideoFacts, video_facts

Count = tuple[str, int]


@dataclass(frozen=True)
class PhotographFacts:
    """Facts about photographs in a folder.

    Attributes:
        pictures: how many can be read.
        enough: whether cameras can be found from so many.
        sizes: as viewers show them, such as '4032 x 3024', and how many have each, the most frequent first.
        focal: how many tell their focal length in Exif.
        turned: how many are turned by Exif's orientation.
        masked: how many have a mask in masks/.
        skipped: names of the other files, with reasons.
    """

    pictures: int
    enough: bool
    sizes: tuple[Count, ...]
    focal: int
    turned: int
    masked: int
    skipped: dict[str, str]


def bare_facts(source: Path) -> PhotographFacts | VideoFacts:
    """Measure a folder of photographs, or a video.

    Raises:
        InputError: there is no picture in the folder, or the video cannot be decoded.
        BackendError: cv2 for a video is not installed.
    """
    return video_facts(source) if is_video(source) else _facts_of(find_photographs(source))


def _facts_of(found: Found) -> PhotographFacts:
    photographs = found.photographs
    sizes = Counter(f"{photo.size[1]} x {photo.size[0]}" for photo in photographs)
    return PhotographFacts(
        pictures=len(photographs),
        enough=len(photographs) >= FEWEST,
        sizes=tuple(sizes.most_common()),
        focal=sum(photo.focal is not None for photo in photographs),
        turned=sum(photo.orientation != 1 for photo in photographs),
        masked=sum(photo.mask is not None for photo in photographs),
        skipped=found.skipped,
    )
