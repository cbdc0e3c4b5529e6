"""A result against its reference, meshes and volumes alike: what `invrender.evaluate` calls."""

from __future__ import annotations

from pathlib import Path
from typing import overload

from invrender.backends import select
from invrender.errors import UsageError
from invrender.evaluate.mesh import MeshMetrics, mesh_metrics
from invrender.evaluate.volume import VolumeMetrics, volume_metrics
from invrender.io.assets import mesh_file, volume_file
from invrender.io.meshes.read import read_mesh
from invrender.io.volumes.read import read_volume
from invrender.nouns import Mesh, Volume

MESH_VIEWS, MESH_SIZE = 16, 256
VOLUME_VIEWS, VOLUME_SIZE = 8, 128


@overload
def evaluate(
    result: Mesh,
    reference: Mesh,
    *,
    backend: str = ...,
    views: int | None = ...,
    size: int | None = ...,
    samples: int = ...,
    seed: int = ...,
) -> MeshMetrics: ...
@overload
def evaluate(
    result: Volume,
    reference: Volume,
    *,
    backend: str = ...,
    views: int | None = ...,
    size: int | None = ...,
    samples: int = ...,
    seed: int = ...,
) -> VolumeMetrics: ...
@overload
def evaluate(
    result: Mesh | Volume | str | Path,
    reference: Mesh | Volume | str | Path,
    *,
    backend: str = ...,
    views: int | None = ...,
    size: int | None = ...,
    samples: int = ...,
    seed: int = ...,
) -> MeshMetrics | VolumeMetrics: ...


def evaluate(
    result: Mesh | Volume | str | Path,
    reference: Mesh | Volume | str | Path,
    *,
    backend: str = "auto",
    views: int | None = None,
    size: int | None = None,
    samples: int = 30_000,
    seed: int = 0,
) -> MeshMetrics | VolumeMetrics:
    """Measure a mesh or a volume against its reference, in the frame that both share.

        invrender.evaluate(mesh, reference).chamfer
        invrender.evaluate("outputs/cloud", "cloud.npz").psnr

    Args:
        result, reference: two meshes or two volumes, or the paths of such (the folder of a run stands for its result).
        backend: draws the views that the result was not made from.
        views, size: of those: how many, and the side in pixels; None: 16 of 256 for meshes, 8 of 128 for volumes.
        samples, seed: of points on the surfaces of meshes.

    Raises:
        UsageError: a mesh is compared with a volume, or one of both is neither.
        InputError: a file cannot be read, or the reference is empty.
    """
    found = _read(result) if isinstance(result, str | Path) else result
    target = _read(reference) if isinstance(reference, str | Path) else reference
    if isinstance(found, Mesh) and isinstance(target, Mesh):
        chosen = select(backend, needs=("meshes",))
        return mesh_metrics(found, target, chosen, views or MESH_VIEWS, size or MESH_SIZE, samples, seed)
    if isinstance(found, Volume) and isinstance(target, Volume):
        chosen = select(backend, needs=("volumes",))
        return volume_metrics(found, target, chosen, views or VOLUME_VIEWS, size or VOLUME_SIZE)
    raise UsageError(
        f"a {type(found).__name__} cannot be compared with a {type(target).__name__}",
        "compare two meshes, or two volumes",
    )


def _read(source: str | Path) -> Mesh | Volume:
    path = volume_file(Path(source))
    return read_mesh(mesh_file(Path(source))) if path is None else read_volume(path)
