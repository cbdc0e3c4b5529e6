"""The part of report.html about a single job: what looked wrong, all metrics, its settings and its files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from invrender.batch.collection.links import link
from invrender.batch.collection.results import Row
from invrender.batch.collection.thumbnails import Thumbnail
from invrender.batch.folder import EVENTS, JOB, OUTPUT
from invrender.report.curves import Curve
from invrender.report.measures import is_number, shown
from invrender.report.plots import losses
from invrender.run.place import CONFIG, LOG, LOSSES, METRICS, RECORD

FILES = (
    "progress.gif", "turntable.gif", "pictures", "pictures.png", "curves.png", "corner.png", "target.png",
    "estimate.png", "difference.png", "mesh.glb", "mesh.obj", "mesh.ply", "volume.npz", "volume.vti", "field.npz",
    "transfer.json", "scene.toml", "parameters.csv", "samples.npz", "network.safetensors", METRICS, LOSSES, CONFIG, LOG,
    OUTPUT, EVENTS, RECORD, JOB,
)  # fmt: skip
"""What a job's folder may hold, in the order in which it is linked to."""


def details(
    row: Row, number: int, differing: Sequence[str], curve: Curve, picture: Thumbnail | None, base: Path
) -> str:
    """The part of a job, folded up.

    Args:
        row: of the job; `number`: its place, by which the page links to it.
        differing: the settings to print strongly.
        curve: of its losses.
        picture: whose trouble is told.
        base: the folder of the page.
    """
    standing = row.standing
    said = [standing.state, f"exit code {standing.exit_code}" if standing.exit_code else ""]
    parts = [_wrong(row, curve, picture)]
    plot = losses(curve)
    settings = {name: row.setting(name) for name in dict.fromkeys((*differing, *row.given))}
    metrics = _facts("Metrics", {name: shown(value) for name, value in row.metrics.items()}, ())
    given = _facts("Settings", {name: shown(v) for name, v in settings.items() if v is not None}, differing)
    parts.append(f'<div class="side"><div>{plot}{given}</div>{metrics}{_facts("Run", _run(row), ())}</div>')
    files = [link(row.folder / name, base, name) for name in FILES if (row.folder / name).exists()]
    if files:
        parts.append(f'<p class="links">{link(row.folder, base, "folder")} {" ".join(files)}</p>')
    head = f"{escape(row.name)} <small>{escape(', '.join(filter(None, said)))}</small>"
    return f'<details id="job-{number}"><summary>{head}</summary>{"".join(parts)}</details>'


def _wrong(row: Row, curve: Curve, picture: Thumbnail | None) -> str:
    """The cause of a failure and its remedy, warnings, and files that cannot be read."""
    lines = [row.standing.cause, f"try: {row.standing.remedy}" if row.standing.remedy else ""]
    lines += [f"warning: {text}" for text in row.warnings]
    lines += [*row.troubles, curve.trouble, picture.trouble if picture else ""]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines if line)
    return f"<ul>{items}</ul>" if items else ""


def _run(row: Row) -> dict[str, str]:
    """When, where and how long it ran."""
    standing, record = row.standing, row.record
    host = " ".join(filter(None, (standing.engine, standing.host)))
    told = {
        "attempts": str(standing.attempts),
        "started": standing.started,
        "ended": standing.ended,
        "seconds": f"{standing.seconds:.1f}" if standing.seconds else "",
        "processor seconds": f"{standing.processor:.1f}" if standing.processor else "",
        "ran on": host,
        "backend": str(record.get("backend") or ""),
        "device": str(record.get("device") or ""),
        "seed": "" if record.get("seed") is None else str(record["seed"]),
    }
    timings = record.get("timings")
    if isinstance(timings, dict):
        told |= {
            f"  {name}": f"{seconds:.1f} s"
            for name, seconds in timings.items()
            if is_number(seconds) and seconds >= 0.05
        }
    return {name: text for name, text in told.items() if text}


def _facts(title: str, facts: dict[str, str], strong: Sequence[str]) -> str:
    if not facts:
        return ""
    lines = "".join(
        f"<tr{' class=differs' if name in strong else ''}><th>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in facts.items()
    )
    return f'<table class="facts"><caption>{escape(title)}</caption><tbody>{lines}</tbody></table>'
