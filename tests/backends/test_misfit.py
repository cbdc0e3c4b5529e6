"""Silhouettes compared with masks of which pixels are unknown, and over some of the views."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.losses import silhouette_misfit_gradient, soft_iou
from invrender.nouns.topology import topology

REFERENCE = select("torch")
SIZE = (24, 31)
VIEWS = 4


@pytest.fixture(scope="module")
def ball(icosphere):
    """Vertices [V,3] float64 of a ball, its faces, and clip matrices [N,4,4] of views from around it."""
    vertices, faces = icosphere(2)
    angles = torch.arange(VIEWS).double() * 1.3
    rotations = torch.eye(4).double().repeat(VIEWS, 1, 1)
    rotations[:, 0, 0], rotations[:, 2, 2] = angles.cos(), angles.cos()
    rotations[:, 0, 2], rotations[:, 2, 0] = angles.sin(), -angles.sin()
    lens = torch.tensor([[1.7, 0, 0, 0], [0, 1.7, 0, 0], [0, 0, -1.02, 4.0], [0, 0, -1, 4.0]]).double()
    return vertices.double() * torch.tensor([1.0, 0.8, 0.6]), faces, lens @ rotations


@pytest.fixture(scope="module")
def pixels():
    """Masks, confidence (a third of it 0) and weights of the views."""
    generator = torch.Generator().manual_seed(4)
    masks, confidence = torch.rand(2, VIEWS, *SIZE, generator=generator)
    confidence[confidence < 1 / 3] = 0
    return masks, confidence, torch.tensor([0.3, 0.1, 0.7, 0.2])


def test_pixels_count_by_their_confidence(backend, ball, pixels):
    (vertices, faces, matrices), (masks, confidence, weight) = ball, pixels
    edges = topology(faces)
    compare = backend.silhouette_misfit(faces, edges, len(vertices), masks, weight, confidence)
    misfit, gradient, iou = compare(vertices, matrices)
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], vertices) + matrices[:, None, :, 3]
    coverage, tape = REFERENCE.silhouette_taped(clip, faces, edges, SIZE)
    squares = confidence * (coverage - masks).square()
    assert misfit == pytest.approx(float((weight * squares.sum((1, 2))).sum()), rel=1e-5)
    torch.testing.assert_close(iou, soft_iou(coverage, masks.double(), confidence.double()), rtol=1e-5, atol=1e-6)
    d_clip = REFERENCE.silhouette_adjoint(silhouette_misfit_gradient(coverage, masks, weight, confidence), tape)
    expected = torch.einsum("nij,nvi->vj", matrices[:, :, :3], d_clip)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=2e-5 * float(expected.abs().max()))


def test_the_gradient_is_that_of_finite_differences(backend, ball, pixels):
    (vertices, faces, matrices), (_, confidence, weight) = ball, pixels
    smooth = torch.nn.functional.interpolate(confidence[:, None, ::6, ::6], (96, 124), mode="bilinear")[:, 0]
    masks = torch.zeros_like(smooth)
    compare = backend.silhouette_misfit(faces, topology(faces), len(vertices), masks, weight, smooth)
    gradient = compare(vertices, matrices)[1]
    for motion in (vertices, torch.eye(3)[1].double().expand_as(vertices)):
        ends = [compare(vertices + step * motion, matrices)[0] for step in (0.01, -0.01)]
        slope = float((gradient * motion).sum())
        assert slope == pytest.approx((ends[0] - ends[1]) / 0.02, abs=0.05 * float((gradient * vertices).sum()))


def test_what_is_unknown_says_nothing(backend, ball, pixels):
    (vertices, faces, matrices), (masks, confidence, weight) = ball, pixels
    other = torch.where(confidence > 0, masks, 1 - masks)
    one, two = (
        backend.silhouette_misfit(faces, topology(faces), len(vertices), given, weight, confidence)(vertices, matrices)
        for given in (masks, other)
    )
    assert one[0] == two[0]
    torch.testing.assert_close(one[1:], two[1:], rtol=1e-6, atol=1e-9)  # a GPU adds floats up in any order
    nothing = torch.zeros_like(confidence)
    given = (faces, topology(faces), len(vertices), masks, weight, nothing)
    misfit, gradient, iou = backend.silhouette_misfit(*given)(vertices, matrices)
    assert misfit == 0
    assert not gradient.any()
    assert iou.tolist() == [1.0] * VIEWS


@pytest.mark.parametrize("believed", [True, False])
def test_some_views_alone_are_compared(backend, ball, pixels, believed):
    (vertices, faces, matrices), (masks, confidence, weight) = ball, pixels
    given = (faces, topology(faces), len(vertices), masks, weight, confidence if believed else None)
    compare = backend.silhouette_misfit(*given)
    every = compare(vertices, matrices)
    single = [compare(vertices, matrices, [view]) for view in range(VIEWS)]
    for chosen in ([2, 0], torch.tensor([3, 1, 2]), range(VIEWS)):
        misfit, gradient, iou = compare(vertices, matrices, chosen)
        assert misfit == pytest.approx(sum(single[view][0] for view in chosen), rel=1e-5)
        torch.testing.assert_close(gradient, sum(single[view][1] for view in chosen), rtol=1e-4, atol=1e-6)
        assert iou.tolist() == pytest.approx(every[2][torch.as_tensor(list(chosen))].tolist(), rel=1e-6)
    assert compare(vertices, matrices)[0] == pytest.approx(sum(each[0] for each in single), rel=1e-5)
    none = compare(vertices, matrices, [])
    assert (none[0], len(none[2]), bool(none[1].any())) == (0, 0, False)
    with pytest.raises(IndexError):
        compare(vertices, matrices, [VIEWS])


@pytest.mark.parametrize("believed", [True, False])
@pytest.mark.parametrize("size", [(24, 31), (96, 130)])
def test_masks_may_be_bytes(backend, ball, pixels, believed, size):
    (vertices, faces, matrices), weight = ball, pixels[2]
    generator = torch.Generator().manual_seed(5)
    masks = torch.randint(0, 256, (VIEWS, *size), dtype=torch.uint8, generator=generator)
    masks[:, : size[0] // 2, :9] = 0
    masks[:, size[0] // 2 :, 12:] = 255
    confidence = torch.randint(0, 256, masks.shape, dtype=torch.uint8, generator=generator) if believed else None
    floats = None if confidence is None else confidence.float() / 255
    given = faces, topology(faces), len(vertices)
    for chosen in (None, [2, 0]):
        misfit, gradient, iou = backend.silhouette_misfit(*given, masks, weight, confidence)(vertices, matrices, chosen)
        exact = REFERENCE.silhouette_misfit(*given, masks.float() / 255, weight, floats)
        expected = exact(vertices, matrices, chosen)
        assert misfit == pytest.approx(expected[0], rel=1e-5)
        largest = float(expected[1].abs().max())
        torch.testing.assert_close(gradient, expected[1], rtol=1e-4, atol=2e-5 * largest)
        torch.testing.assert_close(iou, expected[2], rtol=1e-5, atol=1e-6)


def test_what_fits_has_no_misfit_and_no_less(backend, ball):
    """Sums that cancel leave nothing below 0."""
    (vertices, faces, matrices), size = ball, (45, 65)
    for scale in torch.linspace(0.8, 1.2, 12).double():
        moved = scale * vertices
        clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], moved) + matrices[:, None, :, 3]
        masks = REFERENCE.silhouette(clip, faces, topology(faces), size).float()
        compare = backend.silhouette_misfit(faces, topology(faces), len(vertices), masks, torch.ones(VIEWS))
        misfit, _, iou = compare(moved, matrices)
        assert 0 <= misfit < 1e-6
        assert iou.tolist() == pytest.approx([1.0] * VIEWS, abs=1e-5)
        assert float(iou.max()) <= 1
