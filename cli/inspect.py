"""`invrender inspect`: print what is in a mesh, a scene, a volume, a dataset, a run folder, photographs or a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.inspect_rows import (
    dataset_rows,
    mesh_rows,
    object_rows,
    show,
    split_rows,
    transmittance_rows,
    volume_rows,
)
from invrender.cli.inspect_scene import inspect_scene, scene_of_mesh_file, scene_table, show_scene
from invrender.cli.options import JsonOption, console
from invrender.cli.volume_options import DtypeOption, FrameOption, KeyOption, ShapeOption, SpacingOption, VolumeFile

if TYPE_CHECKING:
    from invrender.errors import InputError
    from invrender.findings import Finding
    from invrender.nouns import Views

EXAMPLES = (
    "invrender inspect data/mug.glb",
    "invrender inspect outputs/mug --report",
)
MOST_OBJECTS = 1000  # in JSON


def inspect(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A mesh, a scene, a volume (a file, DICOM or slices), a dataset (or its transforms.json), a "
            "scan.toml, voxels with pictures, a run folder, photographs or a video.",
        ),
    ],
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|auto",
            help="A dataset's masks, named after its images (white is object); auto finds them.",
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="F.png",
            help="Draw a dataset: views with masks and hull, or some of its voxels and pictures; or a scan.",
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=8, help="Scale a dataset's pictures down to this longer side, in pixels.")
    ] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out a dataset's views whose files are missing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors: exit code 3.")] = False,
    noise: Annotated[
        str | None,
        typer.Option(metavar="float|8bit|poisson:N", help="How the pixels of transmittance images err."),
    ] = None,
    key: KeyOption = "density",
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    frame: FrameOption = None,
    spacing: SpacingOption = None,
    report: Annotated[bool, typer.Option("--report", help="Write a run's report.html and report.png anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what is in a mesh, scene, volume, dataset or photographs; of a run how it stands and how good it is."""
    from invrender.cli.inspect_pairs import inspect_pairs
    from invrender.cli.inspect_run import inspect_run
    from invrender.cli.inspect_scan import inspect_scan
    from invrender.io.assets import identify
    from invrender.io.scans import is_scan
    from invrender.poses.photographs import is_bare_photographs
    from invrender.run.staged import settle_dataset

    settle_dataset(source)
    if is_scan(source):
        _refuse(masks, "--masks", source)
        inspect_scan(source, picture, strict, as_json)
        return
    done, more = inspect_run(source, report, as_json)
    if done or inspect_pairs(source, picture, as_json):
        return
    if is_bare_photographs(source):
        _inspect_photographs(source, masks, picture, as_json)
        return
    kind, path = identify(source)
    _check_options(kind, path, masks, noise, picture)
    if kind == "scene":
        inspect_scene(path, strict, as_json)
    elif kind == "volume":
        _inspect_volume(VolumeFile(path, key, shape, dtype, frame, spacing), as_json, more)
    elif kind == "transmittance":
        _inspect_transmittance(path, noise, strict, as_json)
    elif kind == "views":
        _inspect_dataset(path, *_read_views(path, masks, size, skip_missing), picture, strict, as_json)
    else:
        _inspect_mesh(path, strict, as_json, more)


def _inspect_photographs(source: Path, masks: Path | None, picture: Path | None, as_json: bool) -> None:
    from invrender.cli.inspect_bare import inspect_bare

    _refuse(masks, "--masks", source)
    _refuse(picture, "--picture", source)
    inspect_bare(source, as_json)


def _check_options(kind: str, path: Path, masks: Path | None, noise: str | None, picture: Path | None) -> None:
    """Refuse options that do not go with what a path names (UsageError)."""
    from invrender.errors import UsageError

    if kind in ("mesh", "scene", "volume"):
        _refuse(masks, "--masks", path)
    if kind != "transmittance" and noise is not None:
        raise UsageError(f"--noise goes with transmittance images, and {path} holds none", "leave --noise out")
    if kind != "views":
        _refuse(picture, "--picture", path)
    elif picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture is {picture}", "name a .png file")


