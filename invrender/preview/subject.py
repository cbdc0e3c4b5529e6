"""What a preview shows: a mesh, a volume as cloud and isosurface, or a run's result beside its target with figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.assets import MESH_RESULTS, VOLUME_RESULTS
from invrender.io.files.paths import existing_file
from invrender.io.volumes.paths import is_volume_path
from invrender.run.outcome import found_transfer
from invrender.run.place import CONFIG, METRICS, RECORD
from invrender.run.record import read_record, state

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RESULTS = (*MESH_RESULTS, *VOLUME_RESULTS)
ASSETS = (
    ".obj",
    ".glb",
    ".gltf",
    ".ply",
    ".stl",
    ".npz",
    ".npy",
    ".vti",
    ".nrrd",
    ".nii",
    ".gz",
    ".mha",
    ".mhd",
    ".vdb",
)
FIGURES = {
    "iou": "silhouette IoU",
    "chamfer": "Chamfer",
    "f1": "F at 1 %",
    "watertight": "watertight",
    "genus": "genus",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "heldout_psnr": "PSNR of unseen views",
}

Panels = tuple[tuple[str, str], ...]


def describe(source: Path) -> tuple[Panels, tuple[str, ...]]:
    """The panels (title, file) and the lines of text for a mesh, a volume or a run folder.

    Raises:
        InputError: there is nothing to look at.
    """
    if not source.is_dir():
        file = str(existing_file(source, "volume" if is_volume_path(source) else "mesh"))
        panels: Panels = (("density", file), ("isosurface", file)) if is_volume_path(source) else (("", file),)
        return panels, (source.name,)
    transfer = found_transfer(source)
    if transfer is not None:
        volume = existing_file(Path(transfer["volume"]), "volume")
        notes = _notes(source, read_record(source / RECORD) or {}, _read(source / CONFIG))
        return (("density", str(volume)), ("isosurface", str(volume))), notes
    record = read_record(source / RECORD)
    if record is None:
        raise InputError(f"{source} is no run folder", "name a folder that holds a run.json, a mesh or a volume")
    result = next(source / name for name in RESULTS if (source / name).is_file())
    settings = _read(source / CONFIG)
    target = _target(settings)
    panels = (("", str(result)),) if target is None else (("target", str(target)), ("result", str(result)))
    return panels, _notes(source, record, settings)


def isosurfaces(panels: Panels) -> tuple[int, ...]:
    """Which of the panels show a volume's isosurface."""
    return tuple(i for i, (title, path) in enumerate(panels) if title == "isosurface" and is_volume_path(path))


def own_transfer(source: Path) -> str:
    """The run folder that holds the transfer function to show its volume with; empty for all else."""
    return str(source) if source.is_dir() and found_transfer(source) is not None else ""


def alone(panels: Panels) -> Panels:
    """The panels of a window: a volume file is shown once, beside the editor of its transfer function."""
    if [title for title, _ in panels] == ["density", "isosurface"] and panels[0][1] == panels[1][1]:
        return (("", panels[0][1]),)
    return panels


def check_picture(path: Path, extensions: Sequence[str], overwrite: bool) -> None:
    """Refuse an output of the wrong kind (UsageError) or one that is there already (OutputExistsError)."""
    if path.suffix.lower() not in extensions:
        raise UsageError(
            f"{path.name} cannot be written: its name should end in {' or '.join(extensions)}",
            f"write {path.with_suffix(extensions[0])}",
        )
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists", "pass --overwrite to replace it, or choose another name")


def _target(settings: Mapping[str, Any]) -> Path | None:
    """The asset that the run took its views from, where it still lies there."""
    source = settings.get("input")
    path = Path(source) if isinstance(source, str) else None
    return path if path is not None and path.suffix.lower() in ASSETS and path.is_file() else None


def _notes(folder: Path, record: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, ...]:
    lines = [f"{folder.name}: {state(record)}"]
    metrics = _read(folder / METRICS)
    if isinstance(settings.get("input"), str):
        count = metrics.get("views", settings.get("views"))
        views = f", {count} views" if isinstance(count, int) else ""
        lines.append(f"from {Path(settings['input']).name}{views}")
    figures = [f"{title} {_figure(metrics[key])}" for key, title in FIGURES.items() if key in metrics]
    half = (len(figures) + 1) // 2  # two lines, so that they fit beside another panel
    return (*lines, *(", ".join(part) for part in (figures[:half], figures[half:]) if part))


def _figure(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _read(path: Path) -> dict[str, Any]:
    """A TOML or JSON file of the run as a table; empty where the run has not written it."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}", "run the reconstruction again") from error
    return table if isinstance(table, dict) else {}
