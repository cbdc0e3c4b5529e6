"""How outlines and hard shadows of scenes move: known areas, and finite differences of pictures of many samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.autograd import forward_ad

from invrender.backends import select
from invrender.cameras.projection import look_at
from invrender.nouns import Camera, DirectionalLight, Material, Mesh, PointLight, Scene
from invrender.render.edges import EdgeSampling
from invrender.render.scene_edges import left_out
from invrender.render.scenes import Shot, picture, scene_edges, view

FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
BLACK = (0.0, 0.0, 0.0)
SIZE = (32, 40)
EDGES = Shot(edges=EdgeSampling(4096))

Situation = Callable[[torch.Tensor], tuple[Scene, Camera]]


@pytest.fixture(scope="module")
def backend():
    return select("cpu")


def square(side: float, height: float = 0.0, material: Material | None = None) -> Mesh:
    corners = torch.tensor([[-1, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]], dtype=torch.float64) * side / 2
    return Mesh(corners + torch.tensor([0, height, 0], dtype=torch.float64), FACES, material=material or Material())


def pose(eye: tuple[float, float, float] = (0.0, 4.0, 0.0), target: tuple[float, float, float] = (0.0, 0.0, 0.0)):
    return torch.linalg.inv(look_at([list(eye)], list(target)))[0]


def along(situation: Situation, shot: Shot, backend) -> torch.Tensor:
    """The derivative [H,W,3] of a picture by dual numbers."""
    with forward_ad.dual_level():
        step = forward_ad.make_dual(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
        shown = picture(*situation(step), SIZE, backend, shot, in_torch=True)
        return forward_ad.unpack_dual(shown).tangent


def test_a_plate_grows_as_the_field_of_view_shrinks(backend):
    plate = Scene([square(1.0, 0, Material(BLACK, emission=(1, 1, 1)))], [], BLACK)
    slope = along(lambda step: (plate, Camera(pose(), 30 + step)), EDGES, backend)
    tangent, half = math.tan(math.radians(15)), math.radians(0.5)
    # The plate's area in pixels is (H / 2 / (4 tan(fov / 2)))^2.
    expected = -2 * (32 / 8) ** 2 / tangent**3 * (1 + tangent**2) * half
    assert float(slope[..., 0].sum()) == pytest.approx(expected, rel=1e-3)


def test_the_shadow_of_a_plate_grows_as_the_lamp_comes_down(backend):
    """On a floor that a plate of another colour hides nothing of, since the camera looks from below through it."""
    scene_of = Scene([square(60, 0, Material((1, 1, 1))), square(1, 1, Material(BLACK))], [], BLACK)
    camera = Camera(pose((0.0, 0.5, 0.0), (0.0, 0.0, 0.0)), extent=8.0)  # between the two

    def situation(step: torch.Tensor) -> tuple[Scene, Camera]:
        place = torch.stack([0 * step, 3 + step, 0 * step])
        return replace(scene_of, lights=(PointLight(place, 100.0),)), camera

    with_edges, without = (along(situation, shot, backend) for shot in (EDGES, Shot()))
    # A half side of s = L / (L - 1) / 2 grows by -1 / (L - 1)^2 / 2 with the height L of the lamp; the irradiance at a
    # distance of r from below the lamp is 100 L / (L^2 + r^2)^1.5.
    side, growth = 3 / 2 / 2, -1 / 4 / 2
    across = torch.linspace(-side, side, 4001, dtype=torch.float64)
    lost = (100 / math.pi * 3 / (9 + side**2 + across**2) ** 1.5).mean() * 2 * side * 4 * growth * (32 / 8) ** 2
    assert float((with_edges - without)[..., 0].sum()) == pytest.approx(-float(lost), rel=2e-3)


TABLE = [
    square(9, 0, Material((0.7, 0.7, 0.7), name="table", emission=(0.2, 0.2, 0.2))),
    square(1, 0.6, Material((0.8, 0.2, 0.2), name="plate")),
]
EYE = pose((2.0, 3.0, 2.5), (0.0, 0.3, 0.0))


def lamp_moves(step: torch.Tensor) -> tuple[Scene, Camera]:
    place = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64) + step * torch.tensor([1.0, 0.5, -1.0]).double()
    return Scene(TABLE, [PointLight(place, 30.0)], (0.1, 0.2, 0.4)), Camera(EYE, 40.0)


def sun_turns(step: torch.Tensor) -> tuple[Scene, Camera]:
    towards = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64) + step * torch.tensor([1.0, 0.0, -1.0]).double()
    return Scene(TABLE, [DirectionalLight(towards, 2.0)], (0.1, 0.2, 0.4)), Camera(EYE, 40.0)


def camera_moves(step: torch.Tensor) -> tuple[Scene, Camera]:
    shift = torch.zeros(4, 4, dtype=torch.float64)
    shift[0, 3], shift[1, 3] = 1.0, -0.5
    scene, _ = lamp_moves(torch.zeros((), dtype=torch.float64))
    return scene, Camera(EYE + step * shift, 40.0)


def plate_moves(step: torch.Tensor) -> tuple[Scene, Camera]:
    scene, camera = lamp_moves(torch.zeros((), dtype=torch.float64))
    moved = replace(TABLE[1], vertices=TABLE[1].vertices + step * torch.tensor([1.0, 0.0, 0.3]).double())
    return replace(scene, meshes=(TABLE[0], moved)), camera


@pytest.mark.parametrize("situation", [lamp_moves, sun_turns, camera_moves, plate_moves])
def test_edges_move_as_finite_differences_say(backend, situation):
    many, step = Shot(spp=100), 0.02
    ends = [torch.tensor(each, dtype=torch.float64) for each in (step, -step)]
    high, low = (picture(*situation(end), SIZE, backend, many, in_torch=situation is plate_moves) for end in ends)
    blocks = [_blocks((high - low) / (2 * step)), _blocks(along(situation, replace(EDGES, spp=4), backend))]
    without = _blocks(along(situation, Shot(spp=4), backend)) if situation is not plate_moves else 0 * blocks[0]
    assert float((blocks[1] - blocks[0]).norm() / blocks[0].norm()) < 0.08  # most of it is their noise
    direction = blocks[0] / blocks[0].norm()
    assert float((blocks[1] * direction).sum() / blocks[0].norm()) == pytest.approx(1, abs=0.02)
    assert float((without - blocks[0]).norm() / blocks[0].norm()) > 0.15


def _blocks(picture: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(picture.double().permute(2, 0, 1), 8)


@pytest.mark.parametrize("situation", [lamp_moves, sun_turns, camera_moves])
def test_both_modes_and_points_found_before_agree(backend, situation):
    weights = torch.rand(*SIZE, 3, generator=torch.Generator().manual_seed(0))
    forward = float((along(situation, EDGES, backend) * weights).sum())
    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (picture(*situation(step), SIZE, backend, EDGES) * weights).sum().backward()
    assert float(step.grad) == pytest.approx(forward, rel=1e-3)
    found = scene_edges(view(*situation(torch.zeros(())), SIZE, backend, EDGES, in_torch=True))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
        shown = picture(*situation(dual), SIZE, backend, Shot(), in_torch=True, edges=found)
        given = float((forward_ad.unpack_dual(shown).tangent * weights).sum())
    assert given == pytest.approx(forward, rel=1e-6)


def test_what_is_left_out_is_told(backend):
    lamp, mirror = PointLight((0, 3, 0)), Material(mirror=(1, 1, 1), emission=(1, 1, 1))
    plain = Scene([square(1)], [lamp], BLACK)
    assert list(left_out(view(plain, Camera(pose()), SIZE, backend, Shot()))) == []
    scene = Scene([square(1, 0, mirror)], [lamp], BLACK)
    told = " ".join(left_out(view(scene, Camera(pose(), aperture=0.1), SIZE, backend, Shot("path"))))
    assert [word in told for word in ("lens", "mirrors", "soft", "indirect")] == [True] * 4
