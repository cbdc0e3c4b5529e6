"""What a run from silhouettes reports: metrics, files and the lines of the summary."""

from __future__ import annotations

from statistics import median
from typing import Any

from invrender.findings import Finding
from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import Result
from invrender.methods.silhouette.task import Task
from invrender.run.folder import RunFolder

POOR = 0.9  # a median IoU with the masks below this is doubtful,
FAR_BELOW = 0.88  # and so is that of a single view below this share of the median
WORST = 3  # views named


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: the fit to the input, the state of the mesh, and the distance from the reference."""
    from invrender.evaluate.mesh import measured
    from invrender.evaluate.posed_views import view_names

    choice = result.choice
    metrics: dict[str, Any] = {
        "result": result.method,
        "views": len(task.views.cameras),
        "views_iou": result.iou,
        "views_iou_each": dict(zip(view_names(task.views), result.ious, strict=True)),
        "views_iou_of_hull": result.hull_iou,
        "smoothness": result.strength,
        "held_out_iou": choice.scores[choice.strength] if choice else None,
        "held_out_iou_of_hull": choice.hull_score if choice else None,
        "repair": result.repaired,
        "reduced": result.reduced,
    }
    return metrics | measured(result.mesh, task.reference, backend, task.views.cameras)


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the mesh, and how it came about into the log."""
    from invrender.io.meshes.write import write_glb, write_ply

    write_glb(run.file("mesh.glb"), result.mesh, task.units)
    write_ply(run.file("mesh.ply"), result.mesh, task.units)
    if result.choice is not None:
        run.log(f"held-out IoU: {result.choice.scores}, of the hull {result.choice.hull_score}")
    run.log(f"result: {result.method}, smoothness {result.strength:g}, repair {result.repaired}")


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    from invrender.evaluate.mesh_rows import against_rows

    each = m["views_iou_each"]
    least = min(each, key=lambda name: each[name])
    lines = [("agreement with the input's masks", f"IoU {m['views_iou']:.4f} (least {each[least]:.4f}: {least})")]
    if m.get("held_out_iou") is not None:
        lines.append(
            ("with masks left out", f"IoU {m['held_out_iou']:.4f} (visual hull alone {m['held_out_iou_of_hull']:.4f})")
        )
    lines += against_rows(m)
    sound = "watertight" if m["watertight"] else "NOT watertight"
    handles = "" if m["genus"] is None else f", genus {m['genus']:g}"
    lines.append(("mesh", f"{m['faces']} triangles, {sound}{handles}, {m['self_intersections']} self-intersections"))
    return lines + [("note", note) for note in _notes(m)]


def doubt(task: Task, m: dict[str, Any]) -> list[Finding]:
    """Masks that the result does not explain: half of them, or single views far worse than the rest."""
    del task
    each: dict[str, float] = m["views_iou_each"]
    usual = median(each.values())
    order = sorted(each, key=lambda name: each[name])
    bad = tuple(name for name in order if each[name] < FAR_BELOW * usual)
    if usual >= POOR and not bad:
        return []
    worst = bad if usual >= POOR else tuple(order[:WORST])
    shown = ", ".join(f"{name} ({each[name]:.3f})" for name in worst[:WORST])
    return [
        Finding(
            f"the result does not explain all masks: IoU {usual:.3f} in the median, and least in {shown}",
            "check their poses, images and masks with `invrender inspect DATASET --picture sheet.png`, or give more"
            " --iterations",
            worst,
        )
    ]


def _notes(m: dict[str, Any]) -> list[str]:
    notes = []
    if m["result"] == "hull":
        notes.append("the visual hull was kept: refinement did not predict unseen views better")
    if m["repair"] == "grid":
        notes.append("self-intersections forced the mesh to be extracted anew: details and topology may have suffered")
    if not m["reduced"]:
        notes.append(f"{m['faces']} triangles are the fewest without tearing or crossing the surface")
    return notes
