"""Radiance fields of photographs: what no silhouette shows comes out, holes stay open, a seed repeats the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.errors import InputError
from invrender.geometry.closest import Surface
from invrender.geometry.connectivity import components, genus, is_closed_manifold, signed_volume
from invrender.geometry.hull import visual_hull
from invrender.methods.photometric.field.schedule import FieldSettings, Fitted, field_schedule, fitted_of
from invrender.methods.photometric.field.surface import surface_of
from invrender.nouns import Views, Volume
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.images import straight
from invrender.solve.loop import Loop

BACKEND = select("cpu", needs=("volumes",))
QUICK = FieldSettings(cells=32, functions=1, iterations=300, rays=2048)
BALL, HOLLOW = 0.4, np.array([0.0, 0.0, 0.3])  # a ball, and the centre of a smaller one that is taken out of it
INNER = np.array([[0.22, 0.0, 0.3 - (0.3**2 - 0.22**2) ** 0.5]])  # on the wall of the hollow: its radius is 0.3


def bowl(size: int = 48) -> Volume:
    """An opaque ball with a round hollow and a hole through the bottom of it, coloured in stripes."""
    line = torch.linspace(-0.5, 0.5, size)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    inside = (x**2 + y**2 + z**2).sqrt() - BALL
    hollow = 0.3 - (x**2 + y**2 + (z - HOLLOW[2]) ** 2).sqrt()
    hole = torch.minimum(0.14 - (x**2 + y**2).sqrt(), 0.1 - z)
    distance = torch.maximum(torch.maximum(inside, hollow), hole)
    density = 400 * (0.5 - distance * size / 2).clamp(0, 1)
    stripes = [0.5 + 0.4 * torch.sin(18 * axis) for axis in (x, y, z)]
    bounds = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)
    return Volume(torch.stack([density, *stripes]), bounds)


@pytest.fixture(scope="module")
def views() -> Views:
    volume = bowl()
    cameras = volume_rig(volume, "sphere", 40, (48, 48))
    colour, alpha = straight(render_volume(volume, cameras, VolumeStyle(None, None), BACKEND))
    return Views(cameras, alpha, colour, bounds=volume.bounds)


def found(views: Views, settings: FieldSettings) -> Fitted:
    loop = Loop(field_schedule(views, settings, BACKEND))
    for _ in loop:
        pass
    return fitted_of(loop.state.finished[-1].result)


@pytest.fixture(scope="module")
def fitted(views: Views) -> Fitted:
    return found(views, QUICK)


def apart(vertices: np.ndarray, faces: np.ndarray) -> float:
    """How far the surface is from a point on the wall of the hollow."""
    return float(Surface(vertices, faces).closest(INNER)[1][0])


def test_a_hollow_that_no_silhouette_shows_and_a_hole(views: Views, fitted: Fitted) -> None:
    vertices, faces = surface_of(fitted).numpy()
    assert is_closed_manifold(faces)
    assert components(faces).max() == 0
    assert genus(faces) == 1
    assert signed_volume(vertices, faces) > 0
    assert apart(vertices, faces) < 0.05
    assert apart(*visual_hull(views.masks, views.cameras, 32).numpy()) > 0.06


def test_a_seed_repeats_the_result(views: Views) -> None:
    brief = replace(QUICK, iterations=6)
    one, other = found(views, brief), found(views, brief)
    assert torch.equal(one.field.density, other.field.density)
    assert torch.equal(one.field.colours, other.field.colours)


def test_unknown_pixels_teach_nothing(views: Views) -> None:
    """What they hold does not matter: noise there changes nothing, to the bit."""
    known = torch.ones_like(views.masks)
    known[::2, :, :24] = 0
    assert views.images is not None
    noise = torch.rand(views.images.shape, generator=torch.Generator().manual_seed(1))
    brief = replace(QUICK, iterations=6)
    one = replace(views, masks=views.masks * known, confidence=known)
    other = replace(one, images=torch.where(known[..., None] > 0, views.images, noise))
    assert torch.equal(found(one, brief).field.density, found(other, brief).field.density)


def test_views_without_colours_are_refused(views: Views) -> None:
    with pytest.raises(InputError, match="no colours"):
        found(replace(views, images=None), QUICK)
