"""Gradients of pictures, as physical situations: in float64 against central differences, and equal on cpu."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.around import around
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene
from invrender.render.raster import render
from tests.render.slopes import agree, shifted, slope, weight

Tensor = torch.Tensor

TORCH, CPU = select("torch"), select("cpu")


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh.from_numpy(shape.vertices, shape.faces)


@pytest.fixture(scope="module")
def ball() -> Mesh:
    return mesh_of(trimesh.creation.icosphere(3))


def shaded(scene: Scene, cameras: Cameras, backend=TORCH, dtype=torch.float64) -> Tensor:
    return render(scene, cameras, "shaded", backend, dtype=dtype)


# --- lights and materials -----------------------------------------------------------------------------------------


def test_a_light_turns(ball: Mesh) -> None:
    cameras = around(ball, "orbit", 2, 32)
    weights = weight(cameras)

    def value(direction: Tensor) -> Tensor:
        return (shaded(Scene(ball, Lights(direction)), cameras) * weights).sum()

    direction = torch.tensor([0.3, 0.5, 1.2], dtype=torch.float64)
    assert float(agree(value, direction) @ direction) == pytest.approx(0, abs=1e-9)  # its length does not matter


@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_light_and_the_sky_get_brighter(ball: Mesh, shape: tuple[int, ...]) -> None:
    """The picture is linear in both; white light and coloured light."""
    cameras = around(ball, "orbit", 1, 32)
    both = torch.stack([torch.full(shape, 0.7, dtype=torch.float64), torch.full(shape, 0.2, dtype=torch.float64)])

    def value(both: Tensor) -> Tensor:
        scene = Scene(ball, Lights((0.0, 1.0, 1.0), both[0], both[1]))
        return (shaded(scene, cameras) * weight(cameras)).sum()

    assert bool((agree(value, both) > 0).all())


def test_the_albedo_doubles_and_the_image_doubles(ball: Mesh) -> None:
    cameras = around(ball, "orbit", 1, 32)

    def picture(albedo: Tensor) -> Tensor:
        return shaded(Scene(replace(ball, material=Material(albedo)), background=(0.0, 0.0, 0.0)), cameras)

    albedo = torch.tensor([0.2, 0.3, 0.4], dtype=torch.float64)
    assert torch.allclose(picture(2 * albedo), 2 * picture(albedo))
    gradient = agree(lambda a: (picture(a) * weight(cameras)).sum(), albedo)
    assert torch.allclose((gradient * albedo).sum(), (picture(albedo) * weight(cameras)).sum())


def test_a_chosen_albedo_counts_where_there_are_vertex_colours() -> None:
    """A tensor with the default's numbers is a choice; the default itself stands for a file that names no material."""
    assert Material().is_default
    assert Material() == Material()
    assert hash(Material()) == hash(Material())
    assert not Material(torch.tensor([0.8, 0.8, 0.8])).is_default
    assert not Material(name="paint").is_default
    assert not Material(texture=torch.ones(1, 1, 3)).is_default


def test_a_texture_is_painted() -> None:
    square = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=torch.float64)
    uv = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)
    plain = Mesh(square, torch.tensor([[0, 1, 2], [0, 2, 3]]), uv)
    cameras = around(plain, "orbit", 1, 24, elevation=5)
    texture = torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def value(texture: Tensor) -> Tensor:
        scene = Scene(replace(plain, material=Material((0.9, 0.8, 0.7), texture)), Lights((0.1, 0.2, 1.0)))
        return (shaded(scene, cameras) * weight(cameras)).sum()

    agree(value, texture)


def test_the_background_shows_where_nothing_is_hit(ball: Mesh) -> None:
    cameras = around(ball, "orbit", 1, 24)
    behind = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    agree(lambda b: (shaded(Scene(ball, background=b), cameras) * weight(cameras)).sum(), behind)


