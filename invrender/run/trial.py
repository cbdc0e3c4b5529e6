"""Tiny scenes that exercise all kernels of a backend: to compile them ahead of time, and to see how fast they are."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays, index_places
from invrender.cameras.rigs import fibonacci
from invrender.kernels import Backend, Size
from invrender.kernels.compositing import RaySamples, Rules, Shade
from invrender.kernels.field import Field, FieldRays
from invrender.kernels.floor import floor
from invrender.kernels.radiance import Transport
from invrender.nouns import Cameras
from invrender.nouns.topology import Topology, topology
from invrender.render.sampling import sample_rays

VIEWS, SIZE, BANDS = 4, (128, 128), 24
GRID, RAYS = (4, 5, 6), (2, 3, 4)
"""Of the trial of volumes: samples of the grid; views, rows and columns of rays."""


RAYS_PER_POINT = 50


@dataclass(frozen=True)
class Trial:
    """A bumpy ball before a few cameras: clip positions [N,V,4] float32, points [V,3], faces and edges."""

    clip: torch.Tensor
    points: torch.Tensor
    faces: torch.Tensor
    edges: Topology
    size: Size = SIZE


def trial(device: torch.device) -> Trial:
    """The scene on a device: BANDS^2 quads around a ball, seen from VIEWS distances."""
    azimuth = torch.arange(BANDS) * (2 * torch.pi / BANDS)
    height = (torch.arange(BANDS) + 0.5) / BANDS * torch.pi
    x, z = torch.sin(height)[:, None] * torch.sin(azimuth), torch.sin(height)[:, None] * torch.cos(azimuth)
    y = torch.cos(height)[:, None].expand_as(x)
    points = torch.stack([x, y, z], -1).reshape(-1, 3) * (1 + 0.1 * torch.sin(5 * x + 3 * z)).reshape(-1, 1)
    row, column = torch.meshgrid(torch.arange(BANDS - 1), torch.arange(BANDS), indexing="ij")
    a, b = (row * BANDS + column).reshape(-1), (row * BANDS + (column + 1) % BANDS).reshape(-1)
    faces = torch.cat([torch.stack([a, a + BANDS, b], 1), torch.stack([b, a + BANDS, b + BANDS], 1)]).to(device)
    points = points.to(device)
    w = 2.5 + 0.2 * torch.arange(VIEWS, device=device)[:, None] - points[:, 2]
    clip = torch.stack([2 * points[:, 0].expand_as(w), 2 * points[:, 1].expand_as(w), 0.5 * w, w], -1)
    return Trial(clip.contiguous(), points, faces, topology(faces))


def exercise(backend: Backend) -> None:
    """Call every kernel and adjoint once, in each form that compiles anew."""
    _meshes(backend)
    _volumes(backend)
    _scenes(backend)


def _meshes(backend: Backend) -> None:
    t = trial(backend.device)
    silhouettes(backend, t)
    face_id, depth = backend.rasterize(t.clip, t.faces, t.size)
    image = backend.interpolate(t.points, t.faces, face_id, t.clip)
    backend.interpolate_adjoint(image, t.points, t.faces, face_id, t.clip)
    backend.antialias(image, face_id, depth, t.clip, t.faces, t.edges)
    backend.antialias_adjoint(image, image, face_id, depth, t.clip, t.faces, t.edges)
    weight = torch.ones(VIEWS, device=backend.device)
    compare = backend.silhouette_misfit(t.faces, t.edges, len(t.points), image[..., 0].contiguous(), weight)
    matrices = torch.eye(4, dtype=torch.float64, device=backend.device).expand(VIEWS, -1, -1)
    compare(t.points.double(), matrices)
    pictures = image[..., :1].expand(-1, -1, -1, 3).contiguous()
    coloured = backend.colour_misfit(t.faces, len(t.points), pictures, torch.ones_like(pictures[..., 0]), 0.02)
    coloured(t.points.double(), t.points.double(), matrices, range(VIEWS))
    backend.trace(t.points, t.faces, t.points * 3, -t.points)


def _volumes(backend: Backend) -> None:
    device = backend.device
    bounds = torch.tensor([[-0.5, -0.4, -0.3], [0.5, 0.4, 0.3]], dtype=torch.float64, device=device)
    grid = torch.linspace(0.1, 1, 4 * 5 * 6, device=device).reshape(GRID)
    views, size = RAYS[0], RAYS[1:]
    lens = perspective(40.0, size, 0.1, 4.0).repeat(views, 1, 1)
    cameras = Cameras(look_at(2 * fibonacci(views), (0.0, 0.0, 0.0)), lens, size)
    _integrate(backend, grid, bounds, cameras)
    backend.smooth_step(grid, grid.clone(), grid, grid, (0.1, 0.1), 0.5)
    _compose(backend, grid, bounds, cameras)
    _field(backend)


def _integrate(backend: Backend, grid: torch.Tensor, bounds: torch.Tensor, cameras: Cameras) -> None:
    """Optical depths, exact and by Joseph's method, there and back."""
    rays = camera_rays(cameras)
    given = (grid, bounds, rays.origin.to(grid.device), rays.direction.to(grid.device))
    depth = backend.line_integral(*given)
    backend.line_integral_adjoint(depth, *given)
    bundle = backend.joseph_rays(GRID, bounds, cameras, torch.ones(RAYS, dtype=torch.bool), grid.cpu() > 0.2)
    projected = bundle.forward(grid)
    bundle.adjoint(projected)
    bundle.normal(grid, projected, projected)
    backend.backproject(projected.new_ones(RAYS), index_places(GRID, bounds.cpu(), cameras), GRID)


