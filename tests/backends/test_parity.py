"""One test body over all backends: random nasty meshes against the reference in float64, forward and adjoint."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from invrender.backends import select
from invrender.errors import InputError
from invrender.losses.silhouettes import soft_iou
from invrender.nouns.topology import topology

REFERENCE = select("torch")
TOLERANCE = 2e-5  # of the largest value, in float32

nasty = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scenes = given(
    seed=st.integers(0, 10**6),
    size=st.sampled_from([(1, 1), (1, 9), (7, 2), (16, 16), (23, 40)]),
    corners=st.integers(3, 40),
    count=st.integers(0, 60),
    kind=st.sampled_from(["soup", "lattice", "near", "behind", "far", "thin", "huge"]),
    views=st.integers(1, 3),
)


def scene(seed, corners, count, kind, views):
    """Clip positions float32 and faces: with repeated corners, shared edges in any number, and unused vertices."""
    generator = torch.Generator().manual_seed(seed)
    clip = torch.randn(views, corners, 4, generator=generator)
    clip[..., 3] = clip[..., 3].abs() + 0.2
    if kind == "lattice":  # on pixel centres and corners, and exactly as deep as one another
        clip = (clip * 4).round() / 4
        clip[..., 3] = 1.0
    elif kind == "near":
        clip[..., 3] -= 0.8
    elif kind == "behind":
        clip[..., 3] = -clip[..., 3]
    elif kind == "far":
        clip[..., :2] += 50.0
    elif kind == "thin":
        clip[..., 0] *= 1e-4
    elif kind == "huge":
        clip[..., :2] *= 1e5
    return clip, torch.randint(0, corners, (count, 3), generator=generator)


def agree(values, expected):
    values, expected = (part if isinstance(part, tuple) else (part,) for part in (values, expected))
    for value, other in zip(values, expected, strict=True):
        assert value.shape == other.shape
        assert torch.isfinite(value).all()
        assert float((value - other).abs().max() if len(value) else 0) <= TOLERANCE * max(1.0, float(other.abs().max()))


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu), pytest.param("vulkan", marks=pytest.mark.vulkan)]
)
def candidate(request, open_backend):
    return open_backend(request.param)


@scenes
@nasty
def test_ids_and_depth_are_the_same_to_the_last_bit(candidate, seed, size, corners, count, kind, views):
    clip, faces = scene(seed, corners, count, kind, views)
    for dtype in (torch.float32, torch.float64):
        face_id, depth = candidate.rasterize(clip.to(dtype), faces, size)
        expected_id, expected_depth = REFERENCE.rasterize(clip.to(dtype), faces, size)
        assert torch.equal(face_id, expected_id)
        assert torch.equal(depth, expected_depth)


@scenes
@example(seed=0, size=(23, 40), corners=30, count=50, kind="near", views=2)
@example(seed=103, size=(1, 1), corners=13, count=1, kind="lattice", views=2)  # two crossings in one place
@nasty
def test_pictures_and_gradients_are_the_reference_s(candidate, seed, size, corners, count, kind, views):
    clip, faces = scene(seed, corners, count, kind, views)
    edges = topology(faces)
    generator = torch.Generator().manual_seed(seed)
    face_id, depth = REFERENCE.rasterize(clip, faces, size)
    image, grad = torch.randn(2, views, *size, 3, generator=generator)
    double = clip.double()
    coverage, tape = candidate.silhouette_taped(clip, faces, edges, size)
    expected, expected_tape = REFERENCE.silhouette_taped(double, faces, edges, size)
    agree(coverage, expected)
    if kind == "lattice":
        return  # contours meet exactly on scanlines, where derivatives are one-sided and either side is right
    scale = float(REFERENCE.silhouette_adjoint(grad[..., 0].double(), expected_tape).abs().max().clamp(min=1))
    d_clip = candidate.silhouette_adjoint(grad[..., 0] / scale, tape)
    agree(d_clip, REFERENCE.silhouette_adjoint(grad[..., 0].double() / scale, expected_tape))
    given_32, given_64 = (face_id, depth, clip, faces, edges), (face_id, depth.double(), double, faces, edges)
    agree(candidate.antialias(image, *given_32), REFERENCE.antialias(image.double(), *given_64))
    agree(
        candidate.antialias_adjoint(grad, image, *given_32),
        REFERENCE.antialias_adjoint(grad.double(), image.double(), *given_64),
    )


@scenes
@example(seed=0, size=(23, 40), corners=30, count=50, kind="near", views=2)
@nasty
def test_interpolation_and_its_gradients_are_the_reference_s(candidate, seed, size, corners, count, kind, views):
    clip, faces = scene(seed, corners, count, kind, views)
    face_id, _ = REFERENCE.rasterize(clip, faces, size)
    generator = torch.Generator().manual_seed(seed)
    attributes = torch.randn(*((views,) if seed % 2 else ()), corners, 3, generator=generator)
    grad = torch.randn(views, *size, 3, generator=generator)
    agree(
        candidate.interpolate(attributes, faces, face_id, clip),
        REFERENCE.interpolate(attributes.double(), faces, face_id, clip.double()),
    )
    expected = REFERENCE.interpolate_adjoint(grad.double(), attributes.double(), faces, face_id, clip.double())
    found = candidate.interpolate_adjoint(grad, attributes, faces, face_id, clip)
    if kind == "lattice":  # pixels lie exactly on edges, where derivatives by place are one-sided and either is right
        found, expected = found[:1], expected[:1]
    for value, other in zip(found, expected, strict=True):
        agree(value / other.abs().max().clamp(min=1), other / other.abs().max().clamp(min=1))


@scenes
@example(seed=0, size=(23, 40), corners=30, count=50, kind="near", views=2)
@nasty
def test_the_fused_misfit_is_the_one_made_of_silhouettes_and_their_adjoint(
    candidate, seed, size, corners, count, kind, views
):
    _, faces = scene(seed, corners, count, kind, views)
    edges, generator = topology(faces), torch.Generator().manual_seed(seed)
    points, matrices = torch.randn(corners, 3, generator=generator).double(), torch.eye(4).repeat(views, 1, 1).double()
    matrices += 0.4 * torch.randn(views, 4, 4, generator=generator)
    matrices[:, 3, 3] += 1.0 if kind == "near" else 4.0
    masks, weight = torch.rand(views, *size, generator=generator), torch.rand(views, generator=generator).double()
    misfit, gradient, iou = candidate.silhouette_misfit(faces, edges, corners, masks, weight)(points, matrices)
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], points) + matrices[:, None, :, 3]
    coverage, tape = REFERENCE.silhouette_taped(clip, faces, edges, size)
    difference = coverage - masks
    assert misfit == pytest.approx(float((difference.square().sum((1, 2)) * weight).sum()), rel=1e-5)
    agree(iou, soft_iou(coverage, masks))
    d_clip = REFERENCE.silhouette_adjoint(2 * weight[:, None, None] * difference, tape)
    expected = torch.einsum("nij,nvi->vj", matrices[:, :, :3], d_clip)
    scale = float(expected.abs().max().clamp(min=1))
    agree(gradient / scale, expected / scale)


def test_the_misfit_follows_a_ball_that_moves_and_grows(backend, icosphere):
    vertices, faces = icosphere(3)
    rotations = torch.eye(4).double().repeat(2, 1, 1)
    rotations[1, :3, :3] = torch.tensor([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
    lens = torch.tensor([[1.6, 0, 0, 0], [0, 1.6, 0, 0], [0, 0, -1.02, 4.0], [0, 0, -1, 4.0]]).double()
    matrices, edges = lens @ rotations, topology(faces)
    clip = torch.einsum("nij,vj->nvi", matrices[:, :, :3], vertices.double()) + matrices[:, None, :, 3]
    masks = REFERENCE.silhouette(clip, faces, edges, (48, 60)).float()
    weight = torch.tensor([0.02, 0.05])
    compare = backend.silhouette_misfit(faces, edges, len(vertices), masks, weight)
    exact = compare(vertices.double(), matrices)
    assert exact[0] == pytest.approx(0, abs=1e-8)
    assert exact[2].tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    moved = 1.1 * vertices.double() + torch.tensor([0.1, 0.05, -0.07])
    _, gradient, iou = compare(moved, matrices)
    assert 0.6 < float(iou.min()) < float(iou.max()) < 0.9
    motions = (vertices.double(), torch.ones_like(moved), torch.eye(3)[1].double().expand_as(moved))
    slopes = [
        (compare(moved + 0.003 * m, matrices)[0] - compare(moved - 0.003 * m, matrices)[0]) / 0.006 for m in motions
    ]
    assert [float((gradient * m).sum()) for m in motions] == pytest.approx(slopes, abs=0.05 * slopes[0])


def test_weights_of_pixels_beyond_their_face_are_clamped_and_do_not_move(candidate):
    clip, _ = scene(0, 12, 0, "soup", 2)
    generator = torch.Generator().manual_seed(0)
    faces = torch.rand(20, 12, generator=generator).argsort(1)[:, :3]
    face_id = torch.randint(0, 20, (2, 9, 11), generator=generator)
    attributes, grad = torch.randn(12, 2, generator=generator), torch.randn(2, 9, 11, 2, generator=generator)
    given, exact = (attributes, faces, face_id, clip), (attributes.double(), faces, face_id, clip.double())
    agree(candidate.interpolate(*given), REFERENCE.interpolate(*exact))
    for value, other in zip(
        candidate.interpolate_adjoint(grad, *given), REFERENCE.interpolate_adjoint(grad.double(), *exact), strict=True
    ):
        agree(value / other.abs().max(), other / other.abs().max())


@pytest.mark.parametrize("shared", [True, False])
def test_gradients_of_interpolation_are_the_reference_s(candidate, icosphere, project, shared):
    vertices, faces = icosphere(2)
    clip = torch.cat([project(vertices, 1.8 + 0.1 * k) for k in range(18)]).float()
    face_id, _ = candidate.rasterize(clip, faces, (20, 30))
    generator = torch.Generator().manual_seed(0)
    attributes = torch.randn(*(() if shared else (18,)), len(vertices), 5, generator=generator)
    grad = torch.randn(18, 20, 30, 5, generator=generator)
    both = candidate.interpolate_adjoint(grad, attributes, faces, face_id, clip)
    agree(both, REFERENCE.interpolate_adjoint(grad.double(), attributes.double(), faces, face_id, clip.double()))
    for backend in (candidate, REFERENCE):
        first, nothing = backend.interpolate_adjoint(grad, attributes, faces, face_id, clip, (True, False))
        none, second = backend.interpolate_adjoint(grad, attributes, faces, face_id, clip, (False, True))
        assert nothing is none is None
        agree((first, second), both)


def test_results_do_not_depend_on_the_number_of_threads(candidate, icosphere, project, monkeypatch):
    vertices, faces = icosphere(3)
    clip, edges, size = (
        torch.cat([project(vertices, 2.0 + 0.1 * k) for k in range(5)]).float(),
        topology(faces),
        (65, 70),
    )

    def everything():
        face_id, depth = candidate.rasterize(clip, faces, size)
        coverage, tape = candidate.silhouette_taped(clip, faces, edges, size)
        d_clip = candidate.silhouette_adjoint(coverage, tape)
        image = candidate.interpolate(clip[0], faces, face_id, clip)
        back = candidate.interpolate_adjoint(image, clip[0], faces, face_id, clip)
        back = () if candidate.name == "vulkan" else back  # its shaders add floats up in any order
        blended = candidate.antialias(image, face_id, depth, clip, faces, edges)
        alone = candidate.rasterize(clip[:1], faces, size)
        compare = candidate.silhouette_misfit(faces, edges, len(vertices), coverage.flip(0), torch.ones(5))
        value, gradient, iou = compare(vertices.double(), torch.eye(4).repeat(5, 1, 1).double() + 1)
        alone = [*alone, torch.tensor(value), gradient, iou]
        return [face_id, depth, coverage, d_clip, image, *back, blended, *alone]

    one = everything()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    if candidate.name == "cuda":  # which adds floats up in any order
        return torch.testing.assert_close(one, everything(), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(one, everything(), strict=True))
    return None


def test_faces_with_corners_that_are_not_finite_are_not_drawn(candidate):
    clip, faces = scene(3, 20, 30, "soup", 2)
    broken = clip.clone()
    broken[0, 2, 0], broken[0, 3, 1], broken[0, 4, 2], broken[0, 5, 3] = (float("nan"), float("inf")) * 2
    whole = ~torch.isin(faces, torch.arange(2, 6)).any(1)
    mended, edges, size = clip.clone(), topology(faces), (24, 24)
    face_id, _ = candidate.rasterize(broken[:1], faces, size)
    kept = whole.nonzero()[:, 0]
    expected, _ = REFERENCE.rasterize(mended[:1], faces[kept], size)
    assert torch.equal(face_id, torch.where(expected >= 0, kept[expected.clamp(min=0)], -1))
    coverage, tape = candidate.silhouette_taped(broken[:1], faces, edges, size)
    agree(coverage, REFERENCE.silhouette(mended[:1].double(), faces[kept], topology(faces[kept]), size))
    assert torch.isfinite(candidate.silhouette_adjoint(coverage, tape)).all()


@pytest.mark.parametrize("missing", [3, -1])
def test_a_face_with_a_vertex_that_does_not_exist_is_refused(backend, missing):
    clip, faces, size = torch.rand(1, 3, 4), torch.tensor([[0, 1, missing]]), (4, 4)
    edges, image, face_id = topology(faces), torch.rand(1, 4, 4, 2), torch.zeros(1, 4, 4, dtype=torch.int64)
    for call in (
        lambda: backend.rasterize(clip, faces, size),
        lambda: backend.interpolate(clip[0], faces, face_id, clip),
        lambda: backend.interpolate_adjoint(image, clip[0, :, :2], faces, face_id, clip),
        lambda: backend.antialias(image, face_id, image[..., 0], clip, faces, edges),
        lambda: backend.silhouette(clip, faces, edges, size),
        lambda: backend.silhouette_misfit(faces, edges, 3, image[..., 0], torch.ones(1))(
            clip[0, :, :3].double(), torch.eye(4)[None].double()
        ),
        lambda: backend.trace(clip[0, :, :3], faces, clip[0, :, :3], clip[0, :, :3]),
    ):
        with pytest.raises(InputError, match="vertex that does not exist"):
            call()


def test_a_very_wide_image_works(candidate):
    clip = torch.tensor([[[-0.9, -0.9, 0, 1], [0.9, -0.8, 0.1, 1], [0.1, 0.9, 0, 1]]])
    faces, size = torch.tensor([[0, 1, 2]]), (3, 20_000)
    assert torch.equal(candidate.rasterize(clip, faces, size)[0], REFERENCE.rasterize(clip, faces, size)[0])
    agree(
        candidate.silhouette(clip, faces, topology(faces), size),
        REFERENCE.silhouette(clip.double(), faces, topology(faces), size),
    )
