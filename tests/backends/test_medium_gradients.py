"""Derivatives of light through media, against those of quadrature and of layers, and estimators beside each other.

Differences of pictures jump where a path meets something else, so that answers are differentiated instead. Errors are
those of means over independent seeds.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import DIRECTION, ENDLESS, INTENSITY, POSITION, SceneArrays, Transport
from invrender.ops.radiance import radiance
from tests.backends.medium_answers import layers
from tests.backends.scene_arrays import alike, as_type, camera, medium, point, quad, sun
from tests.backends.test_medium import ACROSS, LAMP, ONCE, TOWARDS, WHITE, many, once, ramp, uneven

Tensor = torch.Tensor
SINGLE, PATHS = Transport(0, indirect=True), Transport(ENDLESS, indirect=True)
SEEDS = 12
NAMES = ("extinction", "albedo", "asymmetry", "emission", "lights", "environment")


@pytest.fixture(scope="module", params=["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def kernels(request, open_backend) -> Backend:
    return open_backend(request.param)


@pytest.fixture(scope="module")
def fast(open_backend) -> Backend:
    return open_backend("cpu")


def gradients(
    kernels: Backend, arrays: SceneArrays, rays, transport: Transport = PATHS, seeds: int = SEEDS, names=NAMES
) -> dict[str, Tensor]:
    """Of the mean of what rays see in the first channel, for several seeds: [S,...] by the name of a part."""
    dtype = torch.float64 if kernels.name == "torch" else torch.float32
    origin, direction = (part.to(dtype).contiguous() for part in rays)
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    for seed in range(seeds):
        lit = as_type(arrays, dtype)
        free = {name: getattr(lit, name).clone().requires_grad_() for name in names if getattr(lit, name).numel()}
        shown = radiance(kernels, replace(lit, **free), origin, direction, seed, transport)[:, 0]
        for name, value in zip(free, torch.autograd.grad(shown.mean(), list(free.values())), strict=True):
            found[name].append(value.double())
    return {name: torch.stack(values) for name, values in found.items() if values}


def agree(found: Tensor, expected: float, sigmas: float = 4.0, sure: float = 0.12) -> None:
    """Whether the mean of numbers [S] is as expected; their error must be small enough to tell."""
    error = float(found.std()) / len(found) ** 0.5
    assert abs(float(found.mean()) - expected) <= sigmas * error + 1e-5 * abs(expected), (found.mean(), expected, error)
    assert error < sure * abs(expected), (error, expected)


def size(kernels: Backend, some: int) -> int:
    return some if kernels.name == "torch" else 4 * some


def test_what_is_seen_through_a_medium_by_every_voxel_on_the_way(kernels):
    """The derivative of exp(-tau) L + (1 - exp(-tau)) e."""
    cube = medium(ramp(), 0.0, 0.0, 0.5, environment=2 * WHITE)
    found = gradients(kernels, cube, many(ACROSS, size(kernels, 1000)))
    left = math.exp(-3.0 - 2.0 * 0.1)
    place = torch.linspace(-0.5, 0.5, 5).double().expand(3, 4, 5)[..., None]
    agree(found["extinction"].sum((1, 2, 3, 4)), -(2 - 0.5) * left)
    agree((found["extinction"] * place).sum((1, 2, 3, 4)), -(2 - 0.5) * left * 0.1)
    agree(found["emission"].sum((1, 2, 3, 4)), 1 - left)
    agree(found["environment"].sum((1, 2, 3)), left)


@pytest.mark.parametrize(
    ("name", "estimator"),
    [("torch", "differential"), *(("cpu", name) for name in ("differential", "analog", "null", "singular"))],
)
def test_light_scattered_once_has_the_derivatives_of_quadrature(open_backend, name, estimator):
    """In extinction (its mean and its slope), albedo, g, emission, and a sun's and a lamp's numbers."""
    kernels = open_backend(name)
    answer = once()
    free = {name: getattr(answer, name).clone().requires_grad_() for name in (*ONCE, "sun", "lamp")}
    rays = camera(round(size(kernels, 800) ** 0.5))
    names = list(free)
    expected = dict(
        zip(names, torch.autograd.grad(replace(answer, **free).seen(*rays).mean(), list(free.values())), strict=True)
    )
    lights = [sun(TOWARDS, (ONCE["irradiance"],) * 3), point(LAMP, (ONCE["intensity"],) * 3)]
    cube = medium(ramp(), ONCE["albedo"], ONCE["asymmetry"], ONCE["emission"], lights=lights)
    found = gradients(kernels, cube, rays, replace(SINGLE, estimator=estimator))
    extinction, place = found["extinction"], torch.linspace(-0.5, 0.5, 5).double()[:, None]
    agree(extinction.sum((1, 2, 3, 4)), float(expected["extinction"]), sure=0.3)
    agree((extinction * place).sum((1, 2, 3, 4)), float(expected["ramp"]), sure=0.5)
    for part in ("albedo", "asymmetry", "emission"):
        agree(found[part].sum((1, 2, 3, 4)), float(expected[part]))
    agree(found["lights"][:, 0, INTENSITY], float(expected["irradiance"]))
    agree(found["lights"][:, 1, INTENSITY], float(expected["intensity"]))
    across = torch.linalg.cross(answer.sun, torch.tensor([0.0, 0, 1]).double())
    for axis in (across, torch.linalg.cross(across, answer.sun)):
        turned = found["lights"][:, 0, DIRECTION : DIRECTION + 3] @ axis
        agree(turned, float(expected["sun"] @ axis), sure=0.3)
    for axis in range(3):
        agree(found["lights"][:, 1, POSITION + axis], float(expected["lamp"][axis]), sure=0.3)


@pytest.mark.parametrize("albedo", [1.0, 0.6])
def test_wide_slabs_have_the_derivatives_of_layers(fast, albedo):
    """All orders of scattering: with the thickness and with the albedo."""
    to_eye, to_sun = (torch.tensor([(1 - c * c) ** 0.5, 0, c]) for c in (0.8, 0.6))
    slab = medium(alike(50.0), albedo, box=((-1, -1, -0.02), (1, 1, 0.02)), lights=[sun((0, to_sun[0], to_sun[2]))])
    ray = ((to_eye + torch.tensor([0, 0, 0.02])).tolist(), (-to_eye).tolist())
    found = gradients(fast, slab, many(ray, 5000), names=("extinction", "albedo"))
    step = 1e-4
    by_albedo = [layers(2.0, albedo + k * step, (0.8, 0.6))[0] for k in (0, -1)]
    agree(found["extinction"].sum((1, 2, 3, 4)) * 50, 2 * layers(2.0, albedo, (0.8, 0.6))[1], sure=0.35)
    agree(found["albedo"].sum((1, 2, 3, 4)), (by_albedo[0] - by_albedo[1]) / step)


@pytest.mark.parametrize(("name", "light"), [("cpu", 0.0), ("cpu", 0.5), ("torch", 0.5)])
def test_empty_voxels_know_what_they_would_scatter(open_backend, name, light):
    """What is added to nothing under a constant sky takes away of it what it adds, and adds what it scatters of a sun:
    the derivative is albedo p E along the way, whatever the sky. The analog estimator never scatters there: it would
    find minus the sky's light."""
    kernels = open_backend(name)
    empty = medium(torch.zeros(5, 5, 5, 1), 1.0, 0.3, environment=light * WHITE, lights=[sun((0, 0, 1), (2, 2, 2))])
    rays = many(ACROSS, size(kernels, 100))
    found = gradients(kernels, empty, rays, names=("extinction",))["extinction"].sum((1, 2, 3, 4))
    agree(found, 2 * (1 - 0.3**2) / (4 * math.pi * (1 + 0.3**2) ** 1.5))
    wrong = gradients(kernels, empty, rays, replace(PATHS, estimator="analog"), names=("extinction",))["extinction"]
    agree(wrong.sum((1, 2, 3, 4)) - 1, -light - 1)


