"""Runs that were made before, or that go on elsewhere: what they tell, from what lies in their folders."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invrender.errors import InvrenderError, UsageError
from invrender.io.assets import NETWORK, read
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import is_file
from invrender.kernels import Backend
from invrender.methods.names import METHODS, presets_of, settings_of
from invrender.methods.neural_renderer import settings as train
from invrender.nouns import Mesh, Scene, Volume
from invrender.report.story import Setting, Story
from invrender.run.place import CARD, CONFIG, METRICS, RECORD, REPORT, settle
from invrender.run.record import is_alive, read_record, state
from invrender.run.resolve import read_toml, resolve
from invrender.run.told import Told, settings_told, shown_setting, story_of, write_report

TRAIN = "neural-renderer"


def past_run(folder: Path, told: Told | None = None) -> Story | None:
    """What a run's folder tells, its status in words; None where it is no run's.

    Args:
        folder: of the run.
        told: what else is known of it; cameras and views compared are not kept in folders.
    """
    settle(folder)
    record = read_record(folder / RECORD)
    if record is None:
        return None
    given = read_toml(folder / CONFIG) if is_file(folder / CONFIG) else {}
    method = TRAIN if record.get("command") == "train" else str(given.get("method", ""))
    metrics = read_json_table(folder / METRICS, "metrics", "a new run") if is_file(folder / METRICS) else {}
    source = Path(str(given.get("input", folder)))
    story = story_of(folder, record, method, source, metrics, _settings(folder, method, given), told or Told())
    return dataclasses.replace(story, status=state(record))


def _settings(folder: Path, method: str, given: Mapping[str, Any]) -> Sequence[Setting]:
    """The settings beside their usual values; as they stand, where this version does not know all of them any more."""
    if method in METHODS or method == TRAIN:
        cls = train.SETTINGS if method == TRAIN else settings_of(method)
        presets = train.PRESETS if method == TRAIN else presets_of(method)
        try:
            return settings_told(resolve(cls, presets=presets, file=folder / CONFIG), presets)
        except InvrenderError:
            pass
    return [Setting(name, shown_setting(value)) for name, value in given.items() if name not in ("input", "method")]


def report_anew(folder: Path, backend: Backend) -> list[Path]:
    """Write report.html and report.png of a finished run from what lies in its folder; views are not compared again.

    Returns:
        The files.

    Raises:
        UsageError: it is no run, one that is going on, or one without a result; or the files cannot be written.
    """
    record = read_record(folder / RECORD)
    if record is None:
        raise UsageError(
            f"--report goes with a run, and {folder} is none", "name a run's folder, or leave --report out"
        )
    if is_alive(record):
        raise UsageError(f"the run in {folder} is going on", "wait: it writes its report itself")
    try:
        asset = None if is_file(folder / NETWORK) or not _has_asset(folder) else read(folder)
    except InvrenderError as error:
        raise UsageError(f"the result in {folder} cannot be read: {error.cause}", error.remedy) from error
    story = past_run(folder, Told(asset=asset if isinstance(asset, Mesh | Volume | Scene) else None, backend=backend))
    assert story is not None
    if not story.metrics:
        raise UsageError(f"the run in {folder} has measured nothing yet", "let it finish, or run it again")
    status = "" if story.status == "finished" else story.status
    write_report(dataclasses.replace(story, status=status), folder / REPORT, folder / CARD)
    text = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    text["files"] = list(dict.fromkeys([*record["files"], REPORT, CARD]))
    atomic_write_text(folder / RECORD, json.dumps(text, indent=2, ensure_ascii=False) + "\n")
    return [folder / REPORT, folder / CARD]


def _has_asset(folder: Path) -> bool:
    return any(is_file(folder / name) for name in ("mesh.glb", "mesh.ply", "volume.npz", "volume.vti"))
