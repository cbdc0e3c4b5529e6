"""What a dry run shows: what was read, how the cameras stand, and what the run would take and write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.cli.options import console, output, print_json

if TYPE_CHECKING:
    from invrender.evaluate.ring import Ring
    from invrender.findings import Finding
    from invrender.run.execute import Destination
    from invrender.run.forecast import Forecast
    from invrender.run.method import Method
    from invrender.run.settings import RunSettings
    from invrender.run.speeds import Speeds
    from invrender.run.work import Work

Rows = list[tuple[str, str]]
LABEL = 14


@dataclass(frozen=True)
class Told:
    """What a dry run found out.

    Attributes:
        read: the task in a few words; `notices`: what else there is to know of it.
        ring: how the cameras stand; None where there are none.
        coverage: least, mean and greatest share of the pictures that masks cover; None without masks.
        found: what looks wrong.
        forecast: what the run would take.
        free: bytes of memory that this machine has free; None where it does not say.
        work, speeds: what the forecast was made of.
        remarks: on settings that were chosen for this machine, by their name.
    """

    read: str
    notices: tuple[str, ...]
    ring: Ring | None
    coverage: tuple[float, float, float] | None
    found: Sequence[Finding]
    forecast: Forecast
    free: int | None
    work: Work
    speeds: Speeds
    remarks: Mapping[str, str]


def dry_run(method: Method, settings: RunSettings, destination: Destination, as_json: bool = False) -> None:
    """Check everything, tell what the run would take, print the settings as TOML, and write nothing."""
    from invrender.run.place import check_output
    from invrender.run.resolve import to_toml

    check_output(destination.folder, destination.overwrite)
    told = look(method, settings)
    for finding in told.found:
        console.print(f"warning: {finding}", markup=False)
    scarce = too_much(told)
    if scarce:
        console.print(f"warning: {scarce}", markup=False)
    if as_json:
        print_json(table(told, settings, destination.folder))
        return
    lines = [f"{label:<{LABEL}}{text}" for label, text in rows(told)]
    lines.append(f"would write {destination.folder}: {', '.join(shortened(told.forecast.files))}")
    text = to_toml(as_used(settings), "\n".join(lines), told.remarks)
    output.print(text, end="", markup=False, soft_wrap=True)


def as_used(settings: RunSettings) -> RunSettings:
    """The settings with what is known of what is not set."""
    from invrender.run.execute import is_asset
    from invrender.run.settings import settled

    return settled(settings, is_asset(settings.input))


def look(method: Method, settings: RunSettings) -> Told:
    """Read and check the input, and forecast the run.

    Raises:
        InvrenderError: as the run itself would.
    """
    from dataclasses import replace

    from invrender.backends import select
    from invrender.evaluate.ring import coverage_of, ring_of
    from invrender.io.files.memory import available_memory
    from invrender.run.execute import load, remarks
    from invrender.run.forecast import forecast, parts_of
    from invrender.run.memory import peak
    from invrender.run.speeds import calibrate

    backend = select(settings.backend, settings.device, method.needs)
    free, bare = available_memory(), calibrate(backend, ())
    task, found = load(method, settings, backend)
    work = method.work(task, settings)
    speeds = replace(calibrate(backend, parts_of(work)), process=bare.process)
    likely = forecast(method, task, settings, backend, speeds)
    likely = replace(likely, memory=max(likely.memory, peak()))  # reading may have taken more than the run will
    views = method.views(task)
    return Told(
        method.describe(task), tuple(method.notices(task)), None if views is None else ring_of(views.cameras),
        None if views is None else coverage_of(views), tuple(found), likely,
        None if free is None else free + bare.process, work, speeds, remarks(settings, backend),
    )  # fmt: skip


def rows(told: Told) -> Rows:
    """The lines for people."""
    lines = [("read", told.read), *(("note", notice) for notice in told.notices)]
    lines += ring_rows(told.ring) if told.ring else []
    if told.coverage is not None:
        least, mean, most = told.coverage
        lines.append(("mask coverage", f"{least:.1%} to {most:.1%}, mean {mean:.1%}"))
    free = "" if told.free is None else f" of {size(told.free)} free"
    lines.append(("memory", f"about {size(told.forecast.memory)} at the peak{free}"))
    lines.append(("time", took(told.forecast.seconds)))
    if told.forecast.unknown and not math.isnan(told.forecast.seconds):
        kinds = ", ".join(kind.split(".")[1] for kind in told.forecast.unknown)
        lines.append(("note", f"it takes longer than that: what some of its work costs was not measured ({kinds})"))
    if not told.speeds.measured:
        lines.append(("note", "measured on the CPU backend only: expect memory and time to be off"))
    return lines


def ring_rows(ring: Ring) -> Rows:
    """How cameras stand, for people."""
    from invrender.cli.inspect_rows import lens_rows, span

    around = f"azimuth {ring.azimuth:.0f} degrees, widest gap {ring.gap:.0f}"
    return [
        ("cameras", f"{ring.views}, {span(ring.distance)} away, elevation {span(ring.elevation, 3)}, {around}"),
        *lens_rows(ring.fov_x, ring.fov_y, ring.span_x, ring.span_y),
    ]


def shortened(files: Sequence[str]) -> list[str]:
    """Names of files, those of a folder as one."""
    found = [name if "/" not in name else f"{name.partition('/')[0]}/" for name in files]
    return list(dict.fromkeys(found))


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 2**30:.2g} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def took(seconds: float) -> str:
    """A time for people, which is known to a factor of two."""
    if math.isnan(seconds):
        return "unknown: this method does not tell its work"
    if seconds < 90:
        return f"about {max(seconds, 1):.0f} s, within a factor of two"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min, within a factor of two"
    return f"about {seconds / 3600:.1f} h, within a factor of two"


def too_much(told: Told) -> str | None:
    """What is to be said where the run will not fit."""
    from invrender.io.files.memory import SPARE

    if told.free is None or told.forecast.memory <= SPARE * told.free:
        return None
    return (
        f"the run takes about {size(told.forecast.memory)}, and {size(told.free)} are free; "
        "use fewer --views or a smaller --size"
    )


def table(told: Told, settings: RunSettings, folder: Path) -> dict[str, Any]:
    """The same for machines."""
    from invrender.run.resolve import to_toml

    ring = None if told.ring is None else asdict(told.ring)
    seconds = None if math.isnan(told.forecast.seconds) else told.forecast.seconds
    return {
        "output": folder, "read": told.read, "notices": list(told.notices), "cameras": ring,
        "mask_coverage": told.coverage, "findings": list(told.found), "memory": told.forecast.memory,
        "memory_free": told.free, "seconds": seconds, "costs_unknown": list(told.forecast.unknown),
        "work": asdict(told.work), "speeds": asdict(told.speeds),
        "files": list(told.forecast.files), "config": to_toml(as_used(settings)),
    }  # fmt: skip
