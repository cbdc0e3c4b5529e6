"""The rays of views through a radiance field, and what they should show."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.rays import camera_rays
from invrender.colour import linear_to_srgb
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.kernels.field import Field, FieldRays
from invrender.nouns import Cameras, Views
from invrender.photometry.view_dependent import directional
from invrender.render.sampling import sample_rays

Tensor = torch.Tensor

STEP = 0.5  # cells from sample to sample
REACHES = 0.999  # transmittance of a solid field above which a ray has missed it


@dataclass(frozen=True)
class Targets:
    """Rays and what they should show, on the backend's device.

    Attributes:
        rays: R of them.
        shown: [R,4] sRGB-encoded colour over black, and transmittance.
    """

    rays: FieldRays
    shown: Tensor


def part(rays: FieldRays, chosen: Tensor) -> FieldRays:
    """Some of the rays."""
    return FieldRays(rays.start[chosen], rays.step[chosen], rays.length[chosen], rays.count[chosen], rays.basis[chosen])


def jittered(rays: FieldRays, by: Tensor) -> FieldRays:
    """The samples shifted along their rays by shares [R] of a step in [-0.5, 0.5]."""
    by = by.to(rays.start)
    return FieldRays(rays.start + by[:, None] * rays.step, rays.step, rays.length, rays.count, rays.basis)


def rays_through(cameras: Cameras, bounds: Tensor, shape: tuple[int, int, int], functions: int) -> FieldRays:
    """All pixels' rays through a grid of cubes, in the order of the images."""
    spacing = float(bounds[1, 0] - bounds[0, 0]) / (shape[2] - 1)
    rays = camera_rays(cameras)
    samples = sample_rays(rays, bounds, shape, STEP * spacing, torch.float32)
    basis = directional(rays.direction.float(), functions)
    return FieldRays(samples.start, samples.step, samples.length / spacing, samples.count, basis)


def targets(views: Views, bounds: Tensor, solid: Field, functions: int, backend: Backend) -> Targets:
    """The rays that meet the sites, one view after the other.

    Args:
        views: with colours; pixels of no confidence are left out.
        bounds: [2,3] of the grid.
        solid: a field that is opaque wherever it has a site.
        functions: of direction.
        backend: what tells which rays meet them.

    Raises:
        InputError: none does, or the views hold no colours.
    """
    if views.images is None:
        raise InputError("the views hold no colours", "use a dataset of pictures, or --method silhouette")
    depth, height, width = solid.index.shape
    opaque = solid.to(backend.device)
    found, wanted = [], []
    for i in range(len(views.cameras)):
        rays = rays_through(views.cameras[[i]], bounds, (depth, height, width), functions)
        meets = backend.field(opaque, rays.to(backend.device))[:, 3].cpu() < REACHES
        if views.confidence is not None:
            meets &= views.confidence[i].reshape(-1) > 0
        alpha = views.masks[i].reshape(-1, 1)[meets]
        lit = (views.images[i].reshape(-1, 3)[meets] * alpha).cpu().numpy()
        wanted.append(torch.cat([torch.from_numpy(linear_to_srgb(lit)).float(), 1 - alpha], 1))
        found.append(part(rays, meets))
    if not sum(len(each) for each in wanted):
        raise InputError("no camera sees the box of the object", "check --bounds against the cameras")
    return Targets(joined(found).to(backend.device), torch.cat(wanted).to(backend.device))


def joined(parts: list[FieldRays]) -> FieldRays:
    """Rays of several views, one after the other."""
    return FieldRays(
        torch.cat([p.start for p in parts]),
        torch.cat([p.step for p in parts]),
        torch.cat([p.length for p in parts]),
        torch.cat([p.count for p in parts]),
        torch.cat([p.basis for p in parts]),
    )
