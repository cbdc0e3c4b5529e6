"""What a run from photographs reports: scores, files, pictures beside the photographs, and the lines of the summary."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear
from invrender.evaluate.mesh import measured
from invrender.evaluate.mesh_rows import against_rows
from invrender.evaluate.pictures import Comparison, mean_scores
from invrender.evaluate.posed_views import view_names
from invrender.findings import Finding
from invrender.io.images import write_png
from invrender.io.lights import write_lights
from invrender.io.meshes.write import write_glb, write_obj, write_ply
from invrender.io.view_dependent import write_view_dependent
from invrender.kernels import Backend
from invrender.methods.photometric import change
from invrender.methods.photometric.refined import write_refined
from invrender.methods.photometric.result import Result
from invrender.methods.photometric.task import Task
from invrender.photometry.highlights import GLOSSY
from invrender.run.folder import RunFolder

POOR = 0.85  # a mean IoU with photographs that were set aside below this is doubtful
MOST_PICTURES = 24
WORST = 3


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: agreement with photographs, seen and unseen, the state of the mesh."""
    texture = result.mesh.material.texture
    found: dict[str, Any] = {
        "views": len(task.views),
        "seen": dataclasses.asdict(result.seen.mean),
        "unseen": None if result.unseen is None else dataclasses.asdict(result.unseen.mean),
        "unseen_each": _each(task, result),
        "folds": dataclasses.asdict(mean_scores(result.folds)) if result.folds else None,
        "folds_each": [dataclasses.asdict(each) for each in result.folds],
        "stages": [dataclasses.asdict(each) for each in result.stages],
        "texture": None if texture is None else len(texture),
        "notes": list(result.notes),
        "cameras": None if result.change is None else result.change.of(view_names(task.views)),
        "gains": _gains(task, result),
        "highlights": result.highlights,
    }
    scores: dict[str, Any] = _finite(found)
    return scores | measured(result.surface, task.reference, backend, task.views.cameras)


def _finite(value: Any) -> Any:
    """A table with None for numbers that nothing could be compared for (NaN)."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _each(task: Task, result: Result) -> dict[str, dict[str, float]]:
    if task.unseen is None or result.unseen is None:
        return {}
    names = view_names(task.unseen)
    return {name: dataclasses.asdict(each) for name, each in zip(names, result.unseen.each, strict=True)}


def _gains(task: Task, result: Result) -> dict[str, list[float]] | None:
    if result.gains is None:
        return None
    return dict(zip(view_names(task.views), result.gains.tolist(), strict=True))


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the mesh with its texture, the closed mesh with colours, what is stored beside them, and the pictures."""
    write_glb(run.file("mesh.glb"), result.mesh, task.units)
    write_obj(run.file("mesh.obj"), result.mesh)
    write_ply(run.file("mesh.ply"), result.surface, task.units)
    if result.coefficients is not None:
        write_view_dependent(run.file("view_dependent.npz"), result.coefficients)
    if result.lights is not None:
        write_lights(run.file("lights.json"), result.lights)
    views, pictures = (task.views, result.seen) if result.unseen is None else (task.unseen, result.unseen)
    assert views is not None
    for i in _shown(pictures):
        linear: NDArray[np.float64] = srgb_to_linear(sheet(pictures, i))
        write_png(run.file(f"pictures/{named(view_names(views)[i])}"), linear)
    if result.refined is not None:
        write_refined(run, result.refined, result.refined_unseen)
    for each in result.stages:
        kept = "kept" if each.kept else "not kept"
        run.log(f"{each.name}: {each.before:.4f} -> {each.score:.4f}, {kept}")


def named(view: str) -> str:
    """The name of the file that shows a view."""
    return re.sub(r"[^\w.-]+", "_", view) + ".png"


def _shown(pictures: Comparison) -> list[int]:
    """The views whose pictures are written: all, or the worst of many."""
    order = sorted(range(len(pictures.each)), key=lambda i: _or_zero(pictures.each[i].psnr_whole))
    return sorted(order[:MOST_PICTURES])


