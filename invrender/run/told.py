"""What a run tells of itself, gathered from its folder and from what is still in memory, and written as its report."""

from __future__ import annotations

import dataclasses
import shlex
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.evaluate.posed_views import view_names
from invrender.findings import Finding
from invrender.io.files.atomic import atomic_path, atomic_write_text
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh, Scene, Views
from invrender.render import studio
from invrender.render.baked import Baking
from invrender.report.cameras import first_look
from invrender.report.card import report_card
from invrender.report.compared import Compared, Picture
from invrender.report.html import report_page
from invrender.report.media import Filmed
from invrender.report.story import Posed, Setting, Story
from invrender.run.folder import PASSING, RunFolder
from invrender.run.memory import give_back
from invrender.run.mesh_views import forget
from invrender.run.method import Method, Metrics
from invrender.run.place import CARD, CONFIG, LOG, REPORT
from invrender.run.settings import RunSettings
from invrender.run.turntable import CLAY

MOST_COMPARED = 6
SIDE, FOV = 560, 30.0  # of the picture of a mesh
PAPER = (0.855, 0.871, 0.905)  # linear, the report's own ground
RAYS = 8  # of its ambient occlusion, from each corner: corners are many, and neighbours are averaged
NOT_SETTINGS = ("input", "method")


@dataclass(frozen=True)
class Told:
    """What only a run in memory knows: the input's views, the result, its worst views, what draws it, and the film."""

    views: Views | None = None
    asset: Any = None
    compared: Sequence[Compared] = ()
    backend: Backend | None = None
    film: Filmed | None = None


def story_of(
    folder: Path, record: Mapping[str, Any], method: str, source: Path, metrics: Mapping[str, Any],
    settings: Sequence[Setting], told: Told,
) -> Story:  # fmt: skip
    """The story of a run.

    Args:
        folder: where its files lie.
        record: the content of run.json.
        method: as the program calls it.
        source: the run's input.
        metrics: what was measured.
        settings: see `settings_told`.
        told: the rest.
    """
    status = str(record.get("status", ""))
    posed = _posed(told)
    argv = [str(word) for word in record.get("argv") or ()]
    again = [str(record.get("command", "")), "--config", CONFIG, "-o", "DIR"]
    return Story(
        folder=folder,
        title=source.stem or source.name or folder.name,
        source=str(source),
        method=method,
        status="" if status in ("running", "finished") else status,
        metrics=metrics,
        asset=told.asset,
        cameras=posed,
        compared=told.compared,
        still=_still(told, posed),
        film=told.film,
        settings=settings,
        timings=dict(record.get("timings") or {}),
        seconds=record.get("seconds") or sum((record.get("timings") or {}).values()) or None,
        warnings=tuple(dict.fromkeys(str(each) for each in record.get("warnings") or ())),
        environment=_environment(record),
        command=shlex.join(["invrender", *(argv or again)]),
        ended=_when(record),
        error=str(record.get("error") or ""),
    )


def _posed(told: Told) -> Posed | None:
    """The input's cameras, or those of a scene."""
    if told.views is not None:
        return Posed(told.views.cameras, view_names(told.views))
    cameras = [each for each in told.asset.cameras if each.extent is None] if isinstance(told.asset, Scene) else []
    if not cameras:
        return None
    size = cameras[0].size or (480, 640)
    poses = torch.stack([torch.linalg.inv(each.pose.detach().cpu().double()) for each in cameras])
    lenses = torch.stack([perspective(float(each.fov), size, 0.01, 100.0) for each in cameras])
    return Posed(Cameras(poses, lenses, size), tuple(each.name for each in cameras))


def _when(record: Mapping[str, Any]) -> str:
    try:
        when = datetime.fromisoformat(str(record.get("ended") or record.get("started")))
    except ValueError:
        return ""
    return f"{when:%d %B %Y, %H:%M} UTC".lstrip("0")