def _inspect_mesh(path: Path, strict: bool, as_json: bool, more: Mapping[str, Any]) -> None:
    """The facts of all of a mesh file as one mesh; and as a scene, where there is more to say."""
    from invrender.evaluate.mesh_facts import mesh_facts
    from invrender.io.meshes.objects import objects
    from invrender.io.meshes.read import read_mesh, read_units

    facts, units, every = mesh_facts(read_mesh(path)), read_units(path), objects(path)
    scene = scene_of_mesh_file(path)
    table = {"kind": "mesh", "path": str(path), "units": units, **asdict(facts), **more}
    table |= {} if scene is None else {"scene": scene_table(scene)}
    table |= {"objects": [asdict(each) for each in every[:MOST_OBJECTS]]}
    show(table, [*mesh_rows(facts, units), *object_rows(every)], as_json)
    if scene is not None:
        if not as_json:
            typer.echo("as a scene:")
            show_scene(scene)
        _warn(scene.findings, strict)


def _read_views(
    path: Path, masks: Path | None, size: int | None, skip_missing: bool
) -> tuple[Views, InputError | None]:
    """A dataset, with masks found for views that bring none, and why that failed, as `reconstruct` would find it."""
    from invrender.io.datasets.dataset import read_views
    from invrender.io.datasets.found_masks import folder_of_masks, masks_as_far_as_found
    from invrender.run.heard import heard

    given, asked = folder_of_masks(masks)
    with heard():
        read = read_views(path, given, size=size, unmasked=True, skip_missing=skip_missing)
        views, unfound = masks_as_far_as_found(read.views, read.masked, read.covered)
    if asked and unfound is not None:
        raise unfound
    return views, unfound


def _inspect_dataset(
    path: Path, views: Views, unfound: InputError | None, picture: Path | None, strict: bool, as_json: bool
) -> None:
    from invrender.evaluate.mesh_facts import dataset_facts
    from invrender.evaluate.posed_views import agreement, posed_findings
    from invrender.evaluate.unmasked import known_views, unmasked_findings
    from invrender.evaluate.view_findings import view_findings
    from invrender.findings import Finding

    facts, found = dataset_facts(views), agreement(views)
    findings = posed_findings(found, facts.cut_off) + (unmasked_findings(known_views(views)[1]) if facts.masked else [])
    findings += view_findings(views)
    if unfound is not None and not facts.masked:
        findings.append(Finding(f"no masks, which `invrender reconstruct` needs: {unfound.cause}", unfound.remedy))
    explained = dict(zip(found.names, found.explained, strict=True)) if found.explained else None
    table = {"kind": "dataset", "path": str(path), **asdict(facts), "explained": explained, "findings": findings}
    table |= {"held_out": [views.names[i] for i in views.held_out], "bounds": views.bounds}
    if picture is not None:
        table["picture"] = _draw_dataset(views, findings, picture)
    show(table, dataset_rows(facts, found.explained) + split_rows(views), as_json)
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


def _inspect_volume(file: VolumeFile, as_json: bool, more: Mapping[str, Any]) -> None:
    from invrender.evaluate.volume_facts import volume_facts
    from invrender.io.volumes.folders import series_of

    facts, table = volume_facts(file.read()), dict(more)
    rows = volume_rows(facts)
    series = series_of(file.path)
    if series is not None:
        hounsfield = "; values in Hounsfield units" if series.modality == "CT" else ""
        rows = [("DICOM", f"{series}{hounsfield}"), *rows]
        table["series"] = {"uid": series.uid, "description": series.description, "modality": series.modality,
                           "slices": len(series.slices)}  # fmt: skip
    show({"kind": "volume", "path": str(file.path), **asdict(facts), **table}, rows, as_json)


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
        show(table, transmittance_rows(facts), as_json)
    _warn(findings, strict)


def _refuse(given: Path | None, option: str, path: Path) -> None:
    from invrender.errors import UsageError

    if given is not None:
        raise UsageError(f"{option} goes with a dataset of pictures, and {path} is none", f"leave {option} out")
