"""Interpolation: perspective-correct values, and its adjoint against central differences."""

from __future__ import annotations

import pytest
import torch

from invrender import ops
from invrender.backends import select


def test_positions_interpolate_to_where_the_rays_meet_the_surface(backend, project, view_rays, icosphere):
    vertices, faces = icosphere(2)
    size = (40, 56)
    clip = project(vertices, 2.0)
    face_id, _ = backend.rasterize(clip, faces, size)
    found = backend.interpolate(vertices, faces, face_id, clip).reshape(-1, 3)
    face, t, _, _ = backend.trace(vertices, faces, *view_rays(size, 2.0))
    origin, direction = view_rays(size, 2.0)
    same = (face >= 0) & (face == face_id.reshape(-1))
    assert same.sum() > 0.98 * (face >= 0).sum() > 100
    assert torch.allclose(found[same], (origin + t[:, None] * direction)[same], atol=1e-6)
    assert (found[face_id.reshape(-1) < 0] == 0).all()


def test_values_stay_right_on_a_face_that_reaches_behind_the_eye(backend, project, view_rays):
    floor = torch.tensor([[-50.0, -1, 50], [50, -1, 50], [0, -1, -80]], dtype=torch.float64)
    faces, size = torch.tensor([[0, 1, 2]]), (30, 30)
    clip = project(floor)
    face_id, _ = backend.rasterize(clip, faces, size)
    found = backend.interpolate(floor, faces, face_id, clip)[face_id >= 0]
    origin, direction = view_rays(size)
    t = -1 / direction[:, 1]
    expected = (origin + t[:, None] * direction)[face_id.reshape(-1) >= 0]
    assert len(found) > 100
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("per_view", [False, True])
@pytest.mark.parametrize("mode", ["translation", "scale", "bump", "attributes"])
def test_adjoint_matches_central_differences(backend, project, icosphere, mode, per_view):
    vertices, faces = icosphere(2)
    generator = torch.Generator().manual_seed(3)
    # No symmetry: a pixel centre exactly on an edge has one-sided derivatives, as its weights are clamped there.
    vertices = vertices + 0.02 * torch.randn(vertices.shape, generator=generator, dtype=torch.float64)
    attributes = torch.randn(len(vertices), 4, generator=generator, dtype=torch.float64)
    attributes = torch.stack([attributes, attributes.flip(0)]) if per_view else attributes

    def clip_of(points):
        return torch.cat([project(points, 2.0), project(points, 2.7)])

    face_id, _ = backend.rasterize(clip_of(vertices), faces, (24, 31))
    grad = torch.randn(2, 24, 31, 4, generator=generator, dtype=torch.float64)
    moves = {
        "translation": vertices.new_tensor([0.3, -0.5, 0.8]).expand_as(vertices),
        "scale": vertices,
        "bump": vertices * torch.exp(-8 * ((vertices - vertices[vertices[:, 2].argmax()]) ** 2).sum(1, keepdim=True)),
        "attributes": torch.zeros_like(vertices),
    }
    d_attributes = torch.randn(attributes.shape, generator=generator).double() * (mode == "attributes")

    def value(step, kernels=backend):
        clip = clip_of(vertices + step * moves[mode])
        return (ops.interpolate(kernels, attributes + step * d_attributes, faces, face_id, clip) * grad).sum()

    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(value(step), step)
    # Shaders give float32, in which so small a difference drowns: compare them with one of the reference.
    exact, rounding = (select("torch"), 3e-4) if backend.name == "vulkan" else (backend, 1e-12)
    expected = float(value(1e-6, exact) - value(-1e-6, exact)) / 2e-6
    assert float(slope) == pytest.approx(expected, rel=1e-5, abs=rounding)


def test_a_degenerate_face_gives_finite_values_and_gradients(backend):
    clip = torch.tensor([[[0.0, 0, 0, 1], [1, 1, 0, 1], [0.5, 0.5, 0, 1]]], requires_grad=True)
    attributes = torch.tensor([[1.0], [2.0], [3.0]])
    image = ops.interpolate(
        backend, attributes, torch.tensor([[0, 1, 2]]), torch.zeros(1, 2, 2, dtype=torch.int64), clip
    )
    image.sum().backward()
    assert torch.isfinite(image).all()
    assert torch.isfinite(clip.grad).all()
