"""Pictures of scenes by rays and paths: known radiance, passes, estimates, and gradients in both modes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.autograd import forward_ad

from invrender.backends import select
from invrender.cameras.projection import look_at
from invrender.errors import UsageError
from invrender.nouns import Camera, Environment, Lights, Material, Mesh, PointLight, Scene
from invrender.render.scene_arrays import geometry
from invrender.render.scenes import Shot, estimate, layers, picture, view

FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
BLACK = (0.0, 0.0, 0.0)
SIZE = (6, 8)


@pytest.fixture(scope="module")
def backend():
    return select("torch")


def square(side: float, height: float = 0.0, material: Material | None = None) -> Mesh:
    corners = torch.tensor([[-1, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]], dtype=torch.float64) * side / 2
    return Mesh(corners + torch.tensor([0, height, 0], dtype=torch.float64), FACES, material=material or Material())


def above(height: float = 4.0, **more) -> Camera:
    """A camera that looks straight down."""
    return Camera(torch.linalg.inv(look_at([[0.0, height, 0.0]], [0.0, 0.0, 0.0]))[0], **more)


def test_a_lambertian_floor_shows_the_irradiance_of_a_lamp(backend):
    scene = Scene([square(40, 0, Material((0.5, 0.4, 0.3)))], [PointLight((0, 3, 0), 20.0)], BLACK)
    shown = picture(scene, above(extent=6.0), (61, 61), backend, Shot())
    side = (torch.arange(61) + 0.5) / 61 * 6 - 3
    squared = side[:, None] ** 2 + side**2 + 9
    expected = 20 / math.pi * (3 / squared.sqrt()) / squared
    torch.testing.assert_close(shown, expected[..., None] * torch.tensor([0.5, 0.4, 0.3]), rtol=1e-4, atol=1e-5)


def test_what_is_behind_is_the_background_or_the_environment(backend):
    sky = Environment((0.2, 0.4, 0.8))
    scene = Scene([square(1, 0, Material((1, 1, 1), unlit=True))], [], (0.3, 0.2, 0.1), sky)
    camera = above(fov=60)
    over = layers(scene, camera, SIZE, backend, Shot())
    assert over[0, 0].tolist() == pytest.approx([0.3, 0.2, 0.1, 0])
    assert over[3, 4].tolist() == pytest.approx([1, 1, 1, 1])
    seen = layers(replace(scene, background=None), camera, SIZE, backend, Shot())
    assert seen[0, 0].tolist() == pytest.approx([0.2, 0.4, 0.8, 0])


def test_paths_are_lit_by_the_ambient_light_and_cameras_do_not_see_it(backend):
    scene = Scene([square(2.5, 0, Material((0.5, 0.5, 0.5)))], Lights((0, 1, 0), 0.0, 0.6), BLACK)
    for mode in ("raytraced", "path"):
        shown = layers(scene, above(fov=60), SIZE, backend, Shot(mode, spp=16))
        assert shown[3, 4].tolist() == pytest.approx([0.3, 0.3, 0.3, 1], rel=0.05)
        assert shown[0, 0].tolist() == [0, 0, 0, 0]
        seen = picture(replace(scene, background=None), above(fov=60), SIZE, backend, Shot(mode, spp=2))
        assert seen[0, 0].tolist() == [0, 0, 0]


def test_a_light_moves_with_the_camera_where_scenes_have_no_other(backend):
    scene = Scene([square(9)])
    one, other = (picture(scene, above(height), (1, 1), backend, Shot()) for height in (4.0, 8.0))
    torch.testing.assert_close(one, other)
    assert 0.1 < float(one.mean()) < 1


def test_pixels_are_the_mean_over_their_squares(backend):
    plate = Scene([square(1.0, 0, Material(BLACK, emission=(1, 1, 1)))], [], BLACK)
    shown = picture(plate, above(extent=3.7), (7, 7), backend, Shot(spp=144))
    torch.testing.assert_close(shown.sum() / 3, torch.tensor((7 / 3.7) ** 2), rtol=1e-2, atol=0)
    assert float(shown[2, 3, 0]) == pytest.approx(min(1.0, 0.5 * 7 / 3.7 - 0.5), abs=0.02)


def test_equal_seeds_give_equal_pictures_and_some_pixels_are_those_of_all(backend):
    scene = Scene([square(3)], [PointLight((0, 3, 0), 20.0)], BLACK)
    camera, shot = above(aperture=0.5, focus=2.0), Shot(spp=3, seed=5)
    whole = picture(scene, camera, SIZE, backend, shot)
    torch.testing.assert_close(whole, picture(scene, camera, SIZE, backend, shot), rtol=0, atol=0)
    assert not torch.equal(whole, picture(scene, camera, SIZE, backend, replace(shot, seed=6)))
    some = torch.tensor([40, 3, 17])
    torch.testing.assert_close(picture(scene, camera, SIZE, backend, shot, pixels=some), whole.reshape(-1, 3)[some])


def test_estimates_tell_how_far_the_picture_still_is_from_its_mean(backend):
    scene = Scene([square(2, 0, Material((0.8, 0.8, 0.8)))], [], BLACK, Environment(picture=_half_bright()))
    camera, size = above(extent=1.9), (12, 12)
    truth = picture(scene, camera, size, backend, Shot(spp=144))
    *_, last = estimate(view(scene, camera, size, backend, Shot(spp=16, seed=3)))
    assert last.passes == 16
    error = (last.image[..., :3] - truth).mean(-1)
    assert last.noise == pytest.approx(float(error.square().mean().sqrt() / truth.mean()), rel=0.35)


def _half_bright() -> torch.Tensor:
    light = torch.zeros(2, 4, 3)
    light[0, 1] = 4.0
    return light


def test_what_is_white_anyway_has_no_noise(backend):
    plate = Scene([square(1.3, 0, Material(BLACK, emission=(50, 50, 50)))], [], BLACK)
    first, *_, last = estimate(view(plate, above(extent=4.0), SIZE, backend, Shot(spp=32)))
    assert first.noise == math.inf
    assert last.noise < 0.1
    dimmed = list(estimate(view(plate, above(extent=4.0), SIZE, backend, Shot(spp=32)), exposure=0.01))[-1]
    assert dimmed.noise > last.noise


def fitted(values: torch.Tensor) -> tuple[Scene, Camera]:
    """A scene and a camera of nine numbers, of which only smooth shading depends on them."""
    floor = square(50, 0, Material(values[:3], name="floor", specular=(0.2, 0.2, 0.2), shininess=values[3]))
    light = PointLight(values[4:7], values[7])
    return Scene([floor], [light], (0.2, 0.3, 0.4)), above(fov=values[8])


VALUES = torch.tensor([0.5, 0.4, 0.3, 20, 0.5, 3, 0.2, 15, 40], dtype=torch.float64)


def test_gradients_are_those_of_finite_differences_in_both_modes(backend):
    shot = Shot(spp=2)

    def shown(values: torch.Tensor) -> torch.Tensor:
        return picture(*fitted(values), (2, 3), backend, shot, in_torch=True)

    assert torch.autograd.gradcheck(shown, [VALUES.clone().requires_grad_()], check_forward_ad=True)


@pytest.mark.parametrize("spp", [1, 3])
def test_kernels_have_the_gradients_of_the_twin(backend, spp):
    weights = torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(0))
    found = []
    for in_torch in (True, False):
        values = VALUES.clone().requires_grad_()
        shown = picture(*fitted(values), (3, 4), backend, Shot(spp=spp), in_torch=in_torch)
        (shown * weights.to(shown)).sum().backward()
        found.append(values.grad)
    torch.testing.assert_close(found[0], found[1], rtol=2e-3, atol=1e-5)


def test_a_geometry_serves_many_pictures(backend):
    ready = geometry(fitted(VALUES)[0].meshes, backend.device, torch.float64)
    given = picture(*fitted(VALUES), SIZE, backend, Shot(), in_torch=True, geometry=ready)
    torch.testing.assert_close(given, picture(*fitted(VALUES), SIZE, backend, Shot(), in_torch=True))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(VALUES, torch.eye(9, dtype=torch.float64)[7])
        slope = forward_ad.unpack_dual(picture(*fitted(dual), SIZE, backend, Shot(), in_torch=True, geometry=ready))
    torch.testing.assert_close(slope.tangent * 15, given)  # linear in the intensity: everything seen is lit by it


def test_vertices_have_gradients_through_the_twin_alone(backend):
    moving = replace(square(2), vertices=square(2).vertices.requires_grad_())
    scene = Scene([moving], [PointLight((0, 3, 0))], BLACK)
    with pytest.raises(UsageError, match="in_torch"):
        picture(scene, above(), SIZE, backend, Shot())


@pytest.mark.parametrize("wrong", [{"mode": "shaded"}, {"spp": 0}, {"depth": -1}])
def test_shots_that_show_nothing_are_refused(wrong):
    with pytest.raises(UsageError):
        Shot(**wrong)