def test_the_empty_half_of_a_cloud_has_the_right_sign(fast):
    """A dense half under the sun, before a dim sky: more in the empty half makes it brighter, which analog denies."""
    half = uneven(9, 6.0)
    half[:, :, 4:] = 0
    cloud = medium(half, 0.95, 0.2, environment=0.3 * WHITE, lights=[sun((0.8, -0.6, 0.3), (3, 3, 3))])
    rays = many(((0.35, -2.0, 0.05), (0.0, 1.0, 0.0)), 8000)
    found, wrong = (
        gradients(fast, cloud, rays, replace(PATHS, estimator=name), 6, ("extinction",))["extinction"][:, :, :, 5:]
        for name in ("differential", "analog")
    )
    step = 0.02
    more = half.clone()
    more[:, :, 5:] += step
    after, before = (
        torch.stack([
            fast.radiance(as_type(replace(cloud, extinction=part), torch.float32), *(r.float() for r in rays), s, PATHS)
            for s in range(40)
        ])[..., 0].double().mean(1)
        for part in (more, half)
    )  # fmt: skip
    slope, error = (after.mean() - before.mean()) / step, float((after.var() + before.var()) / len(after)) ** 0.5 / step
    assert abs(float(found.sum((1, 2, 3, 4)).mean() - slope)) < 3.5 * error + 0.02
    assert float(slope) > 4 * error
    assert found.sum((1, 2, 3, 4)).min() > 0 > wrong.sum((1, 2, 3, 4)).max()


