"""Gradients of traced pictures with their edges: finite differences, the raster's antialiasing, and a pose found."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays
from invrender.nouns import Cameras, Mesh, Scene
from invrender.ops import first_hits
from invrender.render import raster
from invrender.render.edges import EdgeSampling, visibility
from invrender.shading.surface import surface
from tests.render.polygons import moved, numbers

Tensor = torch.Tensor

TORCH, CPU = select("torch"), select("cpu")
LIGHT = torch.nn.functional.normalize(numbers([0.4, 0.7, 0.6]), dim=0)


def ball(subdivisions: int, radius: float, bumps: float = 0.0) -> tuple[Tensor, Tensor]:
    shape = trimesh.creation.icosphere(subdivisions)
    at = torch.tensor(shape.vertices)
    at = at * (radius + bumps * torch.sin(5 * at[:, :1]) * torch.cos(7 * at[:, 1:2] + at[:, 2:]))
    return at, torch.tensor(shape.faces, dtype=torch.int64)


def two_balls() -> tuple[Tensor, Tensor, Tensor, int]:
    """A bumpy ball and a small one before it: vertices, faces, colours, and how many vertices are the first one's."""
    (body, inner), (front, outer) = ball(2, 0.9, 0.15), ball(1, 0.3)
    vertices = torch.cat([body, front + numbers([0.1, 0.15, 1.5])])
    colours = 0.6 + 0.3 * torch.sin(2 * vertices + numbers([0, 1, 2]))
    colours[: len(body)] *= 0.5
    return vertices, torch.cat([inner, outer + len(body)]), colours, len(body)


def camera(size: int, motion: Tensor) -> Cameras:
    world_to_camera = moved(motion) @ look_at([[0.3, 0.5, 3.2]], (0.0, 0.0, 0.0))
    return Cameras(world_to_camera, perspective(45.0, (size, size), 0.1, 100.0)[None], (size, size))


def shaded(shown, origin: Tensor, direction: Tensor, lit: bool = True) -> Tensor:
    """Lambert's law under one light, or the colours themselves, before a dark wall."""
    hits = first_hits(CPU, shown.positions, shown.faces, origin, direction)
    rows = shown.attribute_faces[hits.face.clamp(min=0)]
    weights = torch.stack([1 - hits.u - hits.v, hits.u, hits.v], 1)[..., None]
    colour, normal = ((weights * each[rows]).sum(1) for each in (shown.colours, shown.normals))
    cosine = (torch.nn.functional.normalize(normal, dim=1) @ LIGHT).clamp(min=0)[:, None]
    return torch.where(hits.face[:, None] >= 0, colour * (0.2 + 0.8 * cosine if lit else 1.0), 0.1)


def picture(shown, cameras: Cameras, finer: int = 1, lit: bool = True) -> Tensor:
    """[1,H,W,3], the mean of finer^2 rays per pixel."""
    height, width = cameras.size
    large = Cameras(cameras.world_to_camera, cameras.projection, (height * finer, width * finer))
    rays = camera_rays(large)
    found = shaded(shown, rays.origin, rays.direction, lit)
    return found.reshape(1, height, finer, width, finer, 3).mean((2, 4))


def ramps(size: int) -> Tensor:
    at = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x, 1 - y, torch.full_like(x, 0.5)], -1)[None]


def moved_scene(motion: Tensor, size: int):
    """Two balls moved by: occluder x, y, body x, y, scale, camera twist [6]."""
    vertices, faces, colours, first = two_balls()
    zero = torch.zeros_like(motion[0])
    body = vertices[:first] * (1 + motion[4]) + torch.stack([motion[2], motion[3], zero])
    front = vertices[first:] + torch.stack([motion[0], motion[1], zero])
    return surface(Mesh(torch.cat([body, front]), faces, colours=colours)), camera(size, motion[5:])


def test_gradients_of_an_occluder_scene_are_finite_differences():
    """Within 2 % of the larger of the two terms; the one from within the faces is far off without that of edges."""
    size, finer, step = 24, 14, 0.03
    weights = ramps(size)

    def value(motion: Tensor) -> float:
        with torch.no_grad():
            return float((picture(*moved_scene(motion, size), finer) * weights).sum())

    motion = torch.zeros(11, dtype=torch.float64, requires_grad=True)
    shown, cameras = moved_scene(motion, size)
    inside = picture(shown, cameras, 20)
    zeros = visibility(inside, shown, cameras, partial(shaded, shown))
    by_faces, by_edges = (
        torch.autograd.grad((each * weights).sum(), motion, retain_graph=True)[0] for each in (inside, zeros)
    )
    chosen, slopes = [0, 2, 4, 6, 9], torch.zeros(11, dtype=torch.float64)
    for k in chosen:
        way = torch.zeros(11, dtype=torch.float64)
        way[k] = step
        slopes[k] = (value(way) - value(-way)) / (2 * step)
    terms = torch.stack([slopes, by_faces, by_edges])[:, chosen].abs().amax(0)
    off, off_alone = ((each - slopes)[chosen].abs() for each in (by_faces + by_edges, by_faces))
    assert (off < 0.02 * terms).all()
    assert (off_alone > 0.3 * terms).all()


