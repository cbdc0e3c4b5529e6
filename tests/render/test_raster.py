"""Pictures of scenes whose every pixel is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.errors import UsageError
from invrender.nouns import Lights, Material, Mesh, Scene
from invrender.render.images import straight
from invrender.render.raster import layers, render, render_views
from invrender.shading.lights import SHOULDER

BACKEND = select("torch")


def mesh_of(shape) -> Mesh:
    return Mesh.from_numpy(np.array(shape.vertices), np.array(shape.faces))


@pytest.fixture(scope="module")
def ball() -> Mesh:
    return replace(mesh_of(trimesh.creation.icosphere(4)), material=Material((0.5, 0.5, 0.5)))


def front(size=(65, 65), views=1, distance=3.0, elevation=0.0):
    return rig("orbit", views, [0.0, 0, 0], 1.0, size, distance=distance, fov=60.0, elevation=elevation)


def test_a_sphere_lit_from_the_front_has_lamberts_radiance(ball):
    scene = Scene(ball, Lights((0.0, 0.0, 1.0), intensity=0.8, ambient=0.1), background=(0.0, 0.0, 1.0))
    picture = render(scene, front(), "shaded", BACKEND)[0]
    assert picture[32, 32].tolist() == pytest.approx([0.45] * 3, abs=2e-3)
    assert picture[0, 0].tolist() == [0.0, 0.0, 1.0]
    # Where the line of sight grazes less: the hit point follows from the ray, and n . l from the hit point.
    ray = torch.tensor([8 * math.tan(math.radians(30)) / 32.5, 0, -1])
    a, b = float(ray @ ray), float(ray @ torch.tensor([0.0, 0, 3]))
    hit = torch.tensor([0.0, 0, 3]) + ray * ((-b - math.sqrt(b * b - 8 * a)) / a)
    assert float(picture[32, 40, 0]) == pytest.approx(0.5 * (0.1 + 0.8 * float(hit[2])), abs=5e-3)


def test_without_a_direction_the_light_stands_over_the_cameras_shoulder_and_moves_with_it(ball):
    pictures = render(Scene(ball, Lights(intensity=0.8, ambient=0.1)), front(views=3), "shaded", BACKEND)
    length = sum(value * value for value in SHOULDER) ** 0.5
    assert pictures[:, 32, 32, 0].tolist() == pytest.approx([0.5 * (0.1 + 0.8 / length)] * 3, abs=2e-3)
    assert float(pictures[0, 25, 27, 0]) > float(pictures[0, 39, 37, 0]) + 0.1  # lit from above and from the left


def test_a_fixed_light_stays_in_the_world(ball):
    scene = Scene(ball, Lights(direction=(0.0, 0.0, 2.0), intensity=1.0, ambient=0.0))
    pictures = render(scene, front(views=2), "shaded", BACKEND)
    assert float(pictures[0, 32, 32, 0]) == pytest.approx(0.5, abs=2e-3)
    assert float(pictures[1, 32, 32, 0]) == 0.0


def test_a_cube_has_analytic_depth_and_normals():
    box = Scene(mesh_of(trimesh.creation.box(extents=[1.0, 1.0, 1.0])), background=(0.0, 0.0, 0.0))
    cameras = front((64, 64), views=4)
    depth = render(box, cameras, "depth", BACKEND)
    assert depth.shape == (4, 64, 64, 1)
    assert depth[:, 32, 32, 0].tolist() == pytest.approx([2.5] * 4)
    seen = torch.isfinite(depth)
    assert torch.allclose(depth[seen], torch.tensor(2.5), atol=1e-5)
    assert int(seen[0].sum()) == round(64 * 0.5 / 2.5 / math.tan(math.radians(30))) ** 2
    normals = render(box, cameras, "normal", BACKEND)[:, 32, 32] * 2 - 1
    expected = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 0, -1], [-1, 0, 0]])
    assert torch.allclose(normals, expected, atol=1e-6)


def test_normals_face_the_camera_whatever_the_winding(ball):
    inside_out = replace(ball, faces=ball.faces.flip(1))
    a, b = (render(Scene(mesh), front(), "normal", BACKEND) for mesh in (ball, inside_out))
    assert torch.allclose(a, b, atol=1e-5)


def test_silhouette_has_the_area_of_a_sphere_at_any_sampling(ball):
    exact = math.pi * (math.tan(math.asin(1 / 3)) / math.tan(math.radians(30)) * 32.5) ** 2
    for supersample in (1, 2):
        coverage = render(Scene(ball), front(), "silhouette", BACKEND, supersample)
        assert coverage.shape == (1, 65, 65, 1)
        assert float(coverage.sum()) == pytest.approx(exact, rel=0.01)


def test_supersampling_keeps_the_picture(ball):
    one, three = (render(Scene(ball), front(), "shaded", BACKEND, s) for s in (1, 3))
    assert one.shape == three.shape == (1, 65, 65, 3)
    assert float((one - three).abs().mean()) < 2e-3


def test_views_hold_straight_colours_under_exact_masks(ball):
    red = replace(ball, material=Material((1.0, 0.0, 0.0)))
    views = render_views(red, front(views=3, size=(40, 56)), BACKEND, Lights(intensity=0.0, ambient=1.0))
    assert views.images.shape == (3, 40, 56, 3)
    assert views.names == ("view_000", "view_001", "view_002")
    partly = (views.masks > 0.05) & (views.masks < 0.95)
    assert partly.sum() > 50
    assert torch.allclose(views.images[partly], torch.tensor([1.0, 0, 0]).expand(int(partly.sum()), 3), atol=1e-5)
    exact = render(Scene(red), front(views=3, size=(40, 56)), "silhouette", BACKEND, 16)[..., 0]
    _, alpha = straight(layers(Scene(red), front(views=3, size=(40, 56)), "shaded", BACKEND))
    assert float((alpha - exact).abs().mean()) < 1e-5  # of pictures: areas
    assert float((views.masks - exact).abs().mean()) < 1.2e-3  # of masks: lengths on scanlines, right on average


def test_a_texture_lands_where_uv_says():
    square = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=torch.float64)
    texture = torch.zeros(2, 2, 3)
    texture[0, 0, 0] = texture[0, 1, 1] = texture[1, 0, 2] = 1.0  # red and green on top, blue below
    uv = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    mesh = Mesh(square, torch.tensor([[0, 1, 2], [0, 2, 3]]), uv=uv, material=Material((1.0, 1.0, 1.0), texture))
    picture = render(Scene(mesh, Lights(intensity=0.0, ambient=1.0)), front((64, 64)), "shaded", BACKEND)[0]
    half = 64 / 2 / 3 / math.tan(math.radians(30)) / 2  # from the middle to the centre of a texel
    low, high = round(31.5 - half), round(31.5 + half)
    assert picture[low, low].argmax() == 0
    assert picture[low, high].argmax() == 1
    assert picture[high, low].argmax() == 2
    assert float(picture[high, high].max()) < 0.1


def test_far_from_the_origin_pictures_stay_the_same(ball):
    cameras = front()
    shift = torch.tensor([1e6, -2e6, 5e5], dtype=torch.float64)
    move = torch.eye(4, dtype=torch.float64)
    move[:3, 3] = -shift
    moved = replace(cameras, world_to_camera=cameras.world_to_camera @ move)
    far = replace(ball, vertices=ball.vertices + shift)
    a, b = render(Scene(ball), cameras, "shaded", BACKEND), render(Scene(far), moved, "shaded", BACKEND)
    assert float((a - b).abs().max()) < 1e-3


def test_brightness_is_differentiable_in_the_vertices(ball):
    lights = Lights(intensity=0.0, ambient=1.0)

    def brightness(scale):
        mesh = replace(ball, vertices=ball.vertices * scale)
        return render(Scene(mesh, lights, (0.0, 0.0, 0.0)), front((128, 128)), "shaded", BACKEND).sum()

    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(brightness(scale), scale)
    with torch.no_grad():
        expected = float(brightness(1.03) - brightness(0.97)) / 0.06
    assert float(slope) == pytest.approx(expected, rel=0.02)


def test_nothing_in_view_is_background_and_unknown_modes_are_refused(ball):
    away = replace(ball, vertices=ball.vertices + 50)
    assert torch.isinf(render(Scene(away), front(), "depth", BACKEND)).all()
    assert (render(Scene(away), front((1, 3)), "shaded", BACKEND) == 1).all()
    assert (render(Scene(replace(ball, faces=ball.faces[:0])), front(), "normal", BACKEND) == 1).all()
    with pytest.raises(UsageError, match="wireframe"):
        render(Scene(ball), front(), "wireframe", BACKEND)


def test_no_colour_is_brighter_or_darker_than_those_of_the_surface():
    ring = trimesh.creation.torus(0.6, 0.3)
    dark = torch.rand(len(ring.vertices), 3, generator=torch.Generator().manual_seed(2)) < 0.5
    colours = torch.where(dark, 0.3, 0.7)
    mesh = Mesh(torch.tensor(ring.vertices), torch.tensor(ring.faces), None, colours, Material((1.0, 1.0, 1.0)))
    found = layers(Scene(mesh), front(views=3, size=(24, 24), elevation=40.0), "color", BACKEND).cpu()
    assert float(found[..., :3].max()) <= 0.7 + 1e-6
    assert float(found[..., :3][found[..., 3] == 1].min()) >= 0.3 - 1e-6
