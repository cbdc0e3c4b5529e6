"""Sample scenes: texts of scene files, and the meshes and pictures that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_write_bytes, atomic_write_text
from invrender.io.meshes.texture_write import colour_png
from invrender.io.meshes.write import write_obj
from invrender.nouns import Mesh
from invrender.samples.tree import bark, leaves

_TREE = """# A tree on a meadow by the light of a lamp.

background = [0.55, 0.7, 0.9]

[[camera]]
name = "front"
position = [0, 1.7, 7.4]
target = [0, 1.95, 0]
fov = 36
size = [512, 512]

[[light]]
name = "lamp"
type = "point"
position = [3.5, 6, 5.5]
intensity = [220, 200, 165]

[[light]]
name = "sky"
type = "directional"
direction = [-0.5, 1, 0.6]      # towards it
intensity = [0.7, 0.85, 1.1]

[[mesh]]
name = "bark"
file = "@bark.obj"
material = "bark"

[[mesh]]
name = "leaves"
file = "@leaves.obj"
material = "leaves"

[[plane]]
name = "meadow"
normal = [0, 1, 0]
size = 60
material = "meadow"

[material.bark]
Kd = [0.30, 0.19, 0.11]

[material.leaves]
Kd = [0.16, 0.38, 0.07]
Ks = [0.06, 0.06, 0.05]
Ns = 20

[material.meadow]
Kd = [0.30, 0.42, 0.16]
"""

_BOX = """# A box two units wide, open to the front, under a square lamp.

background = [0, 0, 0]

[[camera]]
name = "front"
position = [0, 1, 4.4]
target = [0, 1, 0]
fov = 36
size = [512, 512]

[[plane]]
name = "lamp"
center = [0, 1.99, 0]
normal = [0, -1, 0]
size = [0.6, 0.6]
material = "lamp"

[[plane]]
name = "floor"
center = [0, 0, 0]
normal = [0, 1, 0]
size = 2
material = "white"

[[plane]]
name = "ceiling"
center = [0, 2, 0]
normal = [0, -1, 0]
size = 2
material = "white"

[[plane]]
name = "back"
center = [0, 1, -1]
normal = [0, 0, 1]
size = 2
material = "white"

[[plane]]
name = "left"
center = [-1, 1, 0]
normal = [1, 0, 0]
size = 2
material = "orange"

[[plane]]
name = "right"
center = [1, 1, 0]
normal = [-1, 0, 0]
size = 2
material = "blue"

[[box]]
name = "block"
center = [-0.35, 0.55, -0.3]
size = [0.6, 1.1, 0.6]
rotate = [0, 20, 0]
material = "white"

[[sphere]]
name = "ball"
center = [0.42, 0.36, 0.3]
radius = 0.36
material = "porcelain"

[material.lamp]
Kd = 0
Ke = [17, 14, 10]

[material.white]
Kd = 0.75

[material.orange]
Kd = [0.75, 0.28, 0.08]

[material.blue]
Kd = [0.10, 0.30, 0.62]

[material.porcelain]
Kd = [0.7, 0.68, 0.62]
Ks = 0.25
Ns = 200
"""

_TABLE = """# A ball of glass, one of silver and a pot on a chequered table, under a square lamp and an evening sky.

[environment]
picture = "@sky.png"
intensity = 0.8

[[camera]]
name = "front"
position = [0.3, 1.75, 5.6]
target = [-0.05, 0.5, 0]
fov = 31
size = [640, 480]

[[plane]]
name = "lamp"
center = [-2.2, 3.6, 1.2]
normal = [0.55, -1, -0.25]
size = [1.4, 1.4]
material = "lamp"

[[plane]]
name = "board"
center = [0, 0, 0]
normal = [0, 1, 0]
size = [4.4, 3.3]
repeat = [1, 0.75]
material = "chequers"

[[box]]
name = "table"
center = [0, -0.101, 0]
size = [4.6, 0.2, 3.5]
material = "wood"

[[sphere]]
name = "glass ball"
center = [-0.65, 0.5, 0.6]
radius = 0.5
material = "glass"

[[sphere]]
name = "silver ball"
center = [0.55, 0.6, -0.45]
radius = 0.6
material = "silver"

