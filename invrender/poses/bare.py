"""Bare photographs where a dataset is expected: their cameras are found once, and kept beside the result."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from invrender.errors import InvrenderError
from invrender.io.datasets.dataset import is_dataset
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import is_file, shown
from invrender.poses.dataset import REPORT
from invrender.poses.find import Poses, find_poses
from invrender.poses.options import PoseOptions
from invrender.poses.photographs import find_photographs, is_video
from invrender.poses.structure import Say


def dataset_beside(result: Path) -> Path:
    """Where the dataset of bare photographs goes: beside the run's folder, under its name."""
    return result.with_name(f"{result.name}.dataset")


def posed(source: Path, result: Path, options: PoseOptions, *, again: bool, say: Say) -> tuple[Path, Poses | None]:
    """The dataset of bare photographs, and what was found; None where it had been found before.

    Args:
        source: a folder of pictures, or a video.
        result: the folder of the run that is to come.
        options: how to find cameras.
        again: find them anew, whatever there is.
        say: takes lines for people.

    Raises:
        InvrenderError: whatever `find_poses` raises.
    """
    place = dataset_beside(result)
    if not again and _is_of(place, source, options):
        say(f"going on with the cameras in {shown(place)} (--fresh finds them anew)")
        return place, None
    return place, find_poses(source, place, options, overwrite=is_file(place / REPORT), say=say)


def _is_of(place: Path, source: Path, options: PoseOptions) -> bool:
    """Whether a dataset was made from these photographs in this way: the same names, none of them newer."""
    record_file = place / REPORT
    if not is_dataset(place) or not is_file(record_file):
        return False
    try:
        record = read_json_table(record_file, "pose", "{...}")
        found = None if is_video(source) else find_photographs(source)
    except InvrenderError:
        return False
    files = [source] if found is None else [photo.path for photo in found.photographs]
    newest = max(path.stat().st_mtime for path in files)
    same = found is None or {*record["placed"], *record["unplaced"]} == {photo.name for photo in found.photographs}
    return same and record.get("options") == asdict(options) and newest <= record_file.stat().st_mtime
