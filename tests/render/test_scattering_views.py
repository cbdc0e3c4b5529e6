"""Pictures of media through views: what is behind them, alpha, surfaces in them, and gradients of it all."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.backends import select
from invrender.nouns import Camera, Environment, Material, Mesh, Scene, Volume
from invrender.nouns.medium import Medium
from invrender.render.scenes import Shot, layers, picture
from tests.render.solids import ball, floor

BACKENDS = ("torch", "cpu")
BOX = torch.tensor([[-1.0, -1, -1], [1, 1, 1]], dtype=torch.float64)
RED, GREY = (0.8, 0.1, 0.1), Environment((0.5, 0.5, 0.5))


def looking(away: float = 5.0) -> Camera:
    """Down the Z axis at the origin, orthographic and as wide as a small part of the box."""
    pose = torch.eye(4, dtype=torch.float64)
    pose[2, 3] = away
    return Camera(pose, extent=0.5)


def fog(depth: float | torch.Tensor, channels: int = 1, albedo: float = 0.0, **more: object) -> Medium:
    """Of an optical depth across the box."""
    values = torch.ones(channels, 2, 2, 2) * (depth / 2)
    return Medium(Volume(values, BOX), albedo, **more)  # type: ignore[arg-type]


def mean(scene: Scene, name: str, spp: int = 16, camera: Camera | None = None, draw=layers, **shot: object):
    drawn = draw(scene, camera or looking(), (16, 16), select(name), Shot("scattering", spp=spp, **shot))
    return drawn.double().mean((0, 1))


@pytest.mark.parametrize("name", BACKENDS)
def test_a_background_is_seen_through_what_absorbs(name):
    scene = Scene(media=fog(1.0), environment=GREY, background=RED)
    found = mean(scene, name)
    through = math.exp(-1)
    error = 4 * math.sqrt(through * (1 - through) / (256 * 16))
    assert found[:3].tolist() == pytest.approx([through * each for each in RED], abs=error)
    assert float(found[3]) == pytest.approx(1 - through, abs=error)
    sky = mean(Scene(media=fog(1.0), environment=GREY, background=None), name)
    assert sky[:3].tolist() == pytest.approx([through / 2] * 3, abs=error)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_background_comes_through_a_coloured_medium_by_its_colours(name):
    depths = torch.tensor([0.2, 1.0, 2.0])
    values = depths[:, None, None, None].expand(3, 2, 2, 2) / 2
    scene = Scene(media=Medium(Volume(values, BOX), 0.0), environment=GREY, background=(1.0, 1.0, 1.0))
    found = mean(scene, name, 64)
    assert found[:3].tolist() == pytest.approx(torch.exp(-depths).tolist(), abs=0.03)


@pytest.mark.parametrize("name", BACKENDS)
def test_how_much_background_comes_through_has_a_gradient(name):
    depth = torch.tensor(1.0, requires_grad=True)
    scene = Scene(media=fog(depth), environment=GREY, background=RED)
    (found,) = torch.autograd.grad(mean(scene, name, 16, draw=picture)[0], depth)
    assert float(found) == pytest.approx(-RED[0] * math.exp(-1), rel=0.1)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_camera_inside_sees_the_half_before_it_and_a_black_wall_hides_the_rest(name):
    scene = Scene(media=fog(2.0), environment=GREY, background=(1.0, 1.0, 1.0))
    inside = mean(scene, name, camera=looking(0.0))
    assert float(inside[0]) == pytest.approx(math.exp(-1), abs=0.03)
    wall = Mesh(
        torch.tensor([[-9.0, -9, -0.5], [9, -9, -0.5], [0, 18, -0.5]], dtype=torch.float64),
        torch.tensor([[0, 1, 2]]),
        material=Material((0, 0, 0), unlit=True),
    )
    behind = mean(Scene(wall, media=fog(2.0), environment=GREY, background=(1.0, 1.0, 1.0)), name)
    assert behind.tolist() == pytest.approx([0, 0, 0, 1])


@pytest.mark.parametrize("name", BACKENDS)
def test_a_lossless_medium_in_a_furnace_is_not_seen_but_in_alpha(name):
    scene = Scene(media=fog(3.0, albedo=1.0, inside=ball(6, 0.9)), environment=GREY, background=None)
    found = mean(scene, name, 4)
    assert found[:3].tolist() == pytest.approx([0.5] * 3, rel=1e-4)
    assert 0.8 < float(found[3]) <= 1


@pytest.mark.parametrize("name", BACKENDS)
def test_a_medium_that_is_nowhere_leaves_surfaces_as_they_are(name):
    plane, camera = floor(-1.5, half=9, albedo=(0.5, 0.4, 0.3)), looking()
    shot = Shot("path", spp=2)
    empty = Scene(plane, (), None, GREY, media=fog(0.0))
    without = Scene(plane, (), None, GREY)
    first, second = (layers(each, camera, (8, 8), select(name), shot) for each in (empty, without))
    torch.testing.assert_close(first, second, atol=0.02, rtol=0)
