"""`invrender inspect`: print what is in a mesh, a volume, a dataset folder or a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import JsonOption, console, print_json
from invrender.cli.volume_options import DtypeOption, FrameOption, KeyOption, ShapeOption, VolumeFile

if TYPE_CHECKING:
    from invrender.evaluate.mesh_facts import DatasetFacts, MeshFacts
    from invrender.evaluate.volume_facts import TransmittanceFacts, VolumeFacts
    from invrender.findings import Finding
    from invrender.nouns import Views

Rows = list[tuple[str, str]]


def inspect(
    source: Annotated[
        Path,
        typer.Argument(metavar="INPUT", help="A mesh, a volume, a dataset (or its transforms.json) or a run folder."),
    ],
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A dataset's masks, named after its images (white is object).")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="F.png", help="Draw a dataset: views with masks and hull, and the cameras around it."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors: exit code 3.")] = False,
    noise: Annotated[
        str | None,
        typer.Option(metavar="float|8bit|poisson:N", help="How the pixels of transmittance images err."),
    ] = None,
    key: KeyOption = "density",
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    frame: FrameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is in a mesh, a volume or a dataset: counts, bounds, topology or values; cameras and masks."""
    from invrender.cli.inspect_run import inspect_run
    from invrender.errors import UsageError
    from invrender.io.assets import identify
    from invrender.run.staged import settle_dataset

    settle_dataset(source)
    if inspect_run(source, as_json):
        return
    kind, path = identify(source)
    if kind in ("mesh", "volume"):
        _refuse(masks, "--masks", path)
    if kind != "transmittance" and noise is not None:
        raise UsageError(f"--noise goes with transmittance images, and {path} holds none", "leave --noise out")
    if kind != "views":
        _refuse(picture, "--picture", path)
    elif picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture is {picture}", "name a .png file")
    if kind == "volume":
        _inspect_volume(VolumeFile(path, key, shape, dtype, frame), as_json)
    elif kind == "transmittance":
        _inspect_transmittance(path, noise, strict, as_json)
    elif kind == "views":
        _inspect_dataset(path, masks, picture, strict, as_json)
    else:
        _inspect_mesh(path, as_json)


def _inspect_mesh(path: Path, as_json: bool) -> None:
    from invrender.evaluate.mesh_facts import mesh_facts
    from invrender.io.meshes.read import read_mesh, read_units

    facts, units = mesh_facts(read_mesh(path)), read_units(path)
    _show({"kind": "mesh", "path": str(path), "units": units, **asdict(facts)}, _mesh_rows(facts, units), as_json)


def _inspect_dataset(path: Path, masks: Path | None, picture: Path | None, strict: bool, as_json: bool) -> None:
    from invrender.evaluate.mesh_facts import dataset_facts
    from invrender.evaluate.posed_views import agreement, posed_findings
    from invrender.io.datasets.dataset import read_dataset

    views = read_dataset(path, masks)
    facts, found = dataset_facts(views), agreement(views)
    findings = posed_findings(found, facts.cut_off)
    explained = None if found.explained is None else dict(zip(found.names, found.explained, strict=True))
    table = {"kind": "dataset", "path": str(path), **asdict(facts), "explained": explained, "findings": findings}
    if picture is not None:
        table["picture"] = _draw_dataset(views, findings, picture)
    _show(table, _dataset_rows(facts, found.explained), as_json)
    _warn(findings, strict)


def _warn(findings: Sequence[Finding], strict: bool) -> None:
    from invrender.errors import InputError
    from invrender.findings import refuse

    for finding in findings:
        console.print(f"warning: {finding}", markup=False)
    if strict:
        refuse(findings, InputError)


def _draw_dataset(views: Views, findings: list[Finding], picture: Path) -> str:
    from PIL import Image

    from invrender.backends import select
    from invrender.evaluate.contact_sheet import contact_sheet
    from invrender.io.files.atomic import atomic_path

    doubted = tuple(name for finding in findings for name in finding.views)
    sheet = contact_sheet(views, doubted, select(needs=("meshes",)))
    with atomic_path(picture) as temporary:
        Image.fromarray(sheet.picture).save(temporary, format="PNG")
    return str(picture)