def test_lights_and_materials_have_the_same_gradient_on_cpu(ball: Mesh) -> None:
    cameras = around(ball, "sphere", 2, 32)
    found = []
    for backend in (TORCH, CPU):
        direction, albedo = torch.tensor([0.2, 1.0, 0.4]).requires_grad_(), torch.full((3,), 0.5).requires_grad_()
        scene = Scene(replace(ball, material=Material(albedo)), Lights(direction))
        (shaded(scene, cameras, backend, torch.float32) * weight(cameras)).sum().backward()
        found.append(torch.cat([direction.grad, albedo.grad]))
    assert torch.allclose(*found, rtol=1e-3)


# --- cameras and meshes -------------------------------------------------------------------------------------------


def test_a_camera_moves_sideways_and_the_silhouette_moves_the_other_way(ball: Mesh) -> None:
    cameras = around(ball, "orbit", 1, 64, elevation=0)
    column = torch.arange(64, dtype=torch.float64) + 0.5

    def centroid(by: Tensor) -> Tensor:
        covered = render(Scene(ball), shifted(cameras, by), "silhouette", TORCH, dtype=torch.float64)[0, ..., 0]
        return (covered * column).sum() / covered.sum()

    by = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    centroid(by).backward()
    toward = torch.tensor([1.0, 0, 0], dtype=torch.float64)
    expected = slope(centroid, by.detach(), toward, 0.02)
    assert float(by.grad[0]) == pytest.approx(expected, rel=0.01)
    assert float(by.grad[0]) < -5  # pixels per unit


@pytest.mark.parametrize("mode", ["silhouette", "shaded"])
def test_a_camera_steps_back_and_the_area_shrinks(ball: Mesh, mode: str) -> None:
    """By the exact angle of a sphere; the gradient of every view's area, with both ways to draw edges."""
    cameras = around(ball, "sphere", 3, 96)
    scene = Scene(replace(ball, material=Material((1.0,) * 3)), Lights(None, 0.0, 1.0), (0.0, 0.0, 0.0))

    def area(by: Tensor) -> Tensor:
        return render(scene, shifted(cameras, by), mode, TORCH, dtype=torch.float64)[..., 0].sum()

    by = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    area(by).backward()
    expected = slope(area, by.detach(), torch.tensor([0.0, 0, 1]).double(), 0.05)
    assert float(by.grad[2]) == pytest.approx(expected, rel=0.02)
    radius = 48 * float(cameras.projection[0, 0, 0]) * math.tan(math.asin(1 / float(cameras.position[0].norm())))
    assert float(area(by.detach())) / 3 == pytest.approx(math.pi * radius**2, rel=0.02)


def test_a_lens_zooms_in(ball: Mesh) -> None:
    """The area grows with the square of the focal length: d area / d log f = 2 area."""
    cameras = around(ball, "orbit", 1, 96)
    focal = torch.ones((), dtype=torch.float64, requires_grad=True)
    lens = cameras.projection * torch.stack([focal, focal, torch.ones(()).double(), torch.ones(()).double()])[:, None]
    area = render(Scene(ball), Cameras(cameras.world_to_camera, lens, cameras.size), "silhouette", TORCH).sum()
    area.backward()
    assert float(focal.grad) == pytest.approx(2 * float(area.detach()), rel=0.01)


def test_depth_follows_the_camera(ball: Mesh) -> None:
    cameras = around(ball, "orbit", 1, 16)

    def value(by: Tensor) -> Tensor:
        depth = render(Scene(ball), shifted(cameras, by), "depth", TORCH, dtype=torch.float64)[0, 5:11, 5:11]
        return (depth * weight(cameras, 1)[0, 5:11, 5:11]).sum()

    agree(value, torch.zeros(3, dtype=torch.float64), step=1e-6, rel=1e-4)


def test_cameras_have_the_same_gradient_on_cpu(ball: Mesh) -> None:
    cameras = around(ball, "sphere", 2, 48)
    found = []
    for backend in (TORCH, CPU):
        by = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        pictures = render(Scene(ball, Lights((1.0, 1.0, 1.0))), shifted(cameras, by), "shaded", backend)
        (pictures * weight(cameras)).sum().backward()
        found.append(by.grad)
    assert torch.allclose(*found, rtol=2e-3, atol=1e-3 * float(found[0].abs().max()))
