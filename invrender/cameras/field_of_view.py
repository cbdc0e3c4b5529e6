"""What a scanner sees: how far around its axis, from which height to which, and how large a pixel is there.

The axis is the world's Z. A detector's left and right border with the source are planes, whose distance from the axis
is how far the detector sees to that side; its upper and lower border meet the axis where it sees no further.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns.scan import ScanGeometry

Tensor = torch.Tensor


@dataclass(frozen=True)
class FieldOfView:
    """What the frames of a scan see around the axis, in world units.

    Attributes:
        radius: of the cylinder that all frames see.
        reach: how far they see to the side that shows more; larger than `radius` where the detector stands aside.
        low, high: heights between which the axis is seen by all frames; of a helix by any.
        voxel: the size of a pixel at the axis, across and down.
    """

    radius: float
    reach: float
    low: float
    high: float
    voxel: tuple[float, float]


def is_helical(geometry: ScanGeometry) -> bool:
    """Whether source or detector climb along the axis, by more than a row."""
    heights = (geometry.centre if geometry.beam == "parallel" else geometry.source)[:, 2]
    return float(heights.amax() - heights.amin()) > float(geometry.v.norm(dim=1).amax())


def field_of_view(geometry: ScanGeometry) -> FieldOfView:
    """What a scan sees; a radius below 0 means that the axis lies outside the detector.

    Of a helix, whose frames have no height in common, the heights that any of them sees.
    """
    helical = is_helical(geometry)
    height, width = geometry.size
    sides = torch.stack([_side(geometry, -width / 2), -_side(geometry, width / 2)])
    tops, bottoms = _height(geometry, -height / 2), _height(geometry, height / 2)
    low, high = torch.minimum(tops, bottoms), torch.maximum(tops, bottoms)
    across, down = _voxel(geometry)
    return FieldOfView(
        float(sides.amin()),
        float(sides.amax(0).amin()),
        float(low.amin() if helical else low.amax()),
        float(high.amax() if helical else high.amin()),
        (across, down),
    )


def _side(geometry: ScanGeometry, column: float) -> Tensor:
    """[N]: how far the axis is from the plane of the source and a column, to the right of it as the detector sees."""
    edge = geometry.centre + column * geometry.u
    ahead = geometry.source if geometry.beam == "parallel" else edge - geometry.source
    # The plane holds the ray to the column's middle and the axis' direction.
    normal = torch.stack([ahead[:, 1], -ahead[:, 0]], 1)
    right = geometry.u[:, :2]
    normal = normal * (normal * right).sum(1, keepdim=True).sign()
    found: Tensor = -(edge[:, :2] * normal).sum(1) / normal.norm(dim=1)
    return found


def _height(geometry: ScanGeometry, row: float) -> Tensor:
    """[N]: where the plane of the source and a row meets the axis; of a parallel or fan beam the row's own height."""
    edge = geometry.centre + row * geometry.v
    if geometry.beam == "fan":
        return edge[:, 2]
    ahead = geometry.source if geometry.beam == "parallel" else edge - geometry.source
    normal = torch.linalg.cross(ahead, geometry.u)
    found: Tensor = (normal * edge).sum(1) / normal[:, 2]
    return found


def _voxel(geometry: ScanGeometry) -> tuple[float, float]:
    """What a pixel across and down measures at the axis."""
    across, down = float(geometry.u.norm(dim=1).mean()), float(geometry.v.norm(dim=1).mean())
    shrunk = 1 / magnification(geometry)
    return across * shrunk, down * (1.0 if geometry.beam == "fan" else shrunk)


def magnification(geometry: ScanGeometry) -> float:
    """From the source to the detector over from the source to the axis, on average; 1 of a parallel beam."""
    if geometry.beam == "parallel":
        return 1.0
    normal = torch.nn.functional.normalize(torch.linalg.cross(geometry.u, geometry.v), dim=1)
    whole = ((geometry.centre - geometry.source) * normal).sum(1)
    axis = torch.stack([torch.zeros_like(whole), torch.zeros_like(whole), geometry.source[:, 2]], 1)
    near = ((axis - geometry.source) * normal).sum(1)
    return float((whole / near).mean())