def _inspect_volume(file: VolumeFile, as_json: bool) -> None:
    from invrender.evaluate.volume_facts import volume_facts

    facts = volume_facts(file.read())
    _show({"kind": "volume", "path": str(file.path), **asdict(facts)}, _volume_rows(facts), as_json)


def _inspect_transmittance(path: Path, noise: str | None, strict: bool, as_json: bool) -> None:
    from invrender.evaluate.volume_facts import transmittance_facts
    from invrender.io.datasets.transmittance import read_transmittance
    from invrender.methods.transmittance.doubts import dataset_findings
    from invrender.methods.transmittance.measurement import parse_noise

    known = None if noise is None else parse_noise(noise)
    views = read_transmittance(path)
    facts = transmittance_facts(views)
    findings: Sequence[Finding] = ()
    try:
        findings = dataset_findings(views, known)
    finally:  # what the images hold helps to understand why they are refused
        table = {"kind": "dataset", "path": str(path), **asdict(facts), "findings": list(findings)}
        _show(table, _transmittance_rows(facts), as_json)
    _warn(findings, strict)


def _refuse(given: Path | None, option: str, path: Path) -> None:
    from invrender.errors import UsageError

    if given is not None:
        raise UsageError(f"{option} goes with a dataset of pictures, and {path} is none", f"leave {option} out")


