"""Cameras around an asset, whichever kind it is: the rigs of `invrender render` as one function."""

from __future__ import annotations

from invrender.cameras import rigs, volume_rigs
from invrender.cameras.rigs import RigKind, mesh_frame, rig, rotated
from invrender.cameras.volume_rigs import volume_frame
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
        distance: of the cameras: in half-extents of a mesh (3), in longest axes of a volume (2).
        fov: degrees, across the smaller side of the image (45 for meshes, 40 for volumes).
        elevation: degrees above the XZ plane; the orbit's alone.
        azimuth: rotation of all of them about +Y, in degrees.

    Raises:
        UsageError: a number is out of range, or the kind unknown.
        InputError: the mesh has no extent.
    """
    defaults = rigs if isinstance(asset, Mesh) else volume_rigs
    frame = mesh_frame(asset.vertices, asset.faces) if isinstance(asset, Mesh) else volume_frame(asset)
    shape = (size, size) if isinstance(size, int) else size
    placement = (distance or defaults.DISTANCE, fov or defaults.FOV, elevation)
    return rotated(rig(kind, count, *frame, shape, *placement), frame[0], azimuth)
