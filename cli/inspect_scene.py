"""`invrender inspect` of scenes: scene.toml, and mesh files with several materials, lights or cameras in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from invrender.cli.options import console, print_json

if TYPE_CHECKING:
    from invrender.evaluate.medium_facts import MediumFacts
    from invrender.evaluate.scene_facts import BodyFacts, SceneFacts

Rows = list[tuple[str, str]]


def inspect_scene(path: Path, strict: bool, as_json: bool) -> None:
    """Print what is in a scene file, and what looks wrong in it."""
    from invrender.errors import InputError
    from invrender.evaluate.scene_facts import scene_facts
    from invrender.findings import refuse
    from invrender.io.scenes.read import read_described
    from invrender.run.heard import heard

    with heard() as said:
        facts = scene_facts(read_described(path))
    if as_json:
        print_json({"kind": "scene", "path": str(path), **scene_table(facts), "warnings": said})
    else:
        typer.echo(f"{path}  (scene)")
        show_scene(facts)
    for finding in facts.findings:
        console.print(f"warning: {finding}", markup=False)
    if strict:
        refuse(facts.findings, InputError)


def scene_of_mesh_file(path: Path) -> SceneFacts | None:
    """What a mesh file holds besides one mesh of one opaque material; None where there is nothing."""
    if path.suffix.lower() in (".ply", ".stl"):
        return None
    from invrender.evaluate.scene_facts import scene_facts
    from invrender.io.scenes.read import read_described

    with _hushed():
        described = read_described(path)
    scene = described.scene
    clear = any(mesh.material.refracts or float(mesh.material.opacity) != 1 for mesh in scene.meshes)
    several = len({mesh.material.name for mesh in scene.meshes}) > 1
    return scene_facts(described) if several or clear or scene.cameras or isinstance(scene.lights, tuple) else None


@contextmanager
def _hushed() -> Iterator[None]:
    """Readers say nothing in the block: the file has been read before, and they have said it."""
    import logging

    logger = logging.getLogger("invrender.io")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def scene_table(facts: SceneFacts) -> dict[str, Any]:
    """The facts for JSON."""
    from dataclasses import asdict

    table = asdict(facts)
    table["meshes"] = table.pop("bodies")
    return table


def show_scene(facts: SceneFacts) -> None:
    """Print the facts: each thing, material, light and camera in a line of its own."""
    faces = sum(body.facts.faces for body in facts.bodies)
    size = " x ".join(f"{high - low:.5g}" for low, high in zip(facts.low, facts.high, strict=True))
    _section(f"meshes: {len(facts.bodies)} of {faces} faces, {size} in all", _bodies(facts))
    if facts.medium is not None:
        _section(f"medium: '{_printable(facts.medium.name)}'", _medium(facts.medium))
    _section(f"materials: {len(facts.materials)}", _numbers(facts.materials, "kind"))
    _section(_lights(facts), _numbers(facts.lights, "type"))
    placed = "" if facts.cameras else " (they are placed around the scene)"
    _section(f"cameras: {len(facts.cameras)}{placed}", _numbers(facts.cameras, ""))
    surroundings = "none" if facts.environment is None else _words(facts.environment)
    _section(f"environment: {surroundings}", [])
    background = "the environment" if facts.background is None else _value(facts.background)
    _section(f"background: {background}", [])


def _section(title: str, rows: Rows) -> None:
    typer.echo(f"  {title}")
    width = max((len(label) for label, _ in rows), default=0)
    for label, text in rows:
        typer.echo(f"    {label:<{width}}  {text}")


def _medium(facts: MediumFacts) -> Rows:
    """A medium in lines; of grids the least and the greatest value."""
    colours = ", red, green and blue" if facts.channels == 3 else ""
    bounded = "" if facts.inside is None else f", within a mesh of {facts.inside} faces"
    rows = [
        ("grid", f"{' x '.join(map(str, facts.samples))}{colours}"),
        ("box", f"{_value(facts.low)} to {_value(facts.high)}{bounded}"),
        (
            "extinction",
            f"{_range(facts.least, facts.greatest)} per unit, {100 * facts.empty:.1f}% of the samples are empty",
        ),
        (
            "optical depth",
            f"along x, y, z up to {_value(facts.depth_greatest)}, on average {_value(facts.depth_mean)}",
        ),
    ]
    parts = (("albedo", facts.albedo), ("g", facts.asymmetry), ("emission", facts.emission))
    return rows + [(name, _range(*span)) for name, span in parts]


def _range(least: float, greatest: float) -> str:
    return _value(least) if least == greatest else f"{_value(least)} to {_value(greatest)}"


def _bodies(facts: SceneFacts) -> Rows:
    return [(_printable(body.name), _body(body)) for body in facts.bodies]


def _body(body: BodyFacts) -> str:
    measured = body.facts
    what = body.kind if body.file is None else Path(body.file).name
    size = " x ".join(f"{value:.5g}" for value in measured.extent)
    extras = ["closed" if measured.watertight else "open"]
    extras += ["texture coordinates"] if measured.uv else []
    extras += ["vertex colours"] if measured.colours else []
    counts = f"{measured.vertices} vertices, {measured.faces} faces"
    return _printable(f"{what}, {counts}, {size}, {', '.join(extras)}, material '{body.material}'")


def _lights(facts: SceneFacts) -> str:
    lamps = [name for name, material in facts.materials.items() if "Ke" in material]
    area = f", and what is made of {', '.join(map(repr, lamps))} (area lights)" if lamps else ""
    return f"lights: {len(facts.lights)}{area}"


def _numbers(tables: Mapping[str, Mapping[str, Any]], kind: str) -> Rows:
    rows = []
    for name, table in tables.items():
        rest = {key: value for key, value in table.items() if key != kind}
        rows.append((_printable(name), ", ".join(filter(None, [str(table.get(kind, "")), _words(rest)]))))
    return rows


def _words(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in table.items() if value is not None)


def _value(value: Any) -> str:
    """Numbers with five digits; of pictures and sensors the pixels."""
    if isinstance(value, tuple | list):
        if len(value) == 2 and all(isinstance(each, int) for each in value):
            return f"{value[0]} x {value[1]}"
        return f"({', '.join(_value(each) for each in value)})"
    return f"{value:.5g}" if isinstance(value, float | int) else str(value)


def _printable(text: str) -> str:
    from invrender.io.files.paths import shown

    return shown(text)
