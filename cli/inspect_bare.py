"""The part of `invrender inspect` that is about photographs without cameras: a folder of pictures, or a video."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from invrender.cli.inspect_rows import Rows
from invrender.cli.options import print_json

if TYPE_CHECKING:
    from invrender.poses.facts import PhotographFacts
    from invrender.poses.video import VideoFacts

NAMED = 5  # files that are no pictures


def inspect_bare(source: Path, as_json: bool) -> None:
    """Describe photographs without cameras, or a video, and name the commands that go on."""
    from invrender.poses.facts import PhotographFacts, bare_facts

    facts = bare_facts(source)
    kind = "photographs without cameras" if isinstance(facts, PhotographFacts) else "video"
    if as_json:
        print_json({"kind": kind, "path": source, **asdict(facts)})
        return
    rows = photograph_rows(facts) if isinstance(facts, PhotographFacts) else video_rows(facts)
    typer.echo(f"{source}  ({kind})")
    for label, text in rows:
        typer.echo(f"  {label:<14}  {text}")
    name = shlex.quote(str(source))
    typer.echo(f"reconstruct it: invrender reconstruct {name} -o {shlex.quote(f'outputs/{source.stem}')}")
    typer.echo(f"its cameras alone: invrender poses {name} -o {shlex.quote(f'outputs/{source.stem}.dataset')}")


def photograph_rows(facts: PhotographFacts) -> Rows:
    """What is in a folder of pictures."""
    from invrender.io.files.paths import shown

    few = "" if facts.enough else ", too few to find cameras from: 3 are the least, 20 to 80 are good"
    sizes = ", ".join(f"{count} of {size}" for size, count in facts.sizes[:3])
    more = f", and {len(facts.sizes) - 3} other sizes" if len(facts.sizes) > 3 else ""
    rows = [
        ("pictures", f"{facts.pictures}{few}"),
        ("image size", f"{sizes} pixels{more}"),
        ("focal length", f"known of {facts.focal} from Exif, sought for the others"),
        ("turned by Exif", f"{facts.turned}"),
        ("cameras", "none: structure from motion finds them"),
        ("masks", f"of {facts.masked}" if facts.masked else "none: found where the backdrop is plain"),
    ]
    names = list(facts.skipped.items())
    rows += [("left out", f"{shown(name)} ({why})") for name, why in names[:NAMED]]
    return rows + ([("left out", f"and {len(names) - NAMED} more files")] if len(names) > NAMED else [])


def video_rows(facts: VideoFacts) -> Rows:
    """What is in a video."""
    length = "" if facts.seconds is None else f", {facts.seconds:.1f} s"
    return [
        ("frames", f"{facts.frames}{length}; the sharpest are taken (--frames N)"),
        ("image size", f"{facts.width} x {facts.height} pixels"),
        ("cameras", "none: structure from motion finds them"),
    ]
