"""Sample scenes: texts of scene files (`scene_texts`), and the meshes and pictures that they name."""

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
from invrender.io.volumes.write import write_volume
from invrender.nouns import Mesh, Volume
from invrender.samples.scene_texts import BOX, CLOUD, TABLE, TREE
from invrender.samples.tree import bark, leaves
from invrender.shading.sky import Sky, sunlight


@dataclass(frozen=True)
class SceneSample:
    """A scene to be written.

    Attributes:
        text: of the scene file; "@NAME" stands for a file beside it.
        meshes, pictures, volumes: by what follows the "@", without the extension; pictures [h,w,3] linear.
    """

    text: str
    meshes: Mapping[str, Mesh] = field(default_factory=dict)
    pictures: Mapping[str, torch.Tensor] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)


def lit_tree() -> SceneSample:
    """A tree on a meadow, of bark and leaves, under a point light and a weak one from the sky."""
    return SceneSample(TREE, {"bark": bark(), "leaves": leaves()})


def cornell_box() -> SceneSample:
    """A box of coloured walls with a block and a ball, under an area light."""
    return SceneSample(BOX)


def table_top() -> SceneSample:
    """Balls of glass, silver and brass and a pot on a chequered table, under an area light and a sky."""
    from invrender.samples.revolved import vase

    return SceneSample(TABLE, {"pot": vase()}, {"sky": _sky(), "chequers": _chequers()})


def summer_cloud() -> SceneSample:
    """A cloud on a fair afternoon, by sun and sky, whose light is scattered in it many times."""
    from invrender.samples.volumes import cumulus

    sun = sunlight(Sky((0.75, 0.55, 0.35), 2.0)).tolist()
    text = CLOUD.replace("SUN", ", ".join(f"{value:.2f}" for value in sun))
    return SceneSample(text, volumes={"cumulus": cumulus(96)})


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
    for name, volume in sample.volumes.items():
        files.append(path.with_name(f"{path.stem}-{name}.npz"))
        write_volume(files[-1], volume)
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
