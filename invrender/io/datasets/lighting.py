"""What a dataset of a scattering medium tells of the light in its pictures: a scene file beside them.

It holds the environment, lights and meshes, and of the medium its box, albedo and mean cosine. How dense the medium is
it does not say (the extinction is 0): that is what the pictures are for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from invrender.errors import UsageError
from invrender.io.files.paths import is_file, shown
from invrender.io.meshes.generator import GENERATOR
from invrender.nouns import Scene, Volume

LIGHTING = "scene.toml"


def write_lighting(folder: str | Path, scene: Scene) -> list[Path]:
    """Write what is known of the light in pictures of a scene with a medium.

    Returns:
        The files, the scene file first.
    """
    from invrender.io.scenes.write import write_scene

    media = tuple(replace(medium, extinction=_nothing(medium.extinction)) for medium in scene.media)
    return write_scene(Path(folder) / LIGHTING, replace(scene, media=media, cameras=()))


def lighting_of(folder: str | Path) -> Scene | None:
    """The light of a dataset, as a scene whose medium has an extinction of 0 everywhere in its box; None: not told.

    Args:
        folder: of the dataset, or its pose file.

    Raises:
        InputError: the scene file is damaged, or names what is missing.
    """
    from invrender.io.scenes.read import read_scene

    source = Path(folder)
    path = (source.parent if is_file(source) else source) / LIGHTING
    return read_scene(path) if is_file(path) else None


def is_lighting(path: Path) -> bool:
    """Whether a scene file is one that we wrote."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().startswith(f"# {GENERATOR.split()[0]} ")
    except OSError:
        return False


def check_lighting_place(folder: str | Path) -> None:
    """
    Raises:
        UsageError: the folder holds a scene file of somebody else, which would be replaced.
    """
    path = Path(folder) / LIGHTING
    if is_file(path) and not is_lighting(path):
        raise UsageError(
            f"{shown(path)} is no dataset's, and would be replaced by what tells the light of this one",
            "choose another folder with --dataset",
        )


def _nothing(volume: Volume) -> Volume:
    """0 everywhere in the box of a volume."""
    return Volume(volume.values.new_zeros(1, 2, 2, 2), volume.bounds, volume.name, volume.units)
