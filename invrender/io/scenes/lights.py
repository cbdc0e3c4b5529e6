"""Lights, the environment and the background of a scene file."""

from __future__ import annotations

from dataclasses import replace

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.lights import lights_of
from invrender.io.scenes.pictures import read_picture
from invrender.io.scenes.table import Table
from invrender.nouns import DirectionalLight, Environment, Light, Lights, PointLight, SpotLight
from invrender.nouns.appearance import WHITE, Colour
from invrender.nouns.light import Vector
from invrender.shading.sky import Sky, sky_picture

_KINDS = {
    "point": ("type", "name", "position", "intensity"),
    "spot": ("type", "name", "position", "direction", "target", "intensity", "inner", "outer"),
    "directional": ("type", "name", "direction", "position", "target", "intensity"),
}
_ENVIRONMENT = ("colour", "picture", "sky", "rotation", "intensity")
_SKY = ("sun", "turbidity", "sunlight", "ground")


def light_of(table: Table, name: str) -> Light:
    """The light of a table.

    Raises:
        InputError: a key or value is not known or not possible.
    """
    kind = table.choice("type", _KINDS, "; an area light is a thing made of a material with Ke")
    table.check_keys(_KINDS[kind])
    intensity = _grey_or_colour(table)
    if kind == "directional":
        return DirectionalLight(_towards(table), intensity, name)
    position = table.vector("position")
    if kind == "point":
        return PointLight(position, intensity, name)
    outer = table.number("outer", 45.0, above=0.0, most=90.0)
    inner = table.number("inner", 0.0, least=0.0, most=90.0)
    if inner >= outer:
        raise table.wrong(
            f"has inner = {inner:g}, which is not below outer = {outer:g}",
            "they are half the angles of the full and of the whole cone: make 'outer' larger",
        )
    return SpotLight(position, _along(table, position), intensity, inner, outer, name)


def _grey_or_colour(table: Table) -> float | Colour:
    """The intensity as it is stated: a light that is called grey stays so while its intensity is looked for."""
    colour = table.colour("intensity", WHITE)
    return colour if isinstance(table.values.get("intensity"), list) else colour[0]


def _towards(table: Table) -> Vector:
    """The direction towards a directional light: stated, or from its target to its position."""
    table.check_alone("direction", ["position", "target"])
    if table.has("direction") or not (table.has("position") or table.has("target")):
        return table.direction("direction")
    ahead = _between(table, table.vector("position"), table.vector("target"))
    return -ahead[0], -ahead[1], -ahead[2]


def _along(table: Table, position: Vector) -> Vector:
    """The way in which a spot shines."""
    table.check_alone("direction", ["target"])
    return _between(table, position, table.vector("target")) if table.has("target") else table.direction("direction")


def _between(table: Table, position: Vector, target: Vector) -> Vector:
    x, y, z = (end - start for start, end in zip(position, target, strict=True))
    if not (x or y or z):
        raise table.wrong("shines at the place where it stands", "move 'target' or 'position'")
    return x, y, z


def plain_lights(table: Table) -> Lights:
    """The plain lights of a table [lights], whose keys are those of light files (`io.lights`).

    Raises:
        InputError: as for these.
    """
    return lights_of(table.path, table.values)


def environment_of(table: Table) -> Environment:
    """The environment of a table.

    Raises:
        InputError: a key or value is not known or not possible, or the picture is missing.
    """
    table.check_keys(_ENVIRONMENT)
    strength = table.number("intensity", 1.0, least=0.0)
    red, green, blue = (strength * value for value in table.colour("colour", WHITE))
    environment = Environment((red, green, blue), None, table.number("rotation", 0.0))
    table.check_alone("sky", ["picture"])
    if table.has("sky"):
        return replace(environment, picture=sky_picture(_sky(table)).float())
    if not table.has("picture"):
        return environment
    return replace(environment, picture=read_picture(table, "picture"))


def _sky(table: Table) -> Sky:
    """The clear sky of the key `sky`; its sun is no part of the picture: it stands in a [[light]]."""
    if not isinstance(table.values["sky"], dict):
        raise table.wrong("has a 'sky' of another form", "write sky = {sun = [0.4, 0.6, 0.5]}")
    inner, plain = Table.of(table.path, f"{table.where} sky", table.values["sky"]), Sky()
    inner.check_keys(_SKY)
    sun, turbidity = inner.direction("sun", plain.sun), inner.number("turbidity", plain.turbidity)
    sunlight = inner.number("sunlight", plain.sunlight, least=0.0)
    try:
        return Sky(sun, turbidity, sunlight, inner.colour("ground", plain.ground, 1.0))
    except InputError as error:
        raise InputError(f"{shown(table.path)}: {inner.where}: {error.cause}", error.remedy) from error


def background_of(table: Table, environment: Environment | None) -> Colour | None:
    """What the top level says of the background: a colour, or the environment, which is the default where there is one.

    Raises:
        InputError: it is none of these.
    """
    if table.values.get("background") == "environment":
        if environment is None:
            raise table.wrong("has background = 'environment', but there is none", "add [environment] with a colour")
        return None
    return table.colour("background", WHITE) if environment is None or table.has("background") else None
