"""What `invrender inspect` says and draws of a scan file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.cli.inspect_rows import show
from invrender.cli.options import console

if TYPE_CHECKING:
    from invrender.evaluate.scan_facts import ScanFacts


def inspect_scan(path: Path, picture: Path | None, strict: bool, as_json: bool) -> None:
    """Read a scan and its frames, tell its facts, what looks wrong, and draw it."""
    from invrender.errors import InputError, UsageError
    from invrender.evaluate.scan_facts import scan_facts
    from invrender.evaluate.scan_findings import check_scan
    from invrender.findings import refuse
    from invrender.io.scans import read_scan

    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture is {picture}", "name a .png file")
    scan = read_scan(path)
    facts = scan_facts(scan)
    if picture is not None:
        _draw(scan, picture)
    findings: tuple[Any, ...] = ()
    try:
        findings = check_scan(facts)
    finally:  # what it holds helps to understand why it is refused
        table = {"kind": "scan", "path": str(path), **asdict(facts), "findings": list(findings)}
        table |= {"picture": None if picture is None else str(picture)}
        show(table, [*scan_rows(facts), *([("picture", str(picture))] if picture else [])], as_json)
    for finding in findings:
        console.print(f"warning: {finding}", markup=False)
    if strict:
        refuse(findings, InputError)


def _draw(scan: Any, picture: Path) -> None:
    from PIL import Image

    from invrender.evaluate.scan_picture import scan_picture
    from invrender.io.files.atomic import atomic_path

    with atomic_path(picture) as temporary:
        Image.fromarray(scan_picture(scan)).save(temporary, format="PNG")


def scan_rows(facts: ScanFacts) -> list[tuple[str, str]]:
    """The facts of a scan as lines for people."""
    unit = facts.unit
    missing = f"; {facts.missing:.4g} of directions are missing" if facts.missing else ""
    opening = (
        "" if facts.beam == "parallel" else f", opening by {facts.opening[0]:.4g} x {facts.opening[1]:.4g} degrees"
    )
    fields = f"{facts.flats or 'no'} flat, {'one' if facts.dark else 'no'} dark (averages)"
    bad = [
        f"{share:.3%} {what}" for share, what in ((facts.saturated, "saturated"), (facts.negative, "negative")) if share
    ]
    return [
        ("projections", f"{facts.projections} of {facts.columns} x {facts.rows} pixels"),
        ("beam", f"{facts.beam}{opening}"),
        ("angles", f"{facts.turned:.5g} degrees in steps of {facts.step:.4g}{missing}"),
        ("magnification", f"{facts.magnification:.5g}"),
        ("pixel at the axis", f"{facts.voxel:.5g} {unit}"),
        ("field of view", f"{facts.seen_across:.5g} {unit} across, {facts.seen_along:.5g} {unit} along the axis"),
        ("values", f"{facts.values}, {facts.least:.5g} to {facts.greatest:.5g}"),
        ("fields", fields if facts.values == "counts" else "none needed"),
        ("air", "unknown before it is prepared" if facts.air is None else f"{facts.air:.4g} of the open beam"),
        ("bad pixels", ", ".join(bad) or "none saturated, none negative"),
    ]
