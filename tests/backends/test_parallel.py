"""Kernels on clip positions of parallel cameras, whose w is 1, beside the reference: forward and adjoint."""

from __future__ import annotations

import torch

from invrender import ops
from invrender.backends import select
from invrender.cameras.around import around
from invrender.kernels import Backend
from invrender.nouns import Mesh
from invrender.render.raster import clip_positions
from invrender.shading.surface import surface_on

SIZE = (24, 32)


def drawn(backend: Backend, mesh: Mesh) -> list[torch.Tensor]:
    """Faces, coverage and colours with outlines, and the gradients of a weighted sum of these to clip positions."""
    surface = surface_on(torch.device("cpu"), mesh)
    cameras = around(mesh, "sphere", 3, SIZE, parallel=True)
    clip = clip_positions(surface.positions, cameras).requires_grad_(True)
    assert torch.equal(clip.detach()[..., 3], torch.ones_like(clip[..., 3]))
    face_id, depth = ops.rasterize(backend, clip, surface.faces, SIZE)
    colours = (surface.positions - surface.positions.mean(0)).float()
    flat = ops.interpolate(backend, colours, surface.faces, face_id, clip)
    edges = (surface.faces, surface.topology)
    mixed = ops.antialias(backend, flat, face_id, depth, clip, *edges)
    covered = ops.silhouette(backend, clip, *edges, SIZE)
    generator = torch.Generator().manual_seed(3)
    total = (mixed * torch.rand(mixed.shape, generator=generator)).sum()
    total = total + (covered * torch.rand(covered.shape, generator=generator)).sum()
    (gradient,) = torch.autograd.grad(total, clip)
    return [face_id, depth, mixed.detach(), covered.detach(), gradient]


def test_kernels_agree_with_the_reference_where_rays_are_parallel(backend: Backend, icosphere) -> None:
    vertices, faces = icosphere(2)
    mesh = Mesh(torch.cat([vertices, 0.6 * vertices + 0.5]), torch.cat([faces, faces + len(vertices)]))
    found, expected = drawn(backend, mesh), drawn(select("torch"), mesh)
    assert torch.equal(found[0].cpu(), expected[0])
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert torch.allclose(one.cpu(), other, rtol=1e-4, atol=1e-4)
    # Clip space's w of a parallel camera moves nothing but all: only x and y have gradients besides it.
    assert float(expected[-1][..., :2].abs().max()) > 0.1