def _show(facts: dict[str, object], rows: Rows, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    typer.echo(f"{facts['path']}  ({facts['kind']})")
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        typer.echo(f"  {label:<{width}}  {text}")


def _mesh_rows(facts: MeshFacts, units: str | None) -> Rows:
    noise = 1e-9 * max(facts.extent)
    return [
        ("vertices", f"{facts.vertices}{_of(facts.coincident_vertices, 'share a place with another')}"),
        ("faces", f"{facts.faces}"),
        ("bounds", f"{_point(facts.low, noise)} to {_point(facts.high, noise)}"),
        (
            "size",
            f"{' x '.join(map(_number, facts.extent))} ({f'unit: {units}' if units else 'no unit given'})",
        ),
        ("area", _number(facts.area)),
        ("volume", _volume(facts)),
        ("watertight", _watertight(facts)),
        ("winding", "consistent" if facts.consistent_winding else "not consistent: some neighbours face opposite ways"),
        ("bodies", str(facts.bodies)),
        ("genus", "undefined (not watertight)" if facts.genus is None else f"{facts.genus:g}{_handles(facts.genus)}"),
        ("unreferenced", _count(facts.unreferenced_vertices, "vertices that no face uses", "vertex that no face uses")),
        ("degenerate", _count(facts.degenerate_faces, "faces without area", "face without area")),
        ("duplicate", _count(facts.duplicate_faces, "faces that repeat another", "face that repeats another")),
        ("looks", _appearance(facts)),
    ]


def _volume_rows(facts: VolumeFacts) -> Rows:
    x, y, z = facts.samples
    noise = 1e-9 * max(facts.extent)
    held = facts.occupied
    negative = f"; {facts.negative} of the samples are negative, which no density is" if facts.negative else ""
    border = "clear" if facts.on_border == 0 else f"up to {100 * facts.on_border:.3g}% of the greatest value"
    return [
        ("samples", f"{x} x {y} x {z}{f', {facts.channels} channels' if facts.channels > 1 else ''}"),
        ("bounds", f"{_point(facts.low, noise)} to {_point(facts.high, noise)}"),
        ("size", " x ".join(map(_number, facts.extent))),
        ("spacing", " x ".join(map(_number, facts.spacing))),
        ("values", f"{_number(facts.least)} to {_number(facts.greatest)}, mean {_number(facts.mean)}{negative}"),
        ("percentiles", "50%: {:.4g}, 90%: {:.4g}, 99%: {:.4g}, 99.9%: {:.4g}".format(*facts.percentiles)),
        ("empty", f"{100 * facts.empty:.1f}% of the samples are 0"),
        ("occupied", "nothing" if held is None else f"{_point(held[0], noise)} to {_point(held[1], noise)}"),
        ("border", border),
        ("memory", f"{facts.bytes / 2**20:.4g} MiB as float32"),
    ]


def _transmittance_rows(facts: TransmittanceFacts) -> Rows:
    return [
        ("views", f"{facts.views} of {facts.width} x {facts.height} pixels"),
        ("quantity", f"{facts.quantity}, {'8 bits' if facts.eight_bit else 'floats'}"),
        ("values", f"{facts.least:.5g} to {facts.greatest:.5g}"),
        ("saturated", _count(facts.saturated, "pixels without light", "pixel without light")),
        ("extinction", f"{facts.extinction:.5g} times the density"),
        ("grid", "not given" if facts.grid is None else " x ".join(str(n) for n in reversed(facts.grid))),
        ("bounds", "not given" if facts.bounds is None else str([list(corner) for corner in facts.bounds])),
    ]


def _of(count: int, what: str) -> str:
    return f" ({count} {what})" if count else ""


def _volume(facts: MeshFacts) -> str:
    if facts.volume is None:
        return "undefined (not watertight)"
    inside_out = " (negative: the faces point inwards)" if facts.volume < 0 and facts.consistent_winding else ""
    return f"{_number(facts.volume)}{inside_out}"


def _handles(genus: float) -> str:
    return (
        {0: " (no handles)", 1: " (one handle)"}.get(int(genus), f" ({genus:g} handles)") if genus == int(genus) else ""
    )


def _watertight(facts: MeshFacts) -> str:
    if facts.watertight:
        return "yes"
    faults = [
        _count(facts.boundary_edges, "open edges", "open edge"),
        _count(facts.crowded_edges, "edges of more than two faces", "edge of more than two faces"),
    ]
    return f"no: {' and '.join(fault for fault in faults if fault != 'none')}"


def _appearance(facts: MeshFacts) -> str:
    parts = [f"material '{facts.material}'" if facts.material != "default" else "no material"]
    parts += [f"texture {facts.texture[0]} x {facts.texture[1]}"] if facts.texture else []
    parts += ["texture coordinates"] if facts.uv else []
    parts += ["vertex colours"] if facts.colours else []
    return ", ".join(parts)


def _dataset_rows(facts: DatasetFacts, explained: tuple[float, ...] | None) -> Rows:
    low, mean, high = facts.coverage
    meeting = "yes" if facts.common_target else f"no: the axes pass {_number(facts.miss)} by it"
    return [
        ("views", f"{facts.views}, {'colours and masks' if facts.images else 'masks only'}"),
        ("image size", f"{facts.width} x {facts.height} pixels"),
        ("field of view", f"{_span(facts.fov_x)} x {_span(facts.fov_y)} degrees"),
        ("look at", f"{_point(facts.target, 1e-5 * facts.distance[1])}, all of them: {meeting}"),
        ("distance", f"{_span(facts.distance)} from that point"),
        ("elevation", f"{_span(facts.elevation)} degrees, with {facts.up} up"),
        ("widest gap", f"{facts.widest_gap:.0f} degrees from a direction to its nearest camera"),
        (
            "mask coverage",
            f"{low:.1%} to {high:.1%}, mean {mean:.1%} (least {facts.least_covered}, most {facts.most_covered})",
        ),
        ("cut off", _cut_off(facts)),
        ("agreement", _agreement(explained)),
    ]


def _agreement(explained: tuple[float, ...] | None) -> str:
    from statistics import median

    if explained is None:
        return "none: the cameras look at nothing in common"
    return f"what all views have in common explains {median(explained):.0%} of a mask, at least {min(explained):.0%}"


def _cut_off(facts: DatasetFacts) -> str:
    from invrender.io.files.paths import listing

    if not facts.cut_off:
        return "none: every mask stays clear of the border"
    return f"{len(facts.cut_off)} of {facts.views} masks touch the border: {listing(facts.cut_off)}"


def _count(count: int, many: str, one: str) -> str:
    return "none" if not count else f"{count} {one if count == 1 else many}"


def _number(value: float) -> str:
    return f"{value + 0.0:.7g}"


def _point(point: tuple[float, float, float], noise: float) -> str:
    """A point in brackets; coordinates below the noise are shown as 0, for what rounding left there is no news."""
    return f"({', '.join(_number(value if abs(value) > noise else 0.0) for value in point)})"


def _span(span: tuple[float, float]) -> str:
    low, high = (f"{value:.5g}" for value in span)
    return low if low == high else f"{low} to {high}"