def _environment(record: Mapping[str, Any]) -> dict[str, str]:
    machine = record.get("machine") or {}
    found = {
        "invrender": record.get("invrender"),
        "backend": record.get("backend"),
        "device": record.get("device"),
        "seed": record.get("seed"),
        "system": machine.get("system"),
        "processor": machine.get("processor"),
        "cores": machine.get("cores"),
        "packages": ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items()),
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def settings_told(settings: RunSettings, presets: Mapping[str, Mapping[str, object]]) -> list[Setting]:
    """Each setting beside what it is with the same preset unless someone says otherwise."""
    usual = {each.name: each.default for each in dataclasses.fields(settings)}
    preset = presets.get(settings.preset, {})
    return [
        Setting(name, shown_setting(value), shown_setting(preset.get(name, usual[name])))
        for name, value in vars(settings).items()
        if name not in NOT_SETTINGS
    ]


def shown_setting(value: Any) -> str:
    """A setting for people."""
    if value is None or value == () or value is dataclasses.MISSING:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(shown_setting, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _still(told: Told, posed: Posed | None) -> Picture | None:
    """A mesh from where the first camera stands, level; None for other results."""
    mesh = told.asset
    if told.backend is None or not isinstance(mesh, Mesh) or not len(mesh.faces):
        return None
    vertices = mesh.vertices.detach().cpu().double()
    centre = (vertices.min(0).values + vertices.max(0).values) / 2
    look = first_look(posed, centre.numpy())
    back, up = (torch.tensor(look[name], dtype=torch.float64) for name in ("back", "up"))
    radius = max(float((vertices - centre).norm(dim=1).max()), 1e-30)
    small = dataclasses.replace(mesh, vertices=(vertices - centre) / radius)
    distance = 1.04 / torch.sin(torch.deg2rad(torch.tensor(FOV / 2))).item()
    coloured = mesh.colours is not None or mesh.material.texture is not None or not mesh.material.is_default
    if not coloured:
        small = dataclasses.replace(small, material=CLAY)
    pose = look_at((distance * back)[None], (0.0, 0.0, 0.0), up=up.tolist())
    lens = perspective(FOV, (SIDE, SIDE), distance - 1.5, distance + 1.5)[None]
    x, y, z = up.tolist()
    lit = studio.Studio(up=(x, y, z), baking=Baking(rays=RAYS))
    return studio.picture(small, Cameras(pose, lens, (SIDE, SIDE)), told.backend, lit, PAPER)


def write_report(story: Story, page: Path, card: Path) -> None:
    """Write report.html and report.png of a story.

    Raises:
        UsageError: they cannot be written.
    """
    atomic_write_text(page, report_page(story))
    with atomic_path(card) as temporary:
        temporary.write_bytes(report_card(story))


def leave_report(
    method: Method, task: Any, settings: RunSettings, backend: Backend, run: RunFolder, result: Any, metrics: Metrics,
    doubts: Sequence[Finding], warn: Callable[[str], None], film: Filmed | None = None,
) -> None:  # fmt: skip
    """Write report.html and report.png of a run that has written everything else: a fault in drawing costs none of it.

    Args:
        doubts: of the result; those that are severe are no warnings of the record.
        warn: hears that no report could be drawn; why is in log.txt.
        film: what progress.gif shows.
    """
    with run.timed("report"):
        processor = time.process_time()
        try:
            compared = method.compared(task, result, backend, MOST_COMPARED)
            forget()
            give_back()
            told = Told(method.views(task), method.asset(task, result), compared, backend, film)
            severe = [str(doubt) for doubt in doubts if doubt.severe]
            record = dataclasses.asdict(run.record) | {"warnings": (*severe, *run.record.warnings)}
            known = settings_told(settings, method.presets)
            story = story_of(run.path, record, method.name, settings.input, metrics, known, told)
            give_back()
            write_report(story, run.file(REPORT), run.file(CARD))
            run.log(f"report: {time.process_time() - processor:.2f} CPU seconds")
        except PASSING:
            raise
        except Exception as error:  # noqa: BLE001 - the results count, and must not be lost to their picture
            run.log("".join(traceback.format_exception(error)).rstrip())
            warn(f"no report could be drawn: {error}; the results are complete, please send us {LOG}")


def differing(settings: Iterable[Setting]) -> dict[str, str]:
    """Those that differ from the usual, by name."""
    return {each.name: each.value for each in settings if each.changed}
