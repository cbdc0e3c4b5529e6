"""Cameras around an asset, whichever kind it is: the rigs of `invrender render` as one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invrender.cameras import rigs, volume_rigs
from invrender.cameras.framing import fitting_distance, fitting_extent, mesh_points, volume_points
from invrender.cameras.parallel import extents, parallel_like, with_extent
from invrender.cameras.rigs import RigKind, mesh_frame, rig, rotated
from invrender.cameras.volume_rigs import volume_frame, volume_rig
from invrender.nouns import Cameras, Mesh, Volume

if TYPE_CHECKING:
    from torch import Tensor


def around(
    asset: Mesh | Volume,
    kind: RigKind = "orbit",
    count: int = 1,
    size: int | tuple[int, int] = 512,
    *,
    distance: float | None = None,
    fov: float | None = None,
    elevation: float = 10.0,
    azimuth: float = 0.0,
    parallel: bool = False,
    extent: float | None = None,
) -> Cameras:
    """Cameras that look at the middle of a mesh or a volume.

        cameras = around(mesh, "sphere", 12, size=128)

    Args:
        asset: what stands in the middle.
        kind: 'orbit' (equal azimuths at one elevation) or 'sphere' (Fibonacci).
        count: how many.
        size: (H, W) in pixels, or the side of square images.
        distance: of the cameras: in half-extents of a mesh, in longest axes of a volume. None: 3 and 2, or as far as
            the whole object needs to be in the pictures.
        fov: degrees, across the smaller side of the image (45 for meshes, 40 for volumes).
        elevation: degrees above the XZ plane; the orbit's alone.
        azimuth: rotation of all of them about +Y, in degrees.
        parallel: whether their rays are parallel (orthographic cameras).
        extent: what those see across the smaller side of the image, in world units. None: what perspective ones see at
            the object's middle, or more if no `distance` is given and the whole object needs it.

    Raises:
        UsageError: a number is out of range, or the kind unknown.
        InputError: the mesh has no extent.
    """
    shape = (size, size) if isinstance(size, int) else size
    fits = distance is None
    if isinstance(asset, Volume):
        centre, _ = volume_frame(asset)
        distance = volume_rigs.DISTANCE if parallel else distance
        cameras = volume_rig(asset, kind, count, shape, distance, fov or volume_rigs.FOV, elevation)
    else:
        centre, scale = mesh_frame(asset.vertices, asset.faces)
        fov = fov or rigs.FOV
        if distance is None:
            points = _points(asset) - centre
            fitting = 0.0 if parallel else fitting_distance(points, kind, shape, fov, elevation) / scale
            distance = max(rigs.DISTANCE, fitting)
        cameras = rig(kind, count, centre, scale, shape, distance, fov, elevation)
    if parallel or extent is not None:
        cameras = parallel_like(cameras, centre)
        if extent is None and fits:
            needed = fitting_extent(_points(asset) - centre.cpu(), kind, shape, elevation)
            extent = max(needed, float(extents(cameras)[0]))
        cameras = cameras if extent is None else with_extent(cameras, extent)
        alike = cameras.projection[:1].repeat(count, 1, 1)  # to the last bit
        cameras = Cameras(cameras.world_to_camera, alike, cameras.size)
    return rotated(cameras, centre, azimuth)


def _points(asset: Mesh | Volume) -> Tensor:
    """[P,3] float64, what pictures must hold."""
    return volume_points(asset) if isinstance(asset, Volume) else mesh_points(asset.vertices, asset.faces)
