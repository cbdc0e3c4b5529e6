"""Pictures by rays: known answers, what the offsets of rays must not do, and the raster path as a peer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import invrender
from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.errors import UsageError
from invrender.nouns import Lights, Material, Mesh, Scene
from invrender.render import raster, traced
from invrender.render.occlusion import Occlusion
from invrender.render.ray_radiance import RaySettings, backdrop, radiance
from invrender.render.traced import layers, render
from invrender.shading.finish import COLUMNS, of_material
from tests.render.solids import TORCH, ball, floor, grid, ready, together

Tensor = torch.Tensor
SLANTED = Lights((1.0, 2.0, 0.0), 1.0, 0.25)
BARE = RaySettings(depth=0, shadows=False)


def test_a_sphere_under_one_light_reflects_the_cosine():
    """Unit sphere, albedo 0.5: radiance 0.5 cos."""
    mesh = replace(ball(64), material=Material((0.5, 0.5, 0.5)))
    origin, direction = grid(40, 1.1, 3.0)
    seen = radiance(ready(mesh, Lights((1.0, 2.0, 0.0), 1.0, 0.0)), origin, direction)
    x, z = origin[:, 0], origin[:, 2]
    inside = x**2 + z**2 < 0.99
    height = (1 - x**2 - z**2).clamp(min=0).sqrt()
    expected = 0.5 * ((x + 2 * height) / 5**0.5).clamp(min=0)
    assert torch.allclose(seen[inside, 0], expected[inside], atol=4e-3)
    assert torch.equal(seen[:, 3] == 1, seen[:, 3] > 0)
    assert float(seen[x**2 + z**2 > 1, 3].max()) == 0


def test_the_shadow_of_a_square_lies_where_geometry_says():
    """A square of side 1 at height 1, light from (1, 2, 0): its shadow is shifted by -1/2 in x, and as large."""
    mesh = together(floor(), floor(1.0, 0.5))
    origin, direction = grid(64, 2.0, 0.5)
    seen = radiance(ready(replace(mesh, material=Material((1.0, 1.0, 1.0))), SLANTED), origin, direction)
    dark = (origin[:, 0] + 0.5).abs().lt(0.5) & origin[:, 2].abs().lt(0.5)
    assert int(dark.sum()) == 16 * 16
    lit = 0.25 + 2 / 5**0.5
    assert torch.allclose(seen[:, 0], torch.where(dark, 0.25, lit).double(), atol=1e-12)


def test_each_light_has_its_own_shadow():
    lights = Lights(
        torch.tensor([[1.0, 2, 0], [-1, 2, 0]], dtype=torch.float64), torch.tensor([[1.0, 0, 0], [0, 1, 0]]), 0.0
    )
    mesh = together(floor(albedo=(1.0, 1.0, 1.0)), floor(1.0, 0.5))
    origin = torch.tensor([[-0.9, 0.5, 0], [0.9, 0.5, 0], [3, 0.5, 0]], dtype=torch.float64)
    seen = radiance(ready(mesh, lights), origin, torch.tensor([[0.0, -1, 0]]).double().expand(3, 3))
    full = 2 / 5**0.5
    assert torch.allclose(seen[:, :2], torch.tensor([[0, full], [full, 0], [full, full]]).double())


def test_light_from_behind_a_face_gives_nothing():
    below = Lights((0.3, -1.0, 0.2), 1.0, 0.0)
    origin, direction = grid(4, 1.0, 1.0)
    for lights, expected in ((below, 0.0), (replace(below, direction=(0.0, 1.0, 0.0)), 1.0)):
        seen = radiance(ready(floor(albedo=(1.0, 1.0, 1.0)), lights), origin, direction)
        assert torch.allclose(seen[:, 0], torch.full_like(seen[:, 0], expected))
        turned = radiance(ready(floor(albedo=(1.0, 1.0, 1.0)), lights), -origin, -direction)  # the other side
        assert torch.allclose(turned[:, 0], torch.full_like(seen[:, 0], float(expected == 0) * 1 / 1.13**0.5))


def test_a_plane_mirror_shows_the_mirrored_scene():
    blue, lights = backdrop((0.2, 0.3, 0.9)), Lights((0.5, 1.0, 0.4), 0.8, 0.2)
    one = ball(12, 0.6, (0.2, 0.8, 0.1))
    parts = [floor(half=3.0), one]
    finish = torch.zeros(sum(len(part.vertices) for part in parts), COLUMNS).double()
    finish[:, -1], finish[:4, 3:6] = 1, 1.0
    colours = torch.full_like(together(*parts).vertices, 0.7)
    colours[:4] = 0
    scene = replace(together(*parts), finish=finish, colours=colours)
    origin = torch.tensor([0.0, 2.0, 4.0]).double().expand(900, 3)
    at, _ = grid(30, 2.5, 0.0)
    direction = torch.nn.functional.normalize(at - origin, dim=-1)
    first = radiance(ready(scene, lights, BARE), origin, direction)
    on_floor = (first[:, :3] == 0).all(-1)
    assert int(on_floor.sum()) > 500
    flip = torch.tensor([1.0, -1.0, 1.0]).double()
    mirrored = Mesh(one.vertices * flip, one.faces.flip(1), colours=colours[4:])
    other = ready(mirrored, replace(lights, direction=(0.5, -1.0, 0.4)), BARE, blue)
    expected = radiance(other, origin, direction)
    expected = expected[:, :3] + (1 - expected[:, 3:]) * blue(direction)
    got = radiance(ready(scene, lights, replace(BARE, depth=1), blue), origin, direction)
    differ = (got[on_floor, :3] - expected[on_floor]).abs().amax(-1)
    assert float(differ.max()) < 1e-3  # mirrored rays start a hundred-thousandth above the mirror
    assert float(differ.median()) < 1e-9
    assert int((expected[on_floor, 2] < 0.8).sum()) > 30  # of the ball


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_two_mirrors_that_face_each_other_add_a_geometric_series(depth):
    look = {"albedo": (0.0, 0.0, 0.0), "mirror": (0.5, 0.5, 0.5), "emission": (0.1, 0.2, 0.4)}
    mesh = together(floor(0.0, 50.0, **look), floor(1.0, 50.0))
    origin = torch.tensor([[0.0, 0.5, 0.0]]).double()
    direction = torch.nn.functional.normalize(torch.tensor([[0.3, -1.0, 0.2]]).double(), dim=-1)
    seen = radiance(ready(mesh, SLANTED, RaySettings(depth)), origin, direction)
    expected = torch.tensor([0.1, 0.2, 0.4]).double() * sum(0.5**k for k in range(depth + 1))
    assert torch.allclose(seen[0, :3], expected)


def test_what_a_surface_reflects_and_mirrors_of_constant_light_adds_up():
    """In constant light 0.5 a surface with albedo 0.7 and mirror share 0.3 shows that light."""
    mesh = floor(albedo=(0.7, 0.7, 0.7), mirror=(0.3, 0.3, 0.3))
    origin, direction = grid(4, 1.0, 1.0)
    seen = radiance(ready(mesh, Lights((0.0, 1.0, 0.0), 0.0, 0.5), RaySettings(1)), origin, direction)
    assert torch.allclose(seen[:, :3], torch.full_like(seen[:, :3], 0.5))


@pytest.mark.parametrize("roughness", [0.0, 0.1, 0.2, 0.5])
def test_in_constant_light_traced_gloss_is_that_which_stands_in_for_it(roughness):
    mesh = floor(albedo=(0.9, 0.6, 0.3), roughness=roughness, metallic=0.7)
    origin, direction = grid(4, 1.0, 1.0)
    lights = Lights((0.0, 1.0, 0.0), 0.0, 0.5)
    none, mirrored = (radiance(ready(mesh, lights, RaySettings(depth)), origin, direction) for depth in (0, 1))
    assert torch.allclose(none, mirrored)
    dark = radiance(ready(mesh, lights, RaySettings(1), backdrop((0.0, 0.0, 0.0))), origin, direction)
    assert bool((dark[:, :3] < 0.5 * none[:, :3]).all()) == (roughness < 0.15)
    assert torch.allclose(dark, none) == (roughness > 0.25)


LOOKS = {
    "lambertian": Material((0.7, 0.5, 0.3)),
    "blinn-phong": Material((0.7, 0.5, 0.3), specular=(0.4, 0.5, 0.6), shininess=20.0, emission=(0.1, 0.0, 0.0)),
    "metallic-roughness": Material((0.7, 0.5, 0.3), roughness=0.4, metallic=0.5),
    "unlit": Material((0.7, 0.5, 0.3), unlit=True),
    "several": Material((0.7, 0.5, 0.3), name="joined"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_without_shadows_and_mirrors_it_is_the_raster_picture(name):
    mesh = replace(together(ball(8), floor(-1.0, 1.5)), material=LOOKS[name])
    if name == "several":
        rows = [of_material(LOOKS[each], mesh.vertices).rows() for each in ("blinn-phong", "unlit")]
        mesh = replace(
            mesh, finish=torch.stack([rows[int(k >= len(mesh.vertices) - 4)] for k in range(len(mesh.vertices))])
        )
    cameras = rig("orbit", 1, [0.0, 0, 0], 1.5, (48, 48), elevation=30.0)
    scene = Scene(mesh, Lights((0.5, 1.0, 0.3)))
    ours = render(scene, cameras, TORCH, dtype=torch.float64, settings=BARE)
    theirs = raster.render(scene, cameras, "shaded", TORCH, dtype=torch.float64)
    near = (ours - theirs).abs().amax(-1) < 1e-4
    assert float(near.double().mean()) > 0.9  # the rest are contours, which the raster path antialiases
    assert float((ours - theirs).abs().amax(-1).median()) < 1e-6


def test_facets_of_a_convex_body_cast_no_shadows_on_it():
    cameras = rig("sphere", 4, [0.0, 0, 0], 1.0, (64, 64))
    for rings in (4, 7, 30):
        scene = Scene(replace(ball(rings), material=Material((1.0, 1.0, 1.0))), Lights((1.0, 0.3, 0.1)))
        with_shadows, without = (render(scene, cameras, TORCH, settings=each) for each in (RaySettings(0), BARE))
        assert torch.allclose(with_shadows, without)


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1.0), (0.0, 1e-3), (1e4, 1e-3), (-3e6, 10.0)])
@pytest.mark.parametrize("backend", ["torch", "cpu"])
def test_neither_the_place_nor_the_unit_changes_a_picture(offset, scale, backend):
    mesh = replace(together(ball(8), floor(-1.0, 2.0)), material=Material((0.8, 0.8, 0.8), mirror=(0.3, 0.3, 0.3)))
    moved = replace(mesh, vertices=mesh.vertices * scale + offset)
    pictures = []
    for each, middle, size in ((mesh, 0.0, 1.0), (moved, offset, scale)):
        cameras = rig("orbit", 1, [middle] * 3, 2.0 * size, (48, 48), elevation=25.0)
        pictures.append(render(Scene(each, SLANTED), cameras, select(backend)))
    differ = (pictures[0] - pictures[1]).abs().amax(-1) > 2e-3
    assert int(differ.sum()) <= 8


def test_a_camera_may_be_far_away():
    mesh, scale = together(ball(8), floor(-1.0, 2.0)), 1e5
    cameras = [
        rig("orbit", 1, [0.0, 0, 0], 2.0, (40, 40), distance=d, fov=f)
        for d, f in ((1e3, 0.4), (1e3 * scale, 0.4 / scale))
    ]
    near, far = (render(Scene(mesh, SLANTED), each, TORCH) for each in cameras)
    assert int(((near - far).abs().amax(-1) > 5e-3).sum()) <= 16


def test_no_light_leaks_under_what_stands_on_the_floor():
    """A cube on the floor: right beside it, away from the light, all is dark; right before it all is lit."""
    cube = Mesh(*_cube())
    mesh = replace(together(floor(), cube), material=Material((1.0, 1.0, 1.0)))
    along = torch.linspace(-0.45, 0.45, 50).double()
    for side, expected in ((-1, 0.25), (1, 0.25 + 2 / 5**0.5)):
        x = torch.full_like(along, side * 0.5001)
        origin = torch.stack([x, torch.full_like(x, 0.5), along], -1)
        down = torch.tensor([0.0, -1.0, 0.0]).double().expand_as(origin)
        seen = radiance(ready(mesh, SLANTED, dtype=torch.float32), origin, down)
        assert torch.allclose(seen[:, 0], torch.full_like(seen[:, 0], expected), atol=1e-6)


def test_backends_agree():
    mesh = replace(together(ball(9), floor(-1.0, 2.0)), material=Material((0.5, 0.6, 0.7), mirror=(0.4, 0.4, 0.4)))
    cameras = rig("orbit", 2, [0.0, 0, 0], 2.0, (40, 40), elevation=25.0)
    scene = Scene(mesh, Lights((1.0, 1.0, 0.3)))
    first, second = (layers(scene, cameras, select(name), 2, torch.float64) for name in ("torch", "cpu"))
    assert torch.allclose(first, second, atol=1e-9)


def test_an_empty_mesh_shows_the_background():
    empty = Mesh(torch.zeros(0, 3).double(), torch.zeros(0, 3, dtype=torch.int64))
    cameras = rig("orbit", 2, [0.0, 0, 0], 1.0, (4, 5))
    for name in ("torch", "cpu"):
        picture = render(Scene(empty, background=(0.1, 0.2, 0.3)), cameras, select(name))
        assert torch.allclose(picture, torch.tensor([0.1, 0.2, 0.3]).expand(2, 4, 5, 3))


def test_rays_go_in_parts_of_bounded_size(monkeypatch):
    mesh, cameras = together(ball(6), floor(-1.0)), rig("orbit", 1, [0.0, 0, 0], 2.0, (20, 20))
    whole = render(Scene(mesh, SLANTED), cameras, TORCH, 2)
    monkeypatch.setattr(traced, "_RAYS_AT_ONCE", 77)
    assert torch.equal(render(Scene(mesh, SLANTED), cameras, TORCH, 2), whole)


def test_the_public_function_takes_its_settings():
    mesh, cameras = floor(mirror=(0.5, 0.5, 0.5)), rig("orbit", 1, [0.0, 0, 0], 2.0, (12, 12), elevation=40.0)
    blue = (0.1, 0.2, 0.9)
    seen = invrender.render(mesh, cameras, "raytraced", backend=TORCH, background=blue, rays=RaySettings(1))
    assert torch.allclose(seen, render(Scene(mesh, background=blue), cameras, TORCH, settings=RaySettings(1)))
    none = invrender.render(mesh, cameras, "raytraced", backend=TORCH, background=blue, rays=RaySettings(0))
    assert float((seen - none)[..., 2].max()) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: RaySettings(-1), "use a depth from 0"),
        (lambda: Occlusion(0), "use at least 1"),
        (lambda: Occlusion(8, float("nan")), "use a share above 0"),
    ],
)
def test_settings_that_show_nothing_are_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        wrong()


def test_the_raster_path_does_not_draw_it():
    with pytest.raises(UsageError, match="drawn by rays"):
        raster.render(Scene(floor()), rig("orbit", 1, [0.0, 0, 0], 1.0, (4, 4)), "raytraced", TORCH)


def _cube() -> tuple[Tensor, Tensor]:
    """Unit cube on the plane y = 0, about the axis."""
    x, y, z = torch.meshgrid(
        torch.tensor([-0.5, 0.5]), torch.tensor([0.0, 1.0]), torch.tensor([-0.5, 0.5]), indexing="ij"
    )
    corners = torch.stack([x, y, z], -1).reshape(-1, 3).double()
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    return corners, torch.tensor(faces)
