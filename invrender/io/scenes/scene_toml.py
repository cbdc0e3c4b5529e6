"""scene.toml: a scene in one file that people write. Every key may be left out unless a line says otherwise.

    background = [1, 1, 1]          # linear RGB, or "environment"; the default: the environment, else white

    [environment]                   # light from far away, from every side
    colour = [0.6, 0.7, 1.0]        # linear RGB; times the picture
    picture = "sky.exr"             # by latitude and longitude; .exr, .hdr, .png, .jpg, .npy ([h,w,3] linear)
                                    # in place of a picture, a clear sky without the sun, which is a [[light]]:
                                    # sky = {sun = [0.4, 0.6, 0.5], turbidity = 2.0, ground = [0.2, 0.18, 0.15]}
    rotation = 30                   # degrees about +Y
    intensity = 1.0                 # times all of it

    [[camera]]
    name = "front"
    position = [0, 1.5, 4]          # needed, with a target or direction; or else `matrix`, camera to world
    target = [0, 0.5, 0]            # or direction = [0, -0.25, -1]
    up = [0, 1, 0]
    fov = 45                        # vertical, degrees; or extent = 2.0, the height that an orthographic camera sees
    aperture = 0.02                 # radius of a thin lens; 0: everything is sharp
    focus = 4.0                     # distance that is sharp, along the axis; the default: that of the target
    size = [640, 480]               # width and height in pixels (or the keys width and height)

    [[light]]
    type = "point"                  # needed: point, spot or directional
    name = "lamp"
    position = [1, 3, 1]
    intensity = [20, 18, 15]        # power per steradian; of a directional light irradiance. A number is grey
    # spot: also direction (the way in which it shines) or target, inner and outer (half angles in degrees; 0 and 45)
    # directional: direction (towards the light), or position and target

    [[mesh]]
    file = "bunny.obj"              # needed: .obj, .glb, .gltf, .ply or .stl
    name = "bunny"
    material = "porcelain"          # in place of the file's own
    scale = 2.0                     # or [x, y, z]; then
    rotate = [0, 90, 0]             # degrees about X, then Y, then Z; or [angle, x, y, z] about an axis; then
    translate = [0, 0.1, 0]         # or, in place of the three, matrix = four rows of four

    [[sphere]]
    center = [1, 0.5, 0]
    radius = 0.5
    material = "glass"
    # scale and rotate act about the centre, as they do for boxes

    [[plane]]                       # a rectangle
    center = [0, 0, 0]
    normal = [0, 1, 0]
    size = [4, 4]                   # a number makes a square; the default: ten times as wide as everything else
    up = [0, 0, -1]                 # to which the second side is parallel
    repeat = [2, 2]                 # how often a picture is shown
    material = "floor"

    [[box]]
    center = [-1, 0.5, 0]
    size = [1, 1, 1]
    rotate = [0, 20, 0]

    [medium]                        # what light passes through, once; trilinear between the samples of its grids
    file = "cloud.npz"              # a volume file (`key` names the array); without one: the same everywhere
    extinction = 8.0                # times the file's values, per unit of length; or the value itself. Also RGB
    box = [[0, 0, 0], [1, 1, 1]]    # places of the first and last samples; the default: the file's, or round `inside`
    albedo = 0.95                   # single-scattering albedo from 0 to 1, RGB, or a volume file
    g = 0.5                         # mean cosine of scattering (Henyey-Greenstein), -1 to 1, or a volume file
    emission = [0, 0, 0]            # radiance per unit of optical depth, or a volume file of three channels
    inside = "bottle.obj"           # a closed mesh, outside of which there is nothing
    name = "cloud"

    [material.porcelain]            # a new material, or changes to the one of that name in a mesh file
    Kd = [0.8, 0.8, 0.75]           # diffuse colour, linear RGB from 0 to 1; a number is grey
    Ks = 0.2                        # colour and exponent of the highlight
    Ns = 200
    mirror = 0.1                    # share of what the mirrored ray sees
    Ke = [0, 0, 0]                  # radiance that it sends out: an area light (also `emission`)
    opacity = 1.0                   # share of rays that meet it
    texture = "wood.png"            # multiplies Kd; false: without the file's own

    [material.glass]                # a smooth dielectric, which reflects by Fresnel's law
    transmission = [0.9, 1, 0.9]    # share of light that goes through where it enters or leaves
    ior = 1.5

    [material.floor]                # metallic-roughness, as in glTF
    Kd = [0.9, 0.6, 0.3]
    roughness = 0.4
    metallic = 1.0                  # `gloss` names a picture of both (green and blue). Or unlit = true: Kd as it is

Lengths are in the units of the meshes, paths relative to the file's folder; of a mesh file its bodies are taken, not
its cameras and lights. Plain lights, as rasterized pictures have them, may stand in a table `[lights]` with the keys of
light files (`io.lights`) in place of [[light]].
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invrender.io.files.paths import nearest, shown
from invrender.io.scenes.cameras import camera_of
from invrender.io.scenes.lights import background_of, environment_of, light_of, plain_lights
from invrender.io.scenes.materials import material_of
from invrender.io.scenes.medium import medium_of
from invrender.io.scenes.names import names_of
from invrender.io.scenes.table import Table
from invrender.io.scenes.things import KINDS, Thing, Things
from invrender.io.scenes.toml_file import read_toml
from invrender.nouns import Light, Lights, Material, Mesh, Scene
from invrender.nouns.medium import Medium

log = logging.getLogger(__name__)

KEYS = ("background", "environment", "camera", "light", "lights", *KINDS, "medium", "material")


@dataclass(frozen=True)
class Described:
    """A scene, and how its file describes it.

    Attributes:
        scene: what was read.
        path: the file.
        things: where its meshes come from, in their order.
        bases: by name, the materials of mesh files before the scene file changes them.
        stated: by name, the tables of materials in the scene file.
    """

    scene: Scene
    path: Path
    things: tuple[Thing, ...]
    bases: Mapping[str, Material]
    stated: Mapping[str, dict[str, Any]]


def described(path: Path) -> Described:
    """Read a scene.toml.

    Raises:
        InputError: it is missing or no TOML; a key or value is not known or not possible; a file or material that it
            names is missing; or it holds nothing to see.
    """
    top = Table.of(path, "", read_toml(path, "scene"))
    top.check_keys(KEYS)
    medium = _medium(top)
    things = Things(top, needed=medium is None)
    stated = _material_tables(top)
    materials = dict(things.bases)
    for name, table in stated.items():
        materials[name] = material_of(table, things.bases.get(name, Material(name=name)))
    meshes, sources = things.placed(materials)
    _tell_unused(path, stated, meshes, materials)
    surroundings, tables = top.table("environment"), top.tables("camera")
    environment = None if surroundings is None else environment_of(surroundings)
    cameras = [camera_of(table, name) for table, name in zip(tables, names_of(tables, "camera"), strict=True)]
    glows = any(mesh.material.emits for mesh in meshes) or (medium is not None and medium.glows)
    lights = _lights(top, environment is None and not glows)
    media = () if medium is None else (medium,)
    scene = Scene(meshes, lights, background_of(top, environment), environment, cameras, media)
    return Described(scene, path, sources, things.bases, {name: table.values for name, table in stated.items()})


def _medium(top: Table) -> Medium | None:
    tables = top.tables("medium")
    if len(tables) > 1:
        raise top.wrong(f"has {len(tables)} media", "put them on one grid: a scene holds one [medium]")
    return medium_of(Table.of(top.path, "[medium]", tables[0].values)) if tables else None


def _material_tables(top: Table) -> dict[str, Table]:
    """The tables [material.NAME] by name."""
    group = top.values.get("material", {})
    if not isinstance(group, dict) or not all(isinstance(value, dict) for value in group.values()):
        raise top.wrong("has materials without a name", "write [material.NAME] above the keys of each")
    return {name: Table.of(top.path, f"[material.{shown(name)}]", values) for name, values in group.items()}


def _lights(top: Table, dark: bool) -> Lights | tuple[Light, ...]:
    """The lights of a file; where there are none and nothing else shines (`dark`), one that moves with the camera."""
    top.check_alone("lights", ["light"])
    plain, tables = top.table("lights"), top.tables("light")
    if plain is not None:
        return plain_lights(plain)
    lights = tuple(light_of(table, name) for table, name in zip(tables, names_of(tables, "light"), strict=True))
    if lights or not dark:
        return lights
    log.warning(
        "%s has no light: it is lit by one that moves with the camera. Add [[light]], [environment], or a material "
        "with Ke.", shown(top.path),
    )  # fmt: skip
    return Lights()


def _tell_unused(
    path: Path, stated: Mapping[str, Table], meshes: Sequence[Mesh], materials: Mapping[str, Material]
) -> None:
    """Say which materials nothing is made of: a name may be misspelled."""
    used = {mesh.material.name for mesh in meshes}
    for name in stated:
        if name not in used:
            close = nearest(name, used)
            hint = f" (did you mean '{shown(close)}'?)" if close else ""
            log.warning("%s: nothing is made of the material '%s'%s.", shown(path), shown(name), hint)


def things_of(path: Path, meshes: Sequence[Mesh]) -> tuple[Thing, ...]:
    """What a mesh file that is a scene by itself calls its meshes: by their materials."""
    return tuple(Thing(mesh.material.name, "mesh", path) for mesh in meshes)
