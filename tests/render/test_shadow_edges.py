"""Gradients of hard shadows: exact where a shadow is a polygon, and against supersampled pictures."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import trimesh

from invrender.cameras.rays import camera_rays
from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras
from invrender.render.edges import EdgeSampling
from invrender.render.shadow_edges import shadow_visibility
from tests.render.polygons import SIZE, area, lit, numbers, orthographic, pinhole, pixels, prepared, square

Tensor = torch.Tensor

TWO_SQUARES = [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]
LIGHTS = {"direction": [0.06, 0.04, 2.0, 0.0], "position": [0.3, -0.2, 30.0, 1.0]}
BACKENDS = ["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
WHITE = numbers([[1.0, 0.5, 0.25]])
IMAGE = torch.zeros(1, *SIZE, 3)


def slanted(slope: Tensor) -> Tensor:
    """Corners [4,3] of a large floor whose height and slopes along x and y are given."""
    flat = square(8.0, 0.0)
    height = slope[0] + flat[:, 0] * slope[1] + flat[:, 1] * slope[2]
    return torch.cat([flat[:, :2], height[:, None]], 1)


def thrown(points: Tensor, light: Tensor, floor: Tensor) -> Tensor:
    """Where points [K,3] cast their shadows on the plane of a floor's corners [4,3]."""
    normal = torch.linalg.cross(floor[1] - floor[0], floor[2] - floor[0])
    away = light[:3] - light[3] * points
    return points - ((points - floor[0]) @ normal / (away @ normal))[:, None] * away


def darkened(vertices, faces, cameras, light, backend, samples=8000, seed=0):
    """The zeros that have the gradient of the shadows on a floor of one colour."""
    shown = prepared(vertices, faces)
    there = partial(lit, shown, backend, WHITE.expand(len(faces), 3), None)
    return shadow_visibility(IMAGE, shown, cameras, backend, light, there, EdgeSampling(samples, seed))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("view", [pinhole, orthographic])
def test_a_square_over_a_floor_darkens_a_polygon(open_backend, backend, light, view):
    """The square is behind the camera, which sees its shadow alone; all that moves changes the shadow's area."""
    backend, kind = open_backend(backend), numbers(LIGHTS[light])[3:]
    given = [square(0.9, 5.0), numbers([0.0, 0.02, -0.01]), numbers(LIGHTS[light])[:3], torch.zeros(6).double()]
    found, exact = ([part.clone().requires_grad_() for part in given] for _ in range(2))

    corners, slope, at, motion = found
    vertices = torch.cat([slanted(slope), corners])
    zeros = darkened(vertices, TWO_SQUARES, view(motion), torch.cat([at, kind]), backend)
    assert torch.equal(zeros, IMAGE)
    zeros.sum().backward()

    corners, slope, at, motion = exact
    shadow = area(pixels(thrown(corners, torch.cat([at, kind]), slanted(slope)), view(motion)))
    assert 100 < float(shadow.detach()) < 500
    (-1.75 * shadow).backward()
    corner = float(exact[0].grad.abs().max())
    far = 1 if light == "direction" else 0.25  # what a light's position changes is small
    for one, other, scale in zip(found, exact, (1, 1, far, 1), strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=0, atol=0.01 * scale * corner)


def test_a_shadow_on_a_bumpy_floor_moves_as_finite_differences_say(open_backend):
    """The border crosses many faces: the ball, the floor and the light move, and the picture shows the shadow alone."""
    backend, finer, step = open_backend("cpu"), 9, 0.04
    ball, floor = trimesh.creation.icosphere(2), trimesh.creation.box((6, 6, 0.1)).subdivide().subdivide()
    faces = torch.tensor([*ball.faces.tolist(), *(floor.faces + len(ball.vertices)).tolist()])
    ground = torch.tensor(floor.vertices)
    ground[:, 2] += 0.1 * torch.sin(3 * ground[:, 0]) * torch.cos(2 * ground[:, 1])
    camera, weights = pinhole(), torch.linspace(0, 1, SIZE[1], dtype=torch.float64)[:, None] * WHITE

    def scene(motion: Tensor):
        """Moved by: ball [3], floor's x and height [2], light [3]."""
        above = torch.tensor(ball.vertices) * 0.4 + numbers([0.1, 0, 5]) + motion[:3]
        light = torch.cat([numbers([1.0, -0.5, 30.0]) + motion[5:], numbers([1.0])])
        slid = torch.stack([motion[3], torch.zeros_like(motion[3]), motion[4]])
        return prepared(torch.cat([above, ground + slid]), faces.tolist()), light

    def value(motion: Tensor) -> float:
        shown, light = scene(motion)
        rays = camera_rays(Cameras(camera.world_to_camera, camera.projection, (SIZE[0] * finer, SIZE[1] * finer)))
        found = lit(shown, backend, WHITE.expand(len(faces), 3), light, rays.origin, rays.direction)
        return float((found.reshape(SIZE[0], finer, SIZE[1], finer, 3).mean((1, 3)) * weights).sum())

    motion = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    shown, light = scene(motion)
    there = partial(lit, shown, backend, WHITE.expand(len(faces), 3), None)
    zeros = shadow_visibility(IMAGE.double(), shown, camera, backend, light, there)
    (found,) = torch.autograd.grad((zeros * weights).sum(), motion)
    for k in (0, 4, 5):
        way = torch.zeros(8, dtype=torch.float64)
        way[k] = step if k < 5 else 10 * step
        slope = (value(way) - value(-way)) / (2 * float(way[k]))
        assert float(found[k]) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize("eye", [(0.0, 0.0, 1.0), (2.0, 0.0, 8.0)])
