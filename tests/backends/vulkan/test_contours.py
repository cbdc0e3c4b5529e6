"""What contours on a Vulkan device have of their own: views in parts, long lines, no atomic sums, and no doubles."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.nouns.topology import topology

pytestmark = pytest.mark.vulkan

SIZE = (40, 50)
REFERENCE = select("torch")


@pytest.fixture(scope="module")
def vulkan():
    return select("vulkan")


@pytest.fixture(scope="module")
def views(icosphere):
    """Vertices, faces and clip matrices [5,4,4]; the last camera is so near that it cuts faces."""
    vertices, faces = icosphere(2)
    lens = torch.tensor([[1.6, 0, 0, 0], [0, 1.6, 0, 0], [0, 0, -1.02, 3.0], [0, 0, -1, 3.0]]).double()
    matrices = lens.repeat(5, 1, 1)
    matrices[:, 0, 3] = torch.linspace(-0.5, 0.5, 5)
    matrices[4, 2:, 3] = 0.9
    return vertices, faces, matrices


def drawn(backend, views):
    """Coverage, its gradient, the misfit with its gradient and IoU, and an antialiased picture with its gradients."""
    vertices, faces, matrices = views
    edges = topology(faces)
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], vertices) + matrices[:, None, :, 3]
    image, grad = torch.rand(2, 5, *SIZE, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    given = (image, *REFERENCE.rasterize(clip, faces, SIZE), clip, faces, edges)
    coverage, tape = backend.silhouette_taped(clip, faces, edges, SIZE)
    d_clip = backend.silhouette_adjoint(coverage - 0.3, tape)
    compare = backend.silhouette_misfit(faces, edges, len(vertices), coverage.flip(2).float(), torch.ones(5))
    misfit, gradient, iou = compare(vertices, matrices, [4, 1, 3])
    blended = (backend.antialias(*given), *backend.antialias_adjoint(grad, *given))
    return coverage, d_clip, torch.tensor(misfit), gradient, iou, *blended


def test_views_in_parts_are_those_at_once_to_the_last_bit(vulkan, views, monkeypatch):
    at_once = drawn(vulkan, views)
    monkeypatch.setattr("invrender.backends.vulkan.contour.BYTES", 2 * 32 * len(views[0]))
    for one, other in zip(drawn(vulkan, views), at_once, strict=True):
        assert torch.equal(one, other)


def test_the_misfit_is_that_of_the_reference_s_silhouettes_in_doubles(vulkan, views):
    vertices, faces, matrices = views
    edges, masks = topology(faces), torch.rand(5, *SIZE, generator=torch.Generator().manual_seed(0))
    compare = vulkan.silhouette_misfit(faces, edges, len(vertices), masks, torch.ones(5))
    misfit, gradient, _ = compare(vertices, matrices)
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], vertices) + matrices[:, None, :, 3]
    coverage, tape = REFERENCE.silhouette_taped(clip, faces, edges, SIZE)
    assert misfit == pytest.approx(float((coverage - masks).square().sum()), rel=1e-8)
    d_clip = REFERENCE.silhouette_adjoint(2 * (coverage - masks), tape)
    expected = torch.einsum("nij,nvi->vj", matrices[:, :, :3], d_clip)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-7 * float(expected.abs().max()))


def test_a_picture_is_left_as_it_was(vulkan, views):
    vertices, faces, matrices = views
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], vertices) + matrices[:, None, :, 3]
    face_id, depth = REFERENCE.rasterize(clip, faces, SIZE)
    image = (face_id >= 0)[..., None].double()
    before, given = image.clone(), (face_id, depth, clip, faces, topology(faces))
    blended, (d_image, _) = vulkan.antialias(image, *given), vulkan.antialias_adjoint(image, image, *given)
    assert torch.equal(image, before)
    assert not torch.equal(blended, before)
    assert not torch.equal(d_image, before)


def test_a_soup_whose_lines_have_thousands_of_crossings(vulkan):
    generator = torch.Generator().manual_seed(1)
    at = torch.rand(4000, 1, 2, generator=generator, dtype=torch.float64) * 1.6 - 0.8
    corners = (at + 0.2 * torch.rand(4000, 3, 2, generator=generator, dtype=torch.float64)).reshape(-1, 2)
    clip = torch.cat([corners, torch.zeros_like(corners[:, :1]), torch.ones_like(corners[:, :1])], 1)[None]
    faces = torch.arange(len(corners)).reshape(-1, 3)
    found, expected = (backend.silhouette(clip, faces, topology(faces), SIZE) for backend in (vulkan, REFERENCE))
    assert 0.1 < float(expected.mean()) < 0.9
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_without_doubles_the_cpu_backend_draws_them(vulkan, views):
    from invrender.backends.vulkan.backend import kernels_on

    device = vulkan.silhouette.args[0]
    features = tuple(feature for feature in device.adapter.features if feature != "double")
    plain = kernels_on(replace(device, adapter=replace(device.adapter, features=features)), select("cpu"))
    assert "by the cpu backend" in plain.description
    assert "silhouette" in plain.description.split("by the cpu backend")[1]
    assert "silhouette" not in vulkan.description.partition("by the cpu backend")[2]
    for one, other in zip(drawn(plain, views), drawn(select("cpu"), views), strict=True):
        assert torch.equal(one, other)
