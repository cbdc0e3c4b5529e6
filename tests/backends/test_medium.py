"""Light through media against what is known: what is conserved, quadrature, slabs, and laws of absorption."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import ENDLESS, SceneArrays, Transport
from tests.backends.medium_answers import Once, layers
from tests.backends.scene_arrays import alike, as_type, box, camera, material, medium, point, quad, sphere, sun

Tensor = torch.Tensor
PATHS = Transport(ENDLESS, indirect=True)
WHITE = torch.ones(1, 1, 3)
ACROSS = ((0.1, -2.0, 0.15), (0.0, 1.0, 0.0))  # a ray through the cube along Y


@pytest.fixture(scope="module", params=["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def kernels(request, open_backend) -> Backend:
    return open_backend(request.param)


def seen(kernels: Backend, arrays: SceneArrays, rays, transport: Transport = PATHS, seed: int = 1) -> Tensor:
    """What rays see, by the reference in float64."""
    dtype = torch.float64 if kernels.name == "torch" else torch.float32
    origin, direction = (torch.as_tensor(part, dtype=torch.float64).to(dtype).contiguous() for part in rays)
    return kernels.radiance(as_type(arrays, dtype), origin, direction, seed, transport).double()


def many(ray, count: int) -> tuple[Tensor, Tensor]:
    """The same ray many times, its direction made unit."""
    origin, direction = (torch.tensor(part, dtype=torch.float64) for part in ray)
    return origin.expand(count, 3), (direction / direction.norm()).expand(count, 3)


def count(kernels: Backend, some: int) -> int:
    """More rays where they are cheap."""
    return some if kernels.name == "torch" else 8 * some


def is_mean_of(values: Tensor, expected: float | Tensor, sigmas: float = 3.0) -> None:
    """Whether the mean [C] of samples [R,C] is as expected, within its standard error."""
    error = values.std(0) / len(values) ** 0.5
    off = (values.mean(0) - torch.as_tensor(expected, dtype=torch.float64)).abs()
    assert (off <= sigmas * error + 1e-6).all(), (values.mean(0), expected, error)
    assert (error < 0.05 * (values.mean(0).abs() + 0.02)).all()  # else nothing is said


def uneven(size: int = 9, scale: float = 8.0, channels: int = 1, seed: int = 0) -> Tensor:
    """An extinction of noise."""
    return scale * torch.rand(size, size, size, channels, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("channels", [1, 3])
def test_what_absorbs_nothing_cannot_be_told_from_the_sky(kernels, channels):
    cloud = medium(uneven(channels=channels), 1.0, 0.6, environment=WHITE)
    shown = seen(kernels, cloud, camera(28))[:, :3]
    if channels == 1:
        assert (shown - 1).abs().max() < 1e-5
    else:
        is_mean_of(shown, 1.0)
    is_mean_of(seen(kernels, cloud, camera(28), Transport(ENDLESS, indirect=True, sky=True))[:, :3], 1.0)


def test_nor_can_what_reflects_everything_in_it(kernels):
    parts, rows = [sphere(0.3, (0.2, 0.1, 0.0), 1)[0], quad((-1, -1, -0.4), (2, 0, 0), (0, 2, 0))], [material(Kd=1)] * 2
    cloud = medium(uneven(), 1.0, -0.3, parts=parts, materials=rows, environment=WHITE)
    is_mean_of(seen(kernels, cloud, camera(22 if kernels.name == "torch" else 60))[:, :3], 1.0)


ONCE = {
    "extinction": 3.0, "ramp": 2.0, "albedo": 0.8, "asymmetry": 0.4, "emission": 0.02, "irradiance": 2.0,
    "intensity": 0.5,
}  # fmt: skip
TOWARDS, LAMP = (0.3, -0.5, 0.81), (0.7, -0.8, 0.2)


def once() -> Once:
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in ONCE.items()}
    towards, lamp = (torch.tensor(part, dtype=torch.float64) for part in (TOWARDS, LAMP))
    return Once(**values, sun=towards / towards.norm(), lamp=lamp)


def ramp(first: float = 3.0, slope: float = 2.0) -> Tensor:
    """The extinction of `Once` on a grid."""
    return (first + slope * torch.linspace(-0.5, 0.5, 5).double()).expand(3, 4, 5)[..., None].clone()


def test_light_scattered_once_is_that_of_quadrature(kernels):
    lights = [sun(TOWARDS, (ONCE["irradiance"],) * 3), point(LAMP, (ONCE["intensity"],) * 3)]
    cube = medium(ramp(), ONCE["albedo"], ONCE["asymmetry"], ONCE["emission"], lights=lights)
    rays = camera(round(count(kernels, 5000) ** 0.5))
    shown = seen(kernels, cube, rays, Transport(0, indirect=True))[:, :1]
    is_mean_of(shown - once().seen(*rays)[:, None] + 1, 1.0)
    is_mean_of(shown, float(once().seen(*rays).mean()))


def test_light_is_absorbed_and_emitted_by_optical_depth(kernels):
    cube = medium(ramp(1.5, 2.0), 0.0, 0.0, (1, 2, 3), environment=4 * WHITE)
    shown = seen(kernels, cube, many(ACROSS, count(kernels, 4000)))
    left = math.exp(-1.5 - 2.0 * 0.1)
    is_mean_of(shown, torch.tensor([4 * left + k * (1 - left) for k in (1, 2, 3)] + [1 - left]))
    within = ((0.1, 0.0, 0.15), (0.0, 1.0, 0.0))  # the same from the middle of the cube
    left = left**0.5
    is_mean_of(seen(kernels, cube, many(within, count(kernels, 4000)))[:, 0], 4 * left + (1 - left))


@pytest.mark.parametrize(("albedo", "cosines"), [(1.0, (0.8, 0.6)), (0.6, (1.0, 0.5))])
def test_wide_slabs_reflect_what_layers_added_one_by_one_do(kernels, albedo, cosines):
    """All orders of scattering, isotropic; the ways that leave the slab's sides are 50 free paths long."""
    to_eye, to_sun = (torch.tensor([(1 - c * c) ** 0.5, 0, c]) for c in cosines)
    expected, _ = layers(2.0, albedo, cosines)
    slab = medium(alike(50.0), albedo, box=((-1, -1, -0.02), (1, 1, 0.02)), lights=[sun((0, to_sun[0], to_sun[2]))])
    ray = ((to_eye + torch.tensor([0, 0, 0.02])).tolist(), (-to_eye).tolist())
    is_mean_of(seen(kernels, slab, many(ray, count(kernels, 6000)))[:, 0], expected)


