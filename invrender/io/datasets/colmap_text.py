"""COLMAP's images.txt and cameras.txt: lines of numbers that people edit, strip and write by scripts.

Each image takes two lines (colmap.github.io/format.html): its pose, IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, and
its points, X Y POINT3D_ID ... The second may be empty, and in files from elsewhere it is absent or stands behind more
blank lines. So lines are told apart by what is in them, not by their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from invrender.errors import InputError
from invrender.io.files.paths import shown

_POSE = "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME"
_AGAIN = "export the model from COLMAP again"


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Every line that is neither blank nor a comment, and where it stands, for messages.

    Raises:
        InputError: the file is no text in UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not text in UTF-8", _AGAIN) from error
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        content = line.strip()
        if content and not content.startswith("#"):
            yield f"{shown(path)}, line {number}", content


def camera_lines(path: Path) -> Iterator[tuple[str, int, str, int, int, list[float]]]:
    """(where, CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS) of each camera.

    Raises:
        InputError: a line is none of these.
    """
    for where, line in lines_of(path):
        parts = line.split()
        try:
            number, name, width, height = int(parts[0]), parts[1], int(parts[2]), int(parts[3])
            yield where, number, name, width, height, [float(part) for part in parts[4:]]
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{where} is no camera: {shown(line)}", "write CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]"
            ) from error


def pose_lines(path: Path) -> Iterator[tuple[str, list[float], int, str]]:
    """(where, [QW QX QY QZ TX TY TZ], CAMERA_ID, NAME) of each image.

    Raises:
        InputError: a line is neither a pose nor the points of the pose before it.
    """
    points_may_follow = False
    for where, line in lines_of(path):
        if points_may_follow and _is_points(line):
            points_may_follow = False
            continue
        parts = line.split(maxsplit=9)
        try:
            int(parts[0])
            pose, camera, name = [float(part) for part in parts[1:8]], int(parts[8]), parts[9]
        except (ValueError, IndexError) as error:
            kind = "neither a pose nor the points of one" if points_may_follow else "no pose"
            raise InputError(
                f"{where} is {kind}: {shown(line)}", f"write {_POSE}, and points as X Y POINT3D_ID"
            ) from error
        points_may_follow = True
        yield where, pose, camera, name


def told_count(path: Path) -> int | None:
    """How many images the comment at the top of images.txt announces, where COLMAP wrote one."""
    found = re.search(r"^#\s*Number of images:\s*(\d{1,9})\b", path.read_text(encoding="utf-8-sig"), re.MULTILINE)
    return int(found[1]) if found else None


def _is_points(line: str) -> bool:
    """Whether a line is triples of two numbers and a whole one."""
    parts = line.split()
    return len(parts) % 3 == 0 and all(_is_number(x) for x in parts) and all(_is_whole(x) for x in parts[2::3])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
