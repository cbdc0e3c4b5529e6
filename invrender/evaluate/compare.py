"""A result against its reference, meshes and volumes alike: what `invrender.evaluate` calls.

Like is compared with like: surfaces with surfaces, samples of one quantity with samples, and volumes in colours by what
they look like. What cannot be compared is refused, with what it would take.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import overload

from invrender.backends import select
from invrender.errors import InputError, UsageError
from invrender.evaluate.mesh import MeshMetrics, mesh_metrics
from invrender.evaluate.run_look import Look, asset_look, found_look
from invrender.evaluate.shown import COLOURS, Shown, ShownMetrics, shown_metrics
from invrender.evaluate.volume import VolumeMetrics, volume_metrics
from invrender.io.assets import mesh_file, volume_file
from invrender.io.meshes.read import read_mesh
from invrender.io.volumes.read import read_volume
from invrender.nouns import Cameras, Mesh, Volume

MESH_VIEWS, MESH_SIZE = 16, 256
VOLUME_VIEWS, VOLUME_SIZE = 8, 128

Asset = Mesh | Volume | Shown
Metrics = MeshMetrics | VolumeMetrics | ShownMetrics


@dataclass(frozen=True)
class Judged:
    """What was measured, and by which comparison, for people."""

    metrics: Metrics
    comparison: str


@dataclass(frozen=True)
class Measures:
    """How to measure.

    Attributes:
        backend: draws the views that the result was not made from.
        views, size: of those: how many, and the side in pixels; None: 16 of 256 for meshes, 8 of 128 for volumes.
        samples, seed: of points on the surfaces of meshes.
        look: the transfer function under which a reference of plain values is shown beside a result in colours.
        seen_by: cameras of the views that a mesh was made from.
    """

    backend: str = "auto"
    views: int | None = None
    size: int | None = None
    samples: int = 30_000
    seed: int = 0
    look: Look | None = None
    seen_by: Cameras | None = None


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
    seen_by: Cameras | None = ...,
) -> MeshMetrics: ...
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
    look: Look | None = ...,
    seen_by: Cameras | None = ...,
) -> Metrics: ...


def evaluate(
    result: Mesh | Volume | str | Path,
    reference: Mesh | Volume | str | Path,
    *,
    backend: str = "auto",
    views: int | None = None,
    size: int | None = None,
    samples: int = 30_000,
    seed: int = 0,
    look: Look | None = None,
    seen_by: Cameras | None = None,
) -> Metrics:
    """Measure a mesh or a volume against its reference, in the frame that both share.

        invrender.evaluate(mesh, reference).chamfer
        invrender.evaluate("outputs/cloud", "cloud.npz").psnr

    Args:
        result, reference: two meshes or two volumes, or the paths of such (the folder of a run stands for its result).
        backend: draws the views that the result was not made from.
        views, size: of those: how many, and the side in pixels; None: 16 of 256 for meshes, 8 of 128 for volumes.
        samples, seed: of points on the surfaces of meshes.
        look: the transfer function that shows a reference of plain values beside a volume in colours; None: that of
            the run whose folder is named.
        seen_by: cameras that a mesh was made from: what they did not see is then told apart.

    Returns:
        `MeshMetrics` of meshes, `VolumeMetrics` of two volumes of one quantity, and `ShownMetrics` where one of both is
        in colours.

    Raises:
        UsageError: a mesh is compared with a volume, or one of both is neither.
        InputError: a file cannot be read, the reference is empty, or nothing in both can be compared.
    """
    how = Measures(backend, views, size, samples, seed, look, seen_by)
    if look is None and isinstance(result, str | Path):
        how = Measures(backend, views, size, samples, seed, asset_look(Path(result)), seen_by)
    found = _read(result) if isinstance(result, str | Path) else result
    target = _read(reference) if isinstance(reference, str | Path) else reference
    return judged(found, target, how).metrics


def judged(result: Asset, reference: Asset, how: Measures) -> Judged:
    """Measure a result by the comparison that fits it.

    Raises: see `evaluate`.
    """
    if isinstance(result, Mesh) and isinstance(reference, Mesh):
        chosen = select(how.backend, needs=("meshes",))
        views, size = how.views or MESH_VIEWS, how.size or MESH_SIZE
        metrics = mesh_metrics(result, reference, chosen, views, size, how.samples, how.seed, how.seen_by)
        return Judged(metrics, "surfaces, and silhouettes from unseen cameras")
    if isinstance(result, Mesh) or isinstance(reference, Mesh):
        names = [type(each).__name__ for each in (result, reference)]
        raise UsageError(f"a {names[0]} cannot be compared with a {names[1]}", "compare two meshes, or two volumes")
    one, other = (each if isinstance(each, Shown) else Shown(each) for each in (result, reference))
    chosen = select(how.backend, needs=("volumes",))
    views, size = how.views or VOLUME_VIEWS, how.size or VOLUME_SIZE
    if not (_in_colours(one) or _in_colours(other)):
        grids = volume_metrics(one.volume, other.volume, chosen, views, size)
        return Judged(grids, "samples of the grids, and pictures from unseen cameras")
    one, other = _shown(one, None, "the result"), _shown(other, how.look, "the reference")
    under = f"; the reference under {how.look}" if len(other.volume.values) == 1 and how.look else ""
    return Judged(shown_metrics(one, other, chosen, views, size), f"pictures in colour from unseen cameras{under}")


def _in_colours(each: Shown) -> bool:
    return each.transfer is not None or len(each.volume.values) == COLOURS


def _shown(each: Shown, look: Look | None, whose: str) -> Shown:
    """What draws itself: a volume in colours, or one of plain values under a transfer function."""
    if _in_colours(each):
        return each
    channels = len(each.volume.values)
    if look is not None and channels == 1:
        return Shown(each.volume, look.of(each.volume))
    if channels != 1:
        raise InputError(
            f"{whose} holds {channels} channels, and the other volume colours", "compare two volumes of one kind"
        )
    raise InputError(
        f"one volume holds extinction and colours, and {whose} plain values: by which transfer function these come to"
        " colours is not known",
        "name the run's folder as RESULT (a run from a volume knows it), or tell it: --strength 0.3 --colormap inferno",
    )


def _read(source: str | Path) -> Asset:
    path = volume_file(Path(source))
    if path is not None:
        return read_volume(path)
    return found_look(Path(source)) or read_mesh(mesh_file(Path(source)))