@pytest.mark.parametrize("g", [-0.5, 0.0, 0.7])
def test_the_mean_cosine_of_scattering_is_g(kernels, g):
    """A needle along the ray, which what is scattered leaves at once, under a sky of 1 + the cosine with its axis."""
    height = (torch.arange(64) + 0.5) * (math.pi / 64)
    sky = (1 + height.cos())[:, None, None].expand(64, 1, 3)
    needle = medium(alike(3.0), 1.0, g, box=((-5e-4, -0.5, -5e-4), (5e-4, 0.5, 5e-4)), environment=sky)
    shown = seen(kernels, needle, many(((0.0, -2.0, 0.0), (0.0, 1.0, 0.0)), count(kernels, 5000)))
    cosine = shown[shown[:, 3] > 0, 0] - 1
    assert float(cosine.mean()) == pytest.approx(g, abs=3 * float(cosine.std()) / len(cosine) ** 0.5 + 3e-3)


@pytest.mark.parametrize("depth", [0, 2, ENDLESS])
def test_looking_for_the_sky_does_not_change_the_mean(kernels, depth):
    sky = torch.full((6, 8, 3), 0.2)
    sky[1, 2], sky[4, 6] = 6.0, 3.0
    cloud = medium(uneven(5), 0.9, 0.5, environment=sky)
    one, other = (
        seen(kernels, cloud, camera(44), Transport(depth, indirect=True, sky=looked), 3)[:, :3] for looked in (1, 0)
    )
    apart, error = one.mean() - other.mean(), ((one.var() + other.var()) / one.numel()) ** 0.5
    assert abs(apart) < 3 * 2**0.5 * error  # channels go together
    assert (error < 0.02) and not torch.equal(one, other) if depth else torch.equal(one, other)


def test_coloured_extinction_is_that_of_three_grey_media(kernels):
    colours, rays = (1.0, 3.0, 6.0), many(((0.3, -2.0, 0.1), (-0.1, 1.0, 0.0)), count(kernels, 600))
    lit = {"albedo": 0.9, "asymmetry": 0.3, "environment": 0.5 * WHITE, "lights": [sun((0.2, -0.9, 0.4))]}
    grids = torch.cat([uneven(4, 1.0) * value for value in colours], -1)
    shown = seen(kernels, medium(grids, **lit), rays)
    for channel, value in enumerate(colours):
        grey = seen(kernels, medium(uneven(4, 1.0) * value, **lit), rays, seed=2)[:, 0]
        error = (shown[:, channel].var() + grey.var()) / len(grey)
        assert abs(float(shown[:, channel].mean() - grey.mean())) < 3 * error**0.5


def test_a_closed_mesh_bounds_the_medium(kernels):
    """A cube that stands on its edge: a ray's way through it is known, and so is what a ray that begins in it sees."""
    import trimesh

    block = trimesh.creation.box((0.5, 0.5, 0.7))
    block.apply_transform(trimesh.transformations.rotation_matrix(math.pi / 4, (0, 0, 1)))
    boundary = torch.tensor(block.triangles.copy())
    cube = medium(alike(2.0), 0.0, boundary=boundary, environment=WHITE)
    for x in (0.05, -0.2):
        chord = 2 * (0.25 * 2**0.5 - abs(x))
        for begin, share in ((-2.0, 1.0), (0.0, 0.5)):
            rays = many(((x, begin, 0.03), (0.0, 1.0, 0.0)), count(kernels, 3000))
            is_mean_of(seen(kernels, cube, rays)[:, 0], math.exp(-2 * chord * share))
    assert (seen(kernels, cube, many(((0.0, -2.0, 0.36), (0.0, 1.0, 0.0)), 500))[:, :3] == 1).all()