def test_a_shadow_within_a_shadow_does_not_count(open_backend, eye):
    """Of two squares one over the other the light sees the upper alone; seen from below and from above."""
    vertices = torch.cat([square(8.0, 0.0), square(0.4, 3.0), square(0.9, 4.0)]).requires_grad_()
    faces, light = [*TWO_SQUARES, [8, 9, 10], [8, 10, 11]], numbers([0.0, 0, 1, 0])
    darkened(vertices, faces, pinhole(eye=eye), light, open_backend("cpu")).sum().backward()
    assert float(vertices.grad[8:].abs().sum()) > 10
    assert float(vertices.grad[4:8].abs().sum()) == 0


def test_few_points_make_noise_and_no_bias(open_backend):
    """Though a first look decides where to look again."""
    found = []
    for samples, seeds in ((20, 60), (4000, 2)):
        for seed in range(seeds):
            side = torch.ones((), dtype=torch.float64, requires_grad=True)
            vertices = torch.cat([square(8.0, 0.0), square(0.9, 5.0) * torch.stack([side, side, side / side])])
            light = numbers(LIGHTS["position"])
            zeros = darkened(vertices, TWO_SQUARES, pinhole(), light, open_backend("cpu"), samples, seed)
            found.append(torch.autograd.grad(zeros.sum(), side)[0])
    few, many = torch.stack(found[:60]), torch.stack(found[60:]).mean()
    assert 0.02 * float(many.abs()) < float(few.std()) < float(many.abs())
    assert float((few.mean() - many).abs()) < 4 * float(few.std()) / 60**0.5


def test_a_shadow_behind_the_camera_is_not_seen(open_backend):
    """It would appear upside down on a wall before the camera."""
    wall = numbers([[-9, -9, -9], [9, -9, -9], [9, 9, -9], [-9, 9, -9]])
    ground = numbers([[-9, -1, 9], [9, -1, 9], [9, -1, -9], [-9, -1, -9]])
    above = numbers([[-1, 3, 5], [1, 3, 5], [1, 3, 7], [-1, 3, 7]])
    vertices = torch.cat([wall, ground, above]).requires_grad_()
    faces = [*TWO_SQUARES, [8, 9, 10], [8, 10, 11]]
    camera = pinhole(eye=(0.0, 0.0, 1.0))
    darkened(vertices, faces, camera, numbers([0.0, 1, 0, 0]), open_backend("cpu")).sum().backward()
    assert float(vertices.grad[8:].abs().sum()) == 0


def test_what_hides_its_own_shadow_has_none(open_backend):
    vertices = torch.cat([square(8.0, 0.0), square(0.6, 1.0)]).requires_grad_()
    camera = pinhole(eye=(0.0, 0.0, 5.0))
    darkened(vertices, TWO_SQUARES, camera, numbers([0.0, 0, 30, 1]), open_backend("cpu")).sum().backward()
    assert float(vertices.grad.abs().sum()) == 0


def test_equal_seeds_give_equal_gradients_far_away_and_in_other_units(open_backend):
    """A scene of 1e-6 of the size, and one at 1e5 times its size from the origin."""
    found = []
    for scale, shift in ((1.0, 0.0), (1.0, 0.0), (1e-6, 0.0), (1.0, 1e5)):
        vertices = (torch.cat([square(8.0, 0.0), square(0.9, 5.0)]) * scale + shift).requires_grad_()
        camera = pinhole()
        matrix = camera.world_to_camera.clone()
        matrix[:, :3, 3] = matrix[:, :3, 3] * scale - matrix[:, :3, :3] @ numbers([shift] * 3)
        light = torch.cat([numbers(LIGHTS["position"])[:3] * scale + shift, numbers([1.0])])
        moved = type(camera)(matrix, camera.projection, camera.size)
        darkened(vertices, TWO_SQUARES, moved, light, open_backend("cpu"), 500).sum().backward()
        found.append(vertices.grad * scale)
    assert torch.equal(found[0], found[1])
    assert torch.allclose(found[0], found[2], rtol=1e-6, atol=1e-6)
    assert torch.allclose(found[0], found[3], rtol=1e-3, atol=0.1)


@pytest.mark.parametrize("faces", [[], [[0, 1, 2]], [[0, 0, 1]], [[0, 1, 2], [0, 1, 2], [4, 5, 4]]])
def test_what_casts_no_shadow_that_is_seen_has_no_gradient(open_backend, faces):
    vertices = torch.cat([square(1.0, 0.0), square(0.9, 5.0)]).requires_grad_()
    shown = prepared(vertices, faces)
    nothing = lambda origin, direction: torch.ones_like(direction)  # noqa: E731
    light = numbers(LIGHTS["position"])
    zeros = shadow_visibility(IMAGE, shown, pinhole(), open_backend("cpu"), light, nothing, EdgeSampling(100))
    zeros.sum().backward()
    assert float(vertices.grad.abs().sum()) == 0


@pytest.mark.parametrize(
    ("light", "message"),
    [
        ([0.0, 0, 0, 0], "neither"),
        ([1.0, 2, 3], "four finite"),
        ([1.0, 2, 3, 0.5], "neither"),
        ([torch.nan] * 4, "four"),
    ],
)
def test_what_is_no_light_is_refused(open_backend, light, message):
    vertices = torch.cat([square(8.0, 0.0), square(0.9, 5.0)])
    with pytest.raises(UsageError, match=message):
        darkened(vertices, TWO_SQUARES, pinhole(), numbers(light), open_backend("cpu"))


def test_vertices_that_are_no_numbers_are_refused(open_backend):
    vertices = torch.cat([square(8.0, torch.nan), square(0.9, 5.0)])
    with pytest.raises(InputError, match="not finite"):
        darkened(vertices, TWO_SQUARES, pinhole(), numbers(LIGHTS["position"]), open_backend("cpu"))
