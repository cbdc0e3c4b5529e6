"""Light transport against what is known: radiometry, optics, and surfaces that reflect all that arrives."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.kernels.radiance import CLASSIC, DIELECTRIC, GLOSSY, UNLIT, Transport
from tests.backends.scene_arrays import FLOOR, as_type, material, point, quad, scene, sphere, spot, sun

Tensor = torch.Tensor
PATHS = Transport(depth=12, indirect=True, roulette=6)


@pytest.fixture(scope="module", params=["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def kernels(request, open_backend) -> Backend:
    return open_backend(request.param)


def seen(kernels: Backend, arrays, origin, direction, transport=PATHS, seed=1) -> Tensor:
    """What rays see, by the reference in float64."""
    dtype = torch.float64 if kernels.name == "torch" else torch.float32
    rays = [
        torch.as_tensor(part, dtype=torch.float64).to(dtype).expand(-1, 3).contiguous() for part in (origin, direction)
    ]
    return kernels.radiance(as_type(arrays, dtype), *rays, seed, transport).double()


def many(ray: tuple[tuple[float, ...], tuple[float, ...]], count: int) -> tuple[Tensor, Tensor]:
    """The same ray many times, its direction made unit."""
    origin, direction = (torch.tensor(part, dtype=torch.float64) for part in ray)
    return origin.expand(count, 3), (direction / direction.norm()).expand(count, 3)


DOWN = ((0.0, 0.0, 0.5), (0.0, 0.0, -1.0))


def test_lights_reflect_by_lambert_and_distance(kernels):
    lights = [
        point((0.5, 0, 0.6), (3, 2, 1)),
        sun((0.3, 0, 0.4), (1, 2, 3)),
        spot((0, 0.4, 0.3), (0, -0.4, -0.3), (2, 2, 2), 10, 60),  # its axis meets the point
        spot((0, 0.4, 0.3), (1, 0, 0), (9, 9, 9), 10, 60),  # and this one shines elsewhere
    ]
    shown = seen(kernels, scene([FLOOR], [material(Kd=0.7)], lights), *many(DOWN, 1))[0]
    by_point, by_spot = 0.6 / 0.61**1.5, 0.3 / 0.5**3
    expected = [0.7 / math.pi * (by_point * (3 - k) + 0.8 * (k + 1) + by_spot * 2) for k in range(3)]
    assert shown.tolist() == pytest.approx([*expected, 1], rel=1e-5)


@pytest.mark.parametrize("indirect", [False, True])
def test_things_block_lights_unless_told_otherwise(kernels, indirect):
    blocker, transport = quad((0.1, -0.2, 0.2), (0.3, 0, 0), (0, 0.4, 0)), Transport(0, indirect)
    lit = scene([FLOOR, blocker], [material(Kd=1), material()], [point((0.5, 0, 0.5))])
    assert seen(kernels, lit, *many(DOWN, 1), transport)[0].tolist() == [0, 0, 0, 1]
    through = Transport(0, indirect, shadows=False)
    assert seen(kernels, lit, *many(DOWN, 1), through)[0, 0] == pytest.approx(0.5 / 0.5**1.5 / math.pi, rel=1e-5)


def test_opacity_lets_a_share_of_the_rays_through(kernels):
    veil = quad((-1, -1, 0.2), (2, 0, 0), (0, 2, 0))
    lit = scene([FLOOR, veil], [material(Kd=1), material(Kd=0, opacity=0.3)], [sun((0.1, 0.1, 1), (math.pi,) * 3)])
    shown = seen(kernels, lit, *many(((0.13, 0.05, 0.5), (0.0, 0.0, -1.0)), 4000), Transport(0))[:, 0]
    # There and back through the veil, each time with the chance of .7.
    assert float(shown.mean() / shown.max()) == pytest.approx(0.49, abs=3 * 0.5 / 4000**0.5)
    assert float(shown.max()) == pytest.approx(1 / 1.02**0.5, rel=1e-4)


@pytest.mark.parametrize("indirect", [False, True])
def test_a_square_lights_another_by_their_form_factor(kernels, indirect):
    floor, lamp = quad((-0.5, -0.5, 0), (1, 0, 0), (0, 1, 0)), quad((-0.5, -0.5, 1), (0, 1, 0), (1, 0, 0))
    lit = scene([floor, lamp], [material(Kd=1), material(Kd=0, Ke=2, opacity=0.5)])
    origin = torch.rand(30000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    origin[:, 2] = 0.5
    down = torch.tensor([[0.0, 0, -1]], dtype=torch.float64).expand_as(origin)
    shown = seen(kernels, lit, origin, down, Transport(1, indirect))[:, 0]
    assert float(shown.mean()) == pytest.approx(0.199825, abs=3 * float(shown.std()) / len(shown) ** 0.5)


def places(parts, **above):
    """A scene whose last part is unlit, and shows where it is met as its colour."""
    arrays = scene([*parts], [above["material"], material(Kd=1)], kinds=[above["kind"], UNLIT])
    return type(arrays)(**{**vars(arrays), "colours": arrays.vertices[arrays.faces] + 2})


def test_mirrors_reflect_and_glass_refracts_to_where_optics_says(kernels):
    ray, tangent = ((-0.3, 0.1, 0.4), (0.3, 0.0, -0.4)), 0.3 / 0.4
    ceiling, cellar = (quad((-1, -1, height), (2, 0, 0), (0, 2, 0)) for height in (0.5, -0.5))
    mirror = places([FLOOR, ceiling], material=material(Kd=0, mirror=1), kind=CLASSIC)
    shown = seen(kernels, mirror, *many(ray, 1), Transport(1))[0, :3] - 2
    assert shown.tolist() == pytest.approx([0.5 * tangent, 0.1, 0.5], abs=1e-4)
    glass = places([FLOOR, cellar], material=material(transmission=1, ior=1.5), kind=DIELECTRIC)
    shown = seen(kernels, glass, *many(ray, 4000), Transport(1))[:, :3]
    refracted = shown[:, 0] > 0
    sine = 0.6 / 1.5
    expected = [0.5 * sine / (1 - sine**2) ** 0.5 + 2, 2.1, 1.5]
    assert shown[refracted].mean(0).tolist() == pytest.approx(expected, abs=1e-4)
    inner = (1 - sine**2) ** 0.5
    across, along = (0.8 - 1.5 * inner) / (0.8 + 1.5 * inner), (1.5 * 0.8 - inner) / (1.5 * 0.8 + inner)
    share = (across**2 + along**2) / 2
    assert float((~refracted).double().mean()) == pytest.approx(share, abs=3 * (share / 4000) ** 0.5)


def test_glass_reflects_all_that_leaves_it_at_a_slant(kernels):
    ceiling = quad((-1, -1, 0.5), (2, 0, 0), (0, 2, 0))
    glass = places([FLOOR.flip(1), ceiling], material=material(transmission=1), kind=DIELECTRIC)  # we are in it
    shown = seen(kernels, glass, *many(((-0.3, 0.1, 0.3), (1.0, 0, -1.0)), 50), Transport(1))[:, :3]
    assert (shown > 0).all()
    assert shown.std(0).max() < 1e-6


ROUND = {
    "Lambert": (CLASSIC, material(Kd=1)),
    "mirror": (CLASSIC, material(Kd=0, mirror=1)),
    "glass": (DIELECTRIC, material(transmission=1)),
}


@pytest.mark.parametrize("name", ROUND)
@pytest.mark.parametrize("indirect", [False, True])
def test_what_absorbs_nothing_cannot_be_seen_in_a_constant_environment(kernels, name, indirect):
    kind, row = ROUND[name]
    arrays = scene([sphere(0.5)], [row], kinds=[kind], environment=torch.ones(1, 1, 3))
    origin = torch.tensor([[0.0, 0, -2]]).expand(400, 3).double()
    aim = torch.rand(400, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 0.5
    direction = torch.nn.functional.normalize(aim * torch.tensor([1, 1, 0]) - origin, dim=1)
    shown = seen(kernels, arrays, origin, direction, Transport(40, indirect, roulette=50))
    assert (shown[:, 3] == 1).double().mean() > 0.7
    assert torch.allclose(shown[:, :3], torch.ones(3).double(), atol=1e-4)


def test_a_closed_room_that_gives_what_it_swallows_is_white_everywhere(kernels):
    """Emission .5 and albedo .5: radiance 1, whatever the way there."""
    sides = [(FLOOR + torch.tensor([0.0, 0, -1]).double()) @ turn for turn in _turns()]
    arrays = scene([torch.cat(sides)], [material(Kd=0.5, Ke=0.5)])
    pixels, spp = 16, 250
    aim = torch.randn(pixels, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    direction = torch.nn.functional.normalize(aim, dim=1).repeat_interleave(spp, 0)
    shown = seen(kernels, arrays, torch.full_like(direction, 0.1), direction, Transport(40, True, roulette=12))
    shown = shown[:, 0].reshape(pixels, spp)
    error = shown.std(1) / spp**0.5
    assert ((shown.mean(1) - 1).abs() < 3.5 * error).all()
    assert error.max() < 0.05


@pytest.mark.parametrize("smooth", [False, True])
def test_no_light_leaks_into_a_closed_room(kernels, smooth):
    """White walls between a bright world and the eye, in all of 3000 paths; round ones, or six that are turned."""
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    sides = torch.cat([(FLOOR + torch.tensor([0.0, 0, -1]).double()) @ side for side in _turns()])
    room = sphere(1.0) if smooth else 0.57 * sides @ turn
    arrays = scene([room], [material(Kd=1)], environment=torch.ones(1, 1, 3))
    aim = torch.randn(3000, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    direction = torch.nn.functional.normalize(aim, dim=1)
    shown = seen(kernels, arrays, torch.full_like(direction, 0.1), direction, Transport(6, True, roulette=9))
    assert shown.amax(0).tolist() == [0, 0, 0, 1]
    assert shown[:, 3].min() == 1


def _turns() -> list[Tensor]:
    """Rotations that turn -Z to all six sides."""
    x, y, z = torch.eye(3, dtype=torch.float64)
    frames = [(x, y, z), (x, -y, -z), (y, z, x), (y, -z, -x), (z, x, y), (z, -x, -y)]
    return [torch.stack(frame) for frame in frames]


GLOSS = {
    "metal": (GLOSSY, material(Kd=(1, 0.6, 0.3), roughness=0.4, metallic=1)),
    "plastic": (GLOSSY, material(Kd=(0.2, 0.5, 0.8), roughness=0.25, metallic=0.1)),
    "highlight": (CLASSIC, material(Kd=0.2, Ks=(0.5, 0.4, 0.2), Ns=12)),
}


@pytest.mark.parametrize("name", GLOSS)
@pytest.mark.parametrize("indirect", [False, True])
def test_gloss_reflects_constant_light_as_its_law_integrates_to(kernels, name, indirect):
    kind, row = GLOSS[name]
    arrays = scene([FLOOR], [row], kinds=[kind], environment=torch.ones(1, 1, 3))
    for slope in (0.2, 2.0):
        ray = ((-0.3 * slope, 0, 0.3), (slope, 0.0, -1.0))
        shown = seen(kernels, arrays, *many(ray, 6000), Transport(1, indirect))[:, :3]
        expected = _albedo(kind, row, many(ray, 1)[1][0])
        error = (shown.std(0) / len(shown) ** 0.5).clamp(min=1e-4)
        assert ((shown.mean(0) - expected).abs() < 3.5 * error).all(), (slope, shown.mean(0), expected)


def _albedo(kind: int, row: Tensor, direction: Tensor) -> Tensor:
    """What a floor reflects of light 1 from everywhere, by a sum over directions; the laws of `shading`."""
    from invrender.shading import blinn_phong, metallic_roughness

    up, around = torch.meshgrid(
        (torch.arange(600) + 0.5) / 600, (torch.arange(600) + 0.5) / 300 * math.pi, indexing="ij"
    )
    flat = (1 - up**2).sqrt()
    towards = torch.stack([flat * around.cos(), flat * around.sin(), up], -1).reshape(-1, 3).double()
    normal, eye = torch.tensor([0.0, 0, 1]).double().expand_as(towards), (-direction).expand_as(towards)
    if kind == GLOSSY:
        value = metallic_roughness.brdf(normal, eye, towards, row[:3], row[17:18], row[18:19]) * towards[:, 2:]
    else:
        value = (row[:3] * towards[:, 2:] + row[3:6] * blinn_phong.lobe(normal, eye, towards, row[6:7])) / math.pi
    return value.mean(0) * 2 * math.pi


@pytest.mark.parametrize("indirect", [False, True])
def test_an_environment_lights_a_floor_from_where_it_is_bright(kernels, indirect):
    """One bright texel in the middle of the upper half of the picture: overhead-left in the world, turned."""
    picture = torch.full((6, 12, 3), 0.1)
    picture[1, 6] = torch.tensor([30.0, 20, 10])
    turn = torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # the picture's up is the world's Z
    arrays = scene([FLOOR], [material(Kd=1)], environment=picture, turn=turn)
    shown = seen(kernels, arrays, *many(DOWN, 20000), Transport(1, indirect))[:, :3]
    rows, columns = torch.meshgrid((torch.arange(300) + 0.5) / 600, (torch.arange(600) + 0.5) / 600, indexing="ij")
    light = torch.nn.functional.grid_sample(
        torch.cat([picture[:, -1:], picture, picture[:, :1]], 1).permute(2, 0, 1)[None],
        torch.stack([(columns * 12 + 1) / 14 * 2 - 1, rows * 2 - 1], -1)[None],
        align_corners=False,
        padding_mode="border",
    )[0]
    angle = rows * math.pi
    expected = (light * angle.cos() * angle.sin()).sum((1, 2)) * (math.pi / 600) * (2 * math.pi / 600) / math.pi
    assert ((shown.mean(0) - expected).abs() < 3.5 * shown.std(0) / len(shown) ** 0.5).all()
    up = seen(kernels, arrays, *many(((0.0, 0, 0.5), (0.0, 0, 1.0)), 1))[0]
    assert up.tolist() == pytest.approx([0.1, 0.1, 0.1, 0], abs=1e-5)


def test_what_is_met_by_chance_and_what_is_looked_for_agree(kernels):
    """A lamp over a glossy floor, with both ways weighed against each other, and looked for alone."""
    lamp = quad((-0.4, -0.1, 0.5), (0, 0.6, 0), (0.6, 0, 0))
    arrays = scene([FLOOR, lamp], [GLOSS["plastic"][1], material(Kd=0, Ke=3)], kinds=[GLOSSY, CLASSIC])
    rays = many(((-0.5, 0, 0.4), (0.5, 0.2, -0.4)), 20000)
    ways = [seen(kernels, arrays, *rays, Transport(depth, indirect), k)[:, 0] for k, (depth, indirect) in
            enumerate([(0, False), (1, False), (1, True)])]  # fmt: skip
    errors = [float(way.std()) / len(way) ** 0.5 for way in ways]
    for way, error in zip(ways[1:], errors[1:], strict=True):
        assert float(way.mean() - ways[0].mean()) == pytest.approx(0, abs=3.5 * (error + errors[0]))


def test_nothing_to_see_nothing_to_ask_and_what_is_no_number(kernels):
    empty = scene([], [], backdrop=torch.ones(3))
    assert seen(kernels, empty, *many(DOWN, 3)).tolist() == [[0, 0, 0, 0]] * 3
    folded = torch.cat([FLOOR, torch.zeros(1, 3, 3).double(), FLOOR[:1, [0, 1, 1]]])
    arrays = scene([folded], [material(Kd=1, Ke=1)])
    assert seen(kernels, arrays, *many(DOWN, 0)).shape == (0, 4)
    origin, direction = (part.clone() for part in many(((0.13, 0.05, 0.5), (0.0, 0.0, -1.0)), 3))
    origin[0, 1], direction[1, 2] = math.nan, math.inf
    shown = seen(kernels, arrays, origin, direction, Transport(0))
    assert shown.tolist() == [[0.0] * 4, [0.0] * 4, [1.0] * 4]
    with pytest.raises(InputError, match="vertex"):
        seen(kernels, type(arrays)(**{**vars(arrays), "faces": arrays.faces + 1}), *many(DOWN, 1))


def test_the_backdrop_is_seen_through_glass_and_lights_nothing(kernels):
    top, bottom = quad((-9, -9, 0.3), (18, 0, 0), (0, 18, 0)), quad((-9, -9, 0.2), (0, 18, 0), (18, 0, 0))
    glass, floor = material(transmission=1, ior=1.5), material(Kd=1)
    lit = scene([FLOOR, top, bottom], [floor, glass, glass], kinds=[CLASSIC, DIELECTRIC, DIELECTRIC],
                backdrop=torch.ones(3))  # fmt: skip
    down, up = many(DOWN, 4000), many(((0.0, 0.0, 0.1), (0.0, 0.0, 1.0)), 4000)
    reflected = 2 * 0.04 / 1.04  # by both sides of the plate and again between them
    for rays, share in ((down, reflected), (up, 1 - reflected)):
        assert float(seen(kernels, lit, *rays)[:, 0].mean()) == pytest.approx(share, abs=3 * (reflected / 4000) ** 0.5)