@pytest.mark.parametrize("depth", [1, 3, ENDLESS])
def test_estimators_agree_in_the_mean_where_there_is_something_everywhere(fast, depth):
    lights = [sun((0.2, -0.9, 0.4))]
    cloud = medium(1 + uneven(5, 6.0), 0.9, 0.4, (0.1, 0.2, 0.3), lights=lights, environment=0.4 * WHITE)
    weights = torch.randn(5, 5, 5, 1, generator=torch.Generator().manual_seed(2)).double()
    sums = {}
    for name in ("differential", "analog", "null", "singular"):
        transport = Transport(depth, indirect=True, estimator=name)
        found = gradients(fast, cloud, camera(36), transport, names=("extinction",))["extinction"]
        sums[name] = torch.stack([found.sum((1, 2, 3, 4)), (found * weights).sum((1, 2, 3, 4))], 1)
    for name in ("analog", "null", "singular"):
        one, other = sums["differential"], sums[name]
        apart = (one.mean(0) - other.mean(0)).abs()
        assert (apart < 3.5 * ((one.var(0) + other.var(0)) / SEEDS).sqrt()).all(), name


def test_what_is_seen_is_linear_in_light(kernels):
    """So that gradients with it, times it, are what is seen, path by path."""
    sky = torch.rand(4, 6, 3, generator=torch.Generator().manual_seed(1))
    floor = quad((-1, -1, -0.6), (2, 0, 0), (0, 2, 0))
    lights = [sun((0.2, -0.9, 0.4), (1, 2, 3)), point((0.9, -0.4, 0.3), (0.5, 0.2, 0.1))]
    cloud = medium(
        uneven(4), 0.9, 0.3, (0.1, 0.2, 0.3), parts=[floor], materials=[torch.zeros(20).double()],
        lights=lights, environment=sky,
    )  # fmt: skip
    cloud.materials[:, 19] = 1  # black, and opaque
    found = gradients(kernels, cloud, camera(12), seeds=1, names=("emission", "lights", "environment"))
    by_light = found["lights"][0, :, INTENSITY : INTENSITY + 3] * cloud.lights[:, INTENSITY : INTENSITY + 3]
    parts = (by_light, found["environment"][0] * sky, found["emission"][0] * cloud.emission)
    dtype = torch.float64 if kernels.name == "torch" else torch.float32
    rays = (part.to(dtype) for part in camera(12))
    shown = kernels.radiance(as_type(cloud, dtype), *rays, 0, PATHS)[:, 0].double().mean()
    assert float(sum(part.sum() for part in parts)) == pytest.approx(float(shown), rel=1e-5)


def test_albedo_of_nothing_has_a_derivative(kernels):
    """Of channels that scatter nothing: what is scattered once, as quadrature has it."""
    answer = once()
    free = replace(answer, albedo=answer.albedo.clone().requires_grad_(), emission=0 * answer.emission)
    rays = camera(round(size(kernels, 1000) ** 0.5))
    expected = float(torch.autograd.grad(free.seen(*rays).mean(), free.albedo)[0])
    lights = [sun(TOWARDS, (ONCE["irradiance"],) * 3), point(LAMP, (ONCE["intensity"],) * 3)]
    for albedo in ((0.0, 0.0, 0.0), (0.0, 0.5, 0.9))[kernels.name == "torch" :]:
        cube = medium(ramp(), albedo, ONCE["asymmetry"], lights=lights)
        found = gradients(kernels, cube, rays, SINGLE, names=("albedo",))["albedo"].reshape(SEEDS, 3)
        agree(found[:, 0], expected)
        assert (found[:, 1:] == 0).all()
