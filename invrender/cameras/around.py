"""Cameras around an asset, whichever kind it is: the rigs of `invrender render` as one function."""

from __future__ import annotations

from invrender.cameras import rigs, volume_rigs
from invrender.cameras.framing import fitting_distance, mesh_points
from invrender.cameras.rigs import RigKind, mesh_frame, rig, rotated
from invrender.cameras.volume_rigs import volume_frame, volume_rig
from invrender.nouns import Cameras, Mesh, Volume


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

    Raises:
        UsageError: a number is out of range, or the kind unknown.
        InputError: the mesh has no extent.
    """
    shape = (size, size) if isinstance(size, int) else size
    if isinstance(asset, Volume):
        cameras = volume_rig(asset, kind, count, shape, distance, fov or volume_rigs.FOV, elevation)
        return rotated(cameras, volume_frame(asset)[0], azimuth)
    centre, scale = mesh_frame(asset.vertices, asset.faces)
    fov = fov or rigs.FOV
    if distance is None:
        points = mesh_points(asset.vertices, asset.faces) - centre
        distance = max(rigs.DISTANCE, fitting_distance(points, kind, shape, fov, elevation) / scale)
    return rotated(rig(kind, count, centre, scale, shape, distance, fov, elevation), centre, azimuth)
