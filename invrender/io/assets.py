"""Reading and writing assets of every kind, by what a path names and by the type of what is written.

A path may name a mesh, a scene, a volume (a file or a folder of slices), a dataset of posed images (or its pose file),
or the folder of a finished run, which stands for its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import is_file, is_folder
from invrender.nouns import Mesh, Scene, Views, Volume
from invrender.parameters.neural_field import LearnedField

if TYPE_CHECKING:
    from invrender.io.datasets.transmittance import TransmittanceViews

Kind = Literal["mesh", "scene", "volume", "transmittance", "views"]

NETWORK = "network.safetensors"  # the result of `invrender train`
RUN = "run.json"  # marks the folder of a run
MESH_RESULTS = ("mesh.ply", "mesh.glb")
VOLUME_RESULTS = ("volume.npz", "volume.vti")


def identify(source: str | Path) -> tuple[Kind, Path]:
    """What a path means, and the file or folder that holds it: of a run, its result.

    Raises:
        InputError: a run that has no result yet, or voxels with pictures of them.
    """
    from invrender.io.datasets.dataset import is_dataset
    from invrender.io.datasets.transmittance import is_transmittance
    from invrender.io.pairs.open_source import refuse_pairs
    from invrender.io.scenes.read import is_scene_path

    path = Path(source)
    if is_scene_path(path) and not is_folder(path):
        return "scene", path
    volume = volume_file(path)
    if volume is not None:
        return "volume", volume
    if is_transmittance(path):
        return "transmittance", path
    if is_file(path / RUN):
        path = _run_mesh(path)
    elif is_folder(path) and not is_dataset(path):
        refuse_pairs(path)
    return ("views" if is_folder(path) or is_dataset(path) else "mesh"), path


def read(
    source: str | Path,
    *,
    masks: str | Path | None = None,
    key: str = "density",
    shape: Sequence[int] | None = None,
    dtype: str | None = None,
    frame: int | None = None,
) -> Mesh | Scene | Volume | Views | TransmittanceViews:
    """Read whatever a path names: a mesh, a scene, a volume, a dataset of posed images, or the result of a run.

        mesh = invrender.read("data/mug.glb")
        volume = invrender.read("outputs/cloud")

    Args:
        source: a file or a folder.
        masks: of a dataset: a folder of masks named after the images.
        key: which array of an .npz, .vti or .vdb.
        shape, dtype: of a .raw volume: samples along z, y, x, and the type of its numbers as numpy spells it.
        frame: of a volume file that holds several along a fourth axis: which one, from 0.

    Raises:
        InputError: it is missing, damaged, of an unknown kind, or a run without a result.
        UsageError: shape or dtype for something else than a .raw file, masks for something else than a dataset.
    """
    from invrender.io.datasets.dataset import read_dataset
    from invrender.io.datasets.transmittance import read_transmittance
    from invrender.io.meshes.read import read_mesh
    from invrender.io.scenes.read import read_scene
    from invrender.io.volumes.read import read_volume

    kind, path = identify(source)
    if masks is not None and kind != "views":
        raise UsageError(f"masks go with a dataset, and {path} is none", "leave them out")
    if kind == "volume":
        return read_volume(path, key=key, shape=shape, dtype=dtype, frame=frame)
    if kind == "transmittance":
        return read_transmittance(path)
    if kind == "scene":
        return read_scene(path)
    return read_dataset(path, masks) if kind == "views" else read_mesh(path)


def write(
    target: str | Path,
    thing: Mesh | Scene | Volume | LearnedField | Views | TransmittanceViews,
    units: str | None = None,
) -> list[Path]:
    """Write a mesh or a volume in the format that the extension names, a scene, or posed images as a dataset folder.

        invrender.write("mug.ply", mesh)

    Args:
        target: of a mesh .glb, .ply, .obj or .stl; of a scene .toml, beside which its meshes are written; of a volume
            .npz, .vti, .nrrd, ...; of a neural field .npz; of images a folder. What lies there is replaced.
        thing: what to write; gradients are left behind.
        units: what one unit of a mesh's coordinates is ('metre', ...), where the format has a place for it.

    Returns:
        The files written; of a dataset the poses first, and of a scene the .toml.

    Raises:
        UsageError: the extension is unknown, or the place cannot be written to.
    """
    from invrender.io.datasets.dataset import write_dataset
    from invrender.io.datasets.transmittance import write_transmittance
    from invrender.io.meshes.write import write_mesh
    from invrender.io.scenes.write import write_scene
    from invrender.io.volumes.field import write_field
    from invrender.io.volumes.write import write_volume

    if isinstance(thing, Mesh):
        write_mesh(target, thing, units)
    elif isinstance(thing, Volume):
        write_volume(target, thing)
    elif isinstance(thing, LearnedField):
        write_field(target, thing)
    elif isinstance(thing, Scene):
        return write_scene(target, thing)
    elif isinstance(thing, Views):
        return write_dataset(target, thing)
    else:
        return write_transmittance(target, thing)
    return [Path(target)]


def volume_file(source: Path) -> Path | None:
    """The volume that a path means: a volume file, or the one in a run's folder; None where it means something else."""
    from invrender.io.volumes.folders import is_volume_folder
    from invrender.io.volumes.foreign import is_foreign
    from invrender.io.volumes.paths import is_volume_path

    if is_folder(source):
        found = source if is_foreign(source) else _first(source, VOLUME_RESULTS)
        return found or (source if is_volume_folder(source) else None)
    return source if is_volume_path(source) else None


def mesh_file(source: Path) -> Path:
    """The mesh that a path means: the file itself, or the result in a run's folder.

    Raises:
        InputError: the folder holds no result.
    """
    from invrender.io.pairs.open_source import refuse_pairs

    found = _first(source, MESH_RESULTS) if is_folder(source) else source
    if found is None:
        refuse_pairs(source)
        if is_file(source / NETWORK):
            raise no_asset(source)
        raise InputError(
            f"the folder {source} holds no {' or '.join(MESH_RESULTS)}",
            "name a mesh file, or the folder of a finished `invrender reconstruct`",
        )
    return found


def no_asset(run: Path) -> InputError:
    """The error for the run of a network where an asset is asked for."""
    return InputError(
        f"the run in {run} taught a network, which is no asset",
        f"draw by it: invrender render VOLUME --model {run} -o turn.gif",
    )


def _run_mesh(run: Path) -> Path:
    found = _first(run, MESH_RESULTS)
    if found is None and is_file(run / NETWORK):
        raise no_asset(run)
    if found is None:
        raise InputError(f"the run in {run} has no mesh yet", "let it finish, or run it again")
    return found


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if is_file(folder / name)), None)
