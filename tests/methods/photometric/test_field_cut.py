"""A radiance field of pictures that cut the object off begins near what several of them show."""

from __future__ import annotations

import torch

from invrender.methods.photometric.field.sites import hull_sites
from invrender.nouns import Cameras
from tests.methods.photometric.scene import CENTRE, RADIUS, around, taken

REACH = 3.0  # of the box, in radii of the ball


def test_what_hardly_any_picture_shows_holds_no_fog() -> None:
    whole = around(8, (40, 48))
    projection = whole.projection.clone()
    projection[:, 1, 2] += 0.8  # the ball leaves each picture by one side
    views = taken(Cameras(whole.world_to_camera, projection, whole.size)[[0, 2, 3]])
    assert float(torch.stack([views.masks[:, 0].amax(), views.masks[:, -1].amax()]).max()) > 0.9
    centre = torch.from_numpy(CENTRE)
    bounds = torch.stack([centre - REACH * RADIUS, centre + REACH * RADIUS])
    sites = hull_sites(views, bounds, (25, 25, 25))
    line = torch.linspace(-REACH, REACH, 25)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    radii = (x**2 + y**2 + z**2).sqrt()
    assert bool(sites[radii < 0.4].all())
    assert float(sites[radii > 2].float().mean()) < 0.01