def sheet(pictures: Comparison, view: int) -> NDArray[np.float64]:
    """Photograph, estimate and difference side by side, [H,3W,3] sRGB."""
    target, estimate = pictures.target[view], pictures.estimate[view]
    side_by_side: NDArray[np.float64] = np.concatenate([target, estimate, np.abs(target - estimate)], 1)
    return side_by_side


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    lines = [("photographs it was made from", _told(m["seen"]))]
    if m["unseen"]:
        each = m["unseen_each"]
        least = min(each, key=lambda name: _or_zero(each[name]["psnr_whole"]))
        lines.append(("photographs set aside", _told(m["unseen"])))
        lines.append(("  the worst of them", f"{least}: {_number(each[least]['psnr_whole'], 2)} dB whole"))
    if m["folds"]:
        lines.append((f"views unseen in {len(m['folds_each'])} reconstructions", _told(m["folds"])))
    if m["cameras"]:
        lines.append(("cameras", change.told(m["cameras"])))
    if m["gains"]:
        lines.append(("exposures", _stops(m["gains"])))
    lines += against_rows(m)
    sound = "watertight" if m["watertight"] else "NOT watertight"
    handles = "" if m["genus"] is None else f", genus {m['genus']:g}"
    texture = f", texture {m['texture']} x {m['texture']}" if m["texture"] else ""
    lines.append(("mesh", f"{m['faces']} triangles, {sound}{handles}{texture}"))
    return lines + [("note", note) for note in m["notes"]]


def _stops(gains: dict[str, list[float]]) -> str:
    """How far exposures are apart, in stops."""
    stops = {name: -math.log2(sum(each) / 3) for name, each in gains.items()}
    low, high = min(stops, key=stops.__getitem__), max(stops, key=stops.__getitem__)
    return f"{stops[low]:+.2f} stops ({low}) to {stops[high]:+.2f} ({high}), made equal"


def _told(scores: dict[str, float | None]) -> str:
    db = {name: _number(scores[f"psnr_{name}"], 2) for name in ("shared", "masked", "whole")}
    return (
        f"PSNR {db['shared']} dB shared, {db['masked']} masked, {db['whole']} whole;"
        f" SSIM {_number(scores['ssim'], 3)}; IoU {_number(scores['iou'], 3)}"
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def doubt(task: Task, m: dict[str, Any]) -> list[Finding]:
    """A shape that does not explain photographs that were set aside, cameras that moved much more than the rest, and
    highlights, which neither albedo nor light explains."""
    del task
    return [*_unexplained(m), *(change.finding(m["cameras"]) if m["cameras"] else []), *_glossy(m)]


def _glossy(m: dict[str, Any]) -> list[Finding]:
    if m["highlights"] is None or m["highlights"] < GLOSSY:
        return []
    return [
        Finding(
            f"{m['highlights']:.0%} of the surface shows highlights, which a lit result does not explain:"
            " shape and albedo may be wrong there",
            "use --appearance view-dependent",
        )
    ]


def _unexplained(m: dict[str, Any]) -> list[Finding]:
    scores = m["unseen"] or m["seen"]
    if scores["iou"] is None or scores["iou"] >= POOR:
        return []
    each = m["unseen_each"]
    worst = tuple(sorted(each, key=lambda name: _or_zero(each[name]["iou"]))[:WORST])
    shown = ", ".join(f"{name} ({_number(each[name]['iou'], 3)})" for name in worst)
    named = f", least in {shown}" if worst else ""
    return [
        Finding(
            f"the result does not explain the photographs: IoU {scores['iou']:.3f} with their masks{named}",
            "check cameras and masks with `invrender inspect DATASET --picture sheet.png`, or name a box (--bounds)",
            worst,
        )
    ]


def _or_zero(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0.0