def test_a_wall_behind_a_medium_is_lit_and_seen_through_it(kernels):
    floor = quad((-1, -1, -0.5), (2, 0, 0), (0, 2, 0))
    to_sun = torch.nn.functional.normalize(torch.tensor([0.6, 0.0, 0.8]), dim=0)
    lights = [sun(to_sun.tolist(), (math.pi,) * 3), point((0.0, 0.0, 0.2), (1, 1, 1))]
    fog = medium(alike(0.4, 0.8, 1.2), 0.0, parts=[floor], materials=[material(Kd=0.7)], lights=lights)
    shown = seen(kernels, fog, many(((0.0, 0.0, 2.0), (0.0, 0.0, -1.0)), count(kernels, 6000)), Transport(0, True))
    length = (0.5 / 0.6, 0.7)  # the sun's light enters through the side; the lamp is within
    lit = [
        0.7 / math.pi * (math.pi * 0.8 * math.exp(-s * (1 + length[0])) + math.exp(-s * (1 + length[1])) / 0.49)
        for s in (0.4, 0.8, 1.2)
    ]
    is_mean_of(shown[:, :3], torch.tensor(lit))
    assert (shown[:, 3] == 1).all()
    bare = seen(kernels, fog, many(((0.0, 0.0, 2.0), (0.0, 0.0, -1.0)), 1), Transport(0))  # nobody asks for the medium
    assert bare[0, 0] == pytest.approx(0.7 / math.pi * (math.pi * 0.8 + 1 / 0.49), rel=1e-4)


def test_things_block_light_in_a_medium_unless_told_otherwise(kernels):
    roof = quad((-1, -1, 0.6), (2, 0, 0), (0, 2, 0))
    cloud = medium(alike(2.0), 0.9, parts=[roof], materials=[material(Kd=0)], lights=[sun((0, 0, 1))])
    rays = many(ACROSS, 500)
    assert (seen(kernels, cloud, rays)[:, :3] == 0).all()
    bright = seen(kernels, cloud, rays, Transport(0, indirect=True, shadows=False))[:, 0]
    assert bright.unique().numel() == 2  # none, or all the light there is, scattered by 90 degrees
    assert bright.max() == pytest.approx(0.9 / (4 * math.pi), rel=1e-5)


def test_what_surfaces_emit_is_found_by_chance_and_by_search(kernels):
    """The medium is too thin to matter, or is not: a lamp is seen through it, and lights it."""
    lamp = quad((-0.4, -0.4, 0.7), (0, 0.8, 0), (0.8, 0, 0))
    cloud = medium(alike(1.0), 1.0, 0.0, parts=[lamp], materials=[material(Kd=0, Ke=3)])
    rays = many(((0.1, 0.05, -2.0), (0.0, 0.0, 1.0)), count(kernels, 4000))
    by_search = seen(kernels, cloud, rays, Transport(0, indirect=True))[:, 0]
    through = 3 * math.exp(-1.0)
    grid = (torch.arange(20).double() + 0.5) / 20 - 0.5
    z, x, y = torch.meshgrid(grid, 0.8 * grid, 0.8 * grid, indexing="ij")
    segment = torch.stack([x - 0.1, y - 0.05, 0.7 - z], -1)
    distance = segment.norm(dim=-1)
    cosine = segment[..., 2] / distance
    arriving = 3 * cosine / distance**2 * torch.exp(-(0.5 - z) / cosine) / (4 * math.pi)  # all leave by the top
    once_scattered = (torch.exp(-(z + 0.5)) * arriving).mean(0).mean() * 0.64
    is_mean_of(by_search, through + float(once_scattered), 4)


def test_a_medium_of_nothing_is_not_seen(kernels):
    empty = medium(torch.zeros(3, 3, 3, 1), 1.0, environment=0.3 * WHITE, lights=[sun((0, 0, 1))])
    shown = seen(kernels, empty, camera(12), Transport(ENDLESS, indirect=True, floor=2.0))
    assert (shown == torch.tensor([0.3, 0.3, 0.3, 0])).double().mean() > 0 and (shown[:, :3] - 0.3).abs().max() < 1e-6
    assert (shown[:, 3] == 0).all()


def test_a_room_full_of_fog_keeps_its_alpha_and_gets_darker(kernels):
    """Surfaces and media take turns on one path."""
    room = box(material(Kd=(0.3, 0.3, 0.5)), 0)
    fog = {"extinction": alike(0.5), "albedo": torch.zeros(1, 1, 1, 3).double(), "asymmetry": torch.zeros(1, 1, 1, 1)}
    fog = {**fog, "box": torch.tensor([[-1.0, -1, -1], [1, 1, 1]])}
    foggy = SceneArrays(**{**vars(room), **fog})
    clear, dim = (seen(kernels, part, camera(24), Transport(3, indirect=True)) for part in (room, foggy))
    assert (dim[clear[:, 3] > 0, 3] == 1).all()
    assert 0.2 < float(dim[:, :3].mean() / clear[:, :3].mean()) < 0.5