def test_outlines_have_the_gradient_of_the_rasters_silhouettes():
    """The outline of a ball; what the raster says within pixels at its corners is an estimate, along waves less so."""
    (vertices, faces), weights = ball(2, 0.8, 0.1), torch.sin(4 * ramps(48)[..., :1])
    cameras, found = camera(48, torch.zeros(6).double()), []
    for traced in (True, False):
        at = vertices.clone().requires_grad_()
        if traced:
            drawn = visibility(weights, surface(Mesh(at, faces)), cameras, partial(covered, vertices, faces))
        else:
            drawn = raster.render(Scene(Mesh(at, faces)), cameras, "silhouette", TORCH, dtype=torch.float64)
        found.append(torch.autograd.grad((drawn * weights).sum(), at)[0])
    assert float((found[0] - found[1]).norm()) < 0.08 * float(found[1].norm())
    for phase in range(3):
        along = [float((each * torch.sin(3 * vertices + phase)).sum()) for each in found]
        assert along[0] == pytest.approx(along[1], rel=0.03)


def test_outlines_of_one_colour_have_the_gradient_of_the_rasters_colours():
    """Here the raster's antialiasing is exact but where the outline turns within a pixel."""
    (vertices, faces), weights = ball(3, 0.8, 0.1), ramps(48)
    cameras, found = camera(48, torch.zeros(6).double()), []
    for traced in (True, False):
        at = vertices.clone().requires_grad_()
        mesh = Mesh(at, faces, colours=torch.full_like(vertices, 0.7))
        if traced:
            shown = surface(mesh)
            drawn = visibility(weights, shown, cameras, partial(shaded, shown, lit=False))
        else:
            drawn = raster.render(Scene(mesh, background=(0.1, 0.1, 0.1)), cameras, "color", TORCH, dtype=torch.float64)
        found.append(torch.autograd.grad((drawn * weights).sum(), at)[0])
    assert float((found[0] - found[1]).norm()) < 0.01 * float(found[0].norm())
    for phase in range(3):
        along = [float((each * torch.sin(3 * vertices + phase)).sum()) for each in found]
        assert along[0] == pytest.approx(along[1], rel=0.003)


def test_few_points_make_noise_and_no_bias():
    """A ball grows: its outline has more edges than there are points to look at them, and as many as that."""
    (vertices, faces), weights = ball(3, 0.8, 0.1), ramps(32)[..., :1]
    cameras, means, errors = camera(32, torch.zeros(6).double()), [], []
    for samples, seeds in ((30, 60), (2000, 2)):
        grown = []
        for seed in range(seeds):
            size = torch.ones((), dtype=torch.float64, requires_grad=True)
            shown, see = surface(Mesh(vertices * size, faces)), partial(covered, vertices, faces)
            zeros = visibility(weights, shown, cameras, see, EdgeSampling(samples, seed))
            grown.append(torch.autograd.grad((zeros * weights).sum(), size)[0])
        means.append(float(torch.stack(grown).mean()))
        errors.append(float(torch.stack(grown).std()) / seeds**0.5)
    assert errors[0] < 0.02 * means[0]
    assert abs(means[0] - means[1]) < 4 * errors[0]


def covered(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    return (CPU.trace(vertices, faces, origin, direction)[0] >= 0)[:, None].double()


def test_a_pose_is_found_by_its_edges_alone():
    """A wedge whose faces have one colour each, turned and shifted; without edges no picture changes with it."""
    corners = numbers([[-0.7, -0.4, 0.1], [0.6, -0.5, 0.3], [0.3, 0.7, -0.2], [-0.1, 0.1, 0.8]])
    order = torch.tensor([0, 1, 3, 1, 2, 3, 2, 0, 3, 1, 0, 2])
    colours = torch.rand(4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64).repeat_interleave(3, 0)
    still, true = camera(24, torch.zeros(6).double()), numbers([0.3, 0.15, -0.1, 0.3])

    def drawn(pose: Tensor, seed: int | None) -> Tensor:
        matrix = moved(torch.cat([torch.zeros(2).double(), pose]))
        at = corners @ matrix[:3, :3].T + matrix[:3, 3]
        shown = surface(Mesh(at[order], torch.arange(12).reshape(-1, 3), colours=colours))
        inside = picture(shown, still, 3, lit=False)
        if seed is None:
            return inside
        return inside + visibility(inside, shown, still, partial(shaded, shown, lit=False), EdgeSampling(500, seed))

    def slope(pose: Tensor, seed: int | None) -> Tensor:
        pose = pose.detach().requires_grad_()
        return torch.autograd.grad((drawn(pose, seed) - target).square().sum(), pose)[0]

    target = drawn(true, None).detach()
    pose, first, second = torch.zeros(3, 4, dtype=torch.float64)
    assert float(slope(pose, None).abs().max()) == 0
    for k in range(1, 46):  # Adam
        found = slope(pose, k)
        first, second = 0.8 * first + 0.2 * found, 0.95 * second + 0.05 * found**2
        step = first / (1 - 0.8**k) / (second / (1 - 0.95**k)).sqrt()
        pose = pose - 0.06 * 0.93**k * step
    assert float((pose - true).norm()) < 0.04 * float(true.norm())