def _compose(backend: Backend, grid: torch.Tensor, bounds: torch.Tensor, cameras: Cameras) -> None:
    """Lit colours through a table, there and back."""
    device = backend.device
    samples = sample_rays(camera_rays(cameras), bounds.cpu(), GRID, 0.1, torch.float32)
    samples = RaySamples(*(part.to(device) for part in (samples.start, samples.step, samples.length, samples.count)))
    lit, table = torch.stack([grid] * 4, -1), torch.rand(4, 4, device=device)
    rules = Rules(shade=Shade(torch.ones(len(samples.count), 6, device=device)))
    result = backend.composite(lit, samples, table, rules)
    backend.composite_adjoint(result, result, lit, samples, table, rules)


def _field(backend: Backend) -> None:
    """A radiance field of one site, and a ray through it."""
    device = backend.device
    index = torch.full(GRID, -1, dtype=torch.int32, device=device)
    index[1, 2, 2] = 0
    site = Field(torch.zeros(1, device=device), torch.zeros(1, 12, device=device), index)
    one = torch.ones(1, device=device)
    start, step = torch.tensor([[0.5, 2, 1]], device=device), torch.tensor([[0.5, 0, 0]], device=device)
    rays = FieldRays(start, step, one / 2, torch.tensor([6], dtype=torch.int32, device=device), one.expand(1, 4))
    backend.field_misfit(site, rays, backend.field(site, rays))
    backend.field_light(site, rays)


def _scenes(backend: Backend) -> None:
    """A floor under a light, there and back, in each form that compiles anew."""
    scene = floor(backend.device)
    origin = torch.tensor([[0.0, 0, 1]], device=backend.device)
    for transport in (Transport(), Transport(indirect=True)):
        rays = (scene, origin, -origin, 0, transport)
        shown = backend.radiance(*rays)
        backend.radiance_adjoint(shown, *rays, shown, frozenset({"materials", "lights"}))
        backend.radiance_adjoint(shown, *rays, shown, frozenset({"materials", "origin", "direction"}))
    backend.radiance_torch(*rays)


def silhouettes(backend: Backend, t: Trial) -> None:
    """Silhouettes and their adjoint."""
    coverage, tape = backend.silhouette_taped(t.clip, t.faces, t.edges, t.size)
    backend.silhouette_adjoint(coverage, tape)


def rays_per_second(backend: Backend, rounds: int = 3) -> float:
    """Rays traced through the trial's ball per second, the best of some rounds."""
    t, best = trial(backend.device), float("inf")
    origin = t.points.repeat(RAYS_PER_POINT, 1) * 3
    for _ in range(rounds + 1):
        start = time.perf_counter()
        backend.trace(t.points, t.faces, origin, -origin)
        if backend.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return len(origin) / best


def milliseconds(backend: Backend, rounds: int = 5) -> float:
    """Best time of silhouettes and adjoint of the trial, per view."""
    t, best = trial(backend.device), float("inf")
    for _ in range(rounds + 1):
        start = time.perf_counter()
        silhouettes(backend, t)
        if backend.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best / VIEWS
