"""Highlights: points that a few photographs show brighter than all others do, as on glossy surfaces.

An albedo under a fixed light looks the same from everywhere. A highlight goes with the camera: most photographs of a
point agree, and few lie far above them. A surface that is not quite where the photographs have it gives differences
to both sides instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.colour import srgb_to_linear
from invrender.geometry.vectors import Floats, Ints, vertex_normals
from invrender.kernels import Backend
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import Samples, depth_buffer, look_at_points

Tensor = torch.Tensor

WELL = 0.35  # weight (a cosine) from which on a photograph tells of highlights
FEWEST = 5  # photographs of a point that can tell
ABOVE = 0.06  # of the brightness that is white, by which a highlight stands out at least
LOPSIDED = 3.0  # how much farther the brightest photograph lies above the median than the darkest below it
GLOSSY = 0.08  # share of the points that show highlights from which on a surface is glossy


@dataclass(frozen=True)
class Brightness:
    """What photographs show of P points' brightness, linear.

    Attributes:
        told: [P] bool, which of them enough photographs see.
        usual: [P] float64, the median over the photographs that see a point well; inf where too few do.
        shining: [P] bool, which of them show a highlight.
    """

    told: Tensor
    usual: Tensor
    shining: Tensor

    @property
    def share(self) -> float:
        """Of the points that are told, how many show a highlight."""
        return float(self.shining[self.told].double().mean()) if bool(self.told.any()) else 0.0


def brightness(samples: Samples) -> Brightness:
    """The brightness of points, by what photographs show there."""
    seen = samples.weight > WELL
    told = seen.sum(0) >= FEWEST
    values = _linear(samples.colours)
    middle = torch.where(seen, values, torch.nan).nanmedian(0).values
    above = torch.where(seen, values, -torch.inf).amax(0) - middle
    below = middle - torch.where(seen, values, torch.inf).amin(0)
    shining = told & (above > ABOVE) & (above > LOPSIDED * below)
    return Brightness(told, torch.where(told, middle, torch.inf), shining)


def surface_brightness(vertices: Floats, faces: Ints, photos: Photos, backend: Backend) -> Brightness:
    """The brightness of a surface's vertices [V,3]."""
    points, triangles = torch.from_numpy(vertices), torch.from_numpy(faces)
    depth = depth_buffer(points, triangles, photos.clip_from_object, photos.size, backend)
    normals = torch.from_numpy(vertex_normals(vertices, faces))
    return brightness(look_at_points(points, normals, photos, depth))


def _linear(coded: Tensor) -> Tensor:
    """Linear brightness, the mean of the channels, of sRGB-encoded colours [...,3]."""
    return torch.from_numpy(srgb_to_linear(coded.double().numpy())).mean(-1)
