"""What was measured of a mesh against its reference, as lines for people: in summaries of runs and in `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Rows = list[tuple[str, str]]


def against_rows(m: Mapping[str, Any]) -> Rows:
    """The lines that a run's summary has of its distance from the asset; none where there is no such.

    Args:
        m: the fields of `MeshMetrics` by name.
    """
    if "chamfer" not in m:
        return []
    lines = [
        ("with the asset, from new directions", f"IoU {m['iou']:.4f}"),
        ("distance to the asset (Chamfer)", _parts(m, "chamfer", lambda value: f"{100 * value:.3f} %")),
        ("share within 1 %, 0.5 % (F-score)", f"{m['f1']:.3f}, {m['f05']:.3f}{_seen(m)}"),
    ]
    hidden = hidden_from_views(m)
    return lines + ([("of the asset's surface", hidden)] if hidden else [])


def hidden_from_views(m: Mapping[str, Any]) -> str:
    """How much of a reference's surface no view and no silhouette can tell of; empty where that is not known."""
    said = []
    if _some(m.get("out_of_sight")):
        said.append(f"{_percent(m['out_of_sight'])} is seen by no input view")
    if _some(m.get("hollow")):
        said.append(f"{_percent(m['hollow'])} lies in hollows that no silhouette shows")
    return ", ".join(said)


def _parts(m: Mapping[str, Any], key: str, told: Callable[[float], str]) -> str:
    if m[key] is None:
        return "- (no surface)"
    others = [
        f"{name} {told(m[f'{key}_{part}'])}"
        for part, name in (("seen", "as seen by the input's views"), ("outlined", "outside hollows"))
        if m.get(f"{key}_{part}") is not None
    ]
    return told(m[key]) + (f" ({', '.join(others)})" if others else "")


def _seen(m: Mapping[str, Any]) -> str:
    if m.get("f1_seen") is None:
        return ""
    return f" (as seen by the input's views {m['f1_seen']:.3f}, {m['f05_seen']:.3f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _some(share: float | None) -> bool:
    """Whether a share is known, and shows in a number of one digit after the point."""
    return share is not None and share >= 0.0005