[[mesh]]
name = "pot"
file = "@pot.obj"
scale = 0.55
translate = [-1.6, 0, -0.6]
material = "glaze"

[[sphere]]
name = "marble"
center = [0.75, 0.22, 0.8]
radius = 0.22
material = "brass"

[material.lamp]
Kd = 0
Ke = [14, 12.5, 10]

[material.chequers]
texture = "@chequers.png"
Ks = 0.05
Ns = 60

[material.wood]
Kd = [0.20, 0.09, 0.04]

[material.glass]
transmission = [0.97, 0.99, 0.98]
ior = 1.5

[material.silver]
Kd = 0
mirror = [0.92, 0.91, 0.88]

[material.glaze]
Kd = [0.08, 0.30, 0.36]
Ks = 0.3
Ns = 300

[material.brass]
Kd = [0.9, 0.65, 0.25]
roughness = 0.25
metallic = 1.0
"""


@dataclass(frozen=True)
class SceneSample:
    """A scene to be written.

    Attributes:
        text: of the scene file; "@NAME" stands for a file beside it.
        meshes, pictures: by what follows the "@", without the extension; pictures [h,w,3] linear.
    """

    text: str
    meshes: Mapping[str, Mesh] = field(default_factory=dict)
    pictures: Mapping[str, torch.Tensor] = field(default_factory=dict)


def lit_tree() -> SceneSample:
    """A tree on a meadow, of bark and leaves, under a point light and a weak one from the sky."""
    return SceneSample(_TREE, {"bark": bark(), "leaves": leaves()})


def cornell_box() -> SceneSample:
    """A box of coloured walls with a block and a ball, under an area light."""
    return SceneSample(_BOX)


def table_top() -> SceneSample:
    """Balls of glass, silver and brass and a pot on a chequered table, under an area light and a sky."""
    from invrender.samples.revolved import vase

    return SceneSample(_TABLE, {"pot": vase()}, {"sky": _sky(), "chequers": _chequers()})


def write_scene_sample(path: Path, sample: SceneSample) -> list[Path]:
    """Write a sample and the files that it names: beside it, called after it.

    Returns:
        The files, the scene first.

    Raises:
        UsageError: the extension is not .toml, or the place cannot be written to.
    """
    if path.suffix.lower() != ".toml":
        raise UsageError(f"a scene cannot be written as '{path.name}'", f"name a .toml file: {path.stem}.toml")
    files = []
    for name, mesh in sample.meshes.items():
        files.append(path.with_name(f"{path.stem}-{name}.obj"))
        write_obj(files[-1], mesh)
    for name, picture in sample.pictures.items():
        files.append(path.with_name(f"{path.stem}-{name}.png"))
        atomic_write_bytes(files[-1], colour_png(picture))
    atomic_write_text(path, sample.text.replace("@", f"{path.stem}-"))
    return [path, *files]


def _sky() -> torch.Tensor:
    """[64,128,3] a clear sky, warm at the horizon and blue above, over dark ground."""
    up = np.sin(np.linspace(np.pi / 2, -np.pi / 2, 64))[:, None, None]
    high = np.clip(up, 0, 1) ** 0.5
    sky = (1 - high) * [0.95, 0.72, 0.5] + high * [0.2, 0.38, 0.75]
    ground = np.array([0.30, 0.25, 0.21])
    picture = np.where(up > 0, sky, ground)
    return torch.from_numpy(np.repeat(picture, 128, axis=1).astype(np.float32))


def _chequers() -> torch.Tensor:
    """[512,512,3] eight by eight squares of two woods, with a fine grain."""
    places = (np.arange(512) + 0.5) / 512
    column, row = np.meshgrid(np.floor(8 * places), np.floor(8 * places))
    dark = (column + row) % 2
    u, v = np.meshgrid(places, places)
    grain = 1 + 0.1 * np.sin(160 * v + 6 * np.sin(9 * u + 3 * row)) * np.cos(23 * v + column)
    picture = (dark[..., None] * [0.16, 0.07, 0.03] + (1 - dark[..., None]) * [0.72, 0.52, 0.3]) * grain[..., None]
    return torch.from_numpy(picture.astype(np.float32))
