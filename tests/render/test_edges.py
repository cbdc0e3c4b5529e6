"""Gradients of visibility by edge sampling: exact where pictures are polygons, and against supersampled pictures."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from invrender.errors import InputError, UsageError
from invrender.render.edges import EdgeSampling, visibility
from tests.render.polygons import SIZE, area, lit, numbers, orthographic, pinhole, pixels, prepared, square, telescope

Tensor = torch.Tensor

BACKENDS = ["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
IMAGE = torch.zeros(1, *SIZE, 3)
PYRAMID = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 2], [3, 2, 0]]
COLOURS = torch.rand(6, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def pyramid() -> Tensor:
    return torch.cat([square(1.2, 0.0), numbers([[0.1, 0.05, 0.5]])])


def seen(vertices, faces, cameras, backend, colours=COLOURS, samples=4000):
    """The zeros that have the gradient of faces' outlines, each face of its own colour on black."""
    shown = prepared(vertices, faces)
    see = partial(lit, shown, backend, colours[: len(faces)], None)
    return visibility(IMAGE, shown, cameras, see, EdgeSampling(samples))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("view", [pinhole, orthographic, telescope])
def test_a_pyramid_from_above_shows_four_triangles(open_backend, backend, view):
    """Outlines and ridges, for every vertex and the camera; the picture adds up to areas times colours."""
    found, exact = ([pyramid().requires_grad_(), torch.zeros(6).double().requires_grad_()] for _ in range(2))
    zeros = seen(found[0], PYRAMID, view(found[1]), open_backend(backend))
    assert torch.equal(zeros, IMAGE)
    zeros.sum().backward()
    corners = pixels(exact[0], view(exact[1]))
    total = sum(COLOURS[k].sum() * area(corners[PYRAMID[k]]) for k in range(4))
    total.backward()
    turn = 300 if view is telescope else 1  # what a turn moves, compared with a shift
    for one, other, scale in zip(found, exact, (1, turn), strict=True):
        most = scale * float(exact[0].grad.abs().max())
        assert torch.allclose(one.grad, other.grad, rtol=0, atol=0.01 * most)


def test_unmerged_triangles_move_as_merged_ones(open_backend):
    """Files that repeat vertices along seams do not count edges twice; where three faces meet they count once."""
    faces, colours = torch.tensor([*PYRAMID, [0, 4, 2]]), COLOURS[[0, 1, 2, 3, 4, 5, 0]]
    found = []
    for soup in (False, True):
        vertices = pyramid().requires_grad_()
        given = (vertices[faces.reshape(-1)], torch.arange(21).reshape(-1, 3)) if soup else (vertices, faces)
        seen(given[0], given[1].tolist(), pinhole(), open_backend("cpu"), colours).sum().backward()
        found.append(vertices.grad)
    assert torch.allclose(*found, rtol=0, atol=0.01 * float(found[0].abs().max()))


@pytest.mark.parametrize("tips", [[4, 3, 2], [2, 3, 4], [4, 5, 2, 6, 3]])
def test_an_edge_of_many_faces_counts_once(open_backend, tips):
    """Triangles with these tips: one on each side of it, and smaller ones behind the first, which are not seen."""
    corners = [[0.1, -0.6, 0], [0.05, 0.7, 0], [-0.8, 0.1, 0.4], [0.6, 0.2, 0]]
    corners += [[-0.3, 0.1, 0], [-0.2, 0.1, -0.2], [-0.1, 0.1, -0.3]]
    camera, colours = orthographic(eye=(0.0, 0.0, 3.0)), torch.stack([COLOURS[int(tip != 3)] for tip in tips])
    found, exact = (numbers(corners).requires_grad_() for _ in range(2))
    seen(found, [[0, 1, tip] for tip in tips], camera, open_backend("cpu"), colours).sum().backward()
    at = pixels(exact, camera)
    (COLOURS[1].sum() * area(at[[0, 1, 2]]) + COLOURS[0].sum() * area(at[[0, 1, 3]])).backward()
    assert torch.allclose(found.grad, exact.grad, rtol=0, atol=0.01 * float(exact.grad.abs().max()))


@pytest.mark.parametrize("view", [pinhole, orthographic, telescope])
def test_faces_that_pass_through_each_other_part_along_a_line(open_backend, view):
    """A triangle comes out of a square: the picture shows its upper half, up to a line that all of them move."""
    sheet = numbers([[-0.8, -0.6, 0], [0.8, -0.6, 0.1], [0.8, 0.6, 0], [-0.8, 0.6, 0]])  # not flat: two triangles
    given = [torch.cat([sheet, numbers([[-0.1, -0.2, -0.3], [0.6, -0.15, 0.4], [0.5, 0.25, 0.3]])])]
    found, exact = ([part.clone().requires_grad_() for part in (*given, torch.zeros(6).double())] for _ in range(2))
    faces = [[0, 1, 2], [0, 2, 3], [4, 5, 6]]
    seen(found[0], faces, view(found[1]), open_backend("cpu"), COLOURS[[0, 0, 1]]).sum().backward()
    corners, plane = exact[0], torch.linalg.cross(*(exact[0][k] - exact[0][0] for k in (1, 2)))
    height = (corners[4:] - corners[0]) @ plane
    cuts = [corners[4] + height[0] / (height[0] - height[k]) * (corners[4 + k] - corners[4]) for k in (1, 2)]
    shown = area(pixels(torch.stack([*cuts, corners[6], corners[5]]), view(exact[1])))
    whole = sum(area(pixels(corners[face], view(exact[1]))) for face in faces[:2])
    (COLOURS[0].sum() * (whole - shown) + COLOURS[1].sum() * shown).backward()
    turn = 300 if view is telescope else 1
    for one, other, scale in zip(found, exact, (1, turn), strict=True):
        most = scale * float(exact[0].grad.abs().max())
        assert torch.allclose(one.grad, other.grad, rtol=0, atol=0.01 * most)


def test_an_edge_that_passes_the_eye_counts_as_far_as_it_is_seen(open_backend):
    """A road reaches from before the camera to behind it; another one ends where the picture does."""
    found = []
    for near in (40.0, 2.0):
        road = numbers([[-0.4, -0.5, -9], [0.5, -0.5, -9], [0.5, -0.5, near], [-0.4, -0.5, near]])
        motion = torch.zeros(6).double().requires_grad_()
        seen(road, [[0, 1, 2], [0, 2, 3]], pinhole(motion, (0.0, 0.0, 3.0)), open_backend("cpu")).sum().backward()
        found.append(motion.grad)
    assert float(found[0].abs().max()) > 100
    assert torch.allclose(*found, rtol=0, atol=0.005 * float(found[0].abs().max()))


def test_an_edge_that_ends_in_the_eye_spoils_nothing(open_backend):
    camera = pinhole()
    eye = camera.position[0]
    corners = torch.stack([eye, *numbers([[0.5, 0.2, 0], [-0.4, 0.6, 0], [0.1, -0.7, 0.1]])]).requires_grad_()
    seen(corners, [[0, 1, 2], [1, 2, 3]], camera, open_backend("cpu")).sum().backward()
    assert torch.isfinite(corners.grad).all()
    assert float(corners.grad[0].abs().max()) == 0
    assert float(corners.grad[3].abs().max()) > 1


def test_equal_seeds_give_equal_gradients_and_others_others(open_backend):
    found = []
    for seed in (1, 1, 2):
        shown = prepared(pyramid().requires_grad_(), PYRAMID)
        see = partial(lit, shown, open_backend("cpu"), COLOURS, None)
        zeros = visibility(IMAGE, shown, pinhole(), see, EdgeSampling(50, seed))
        found.append(torch.autograd.grad(zeros.sum(), shown.positions)[0])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("faces", [[], [[0, 0, 1]], [[0, 1, 2], [2, 1, 1], [3, 0, 3]]])
def test_triangles_without_area_and_none_at_all(open_backend, faces):
    vertices = square(1.0, 0.0).requires_grad_()
    seen(vertices, faces, pinhole(), open_backend("cpu")).sum().backward()
    assert torch.isfinite(vertices.grad).all()
    assert (float(vertices.grad[:3].abs().max()) > 1) == (len(faces) == 3)


def test_a_triangle_without_area_in_an_outline_changes_nothing(open_backend):
    """Its third corner lies on an edge that two others share, which thus is the outline on one of its sides only."""
    base, middle = square(1.0, 0.0), numbers([[0.0, -0.5, 0.0]])
    rest = [[1, 2, 3], [1, 3, 0]]
    found = []
    for faces in (rest, [*rest, [0, 4, 1]]):
        shift = torch.zeros(3).double().requires_grad_()
        backs = [[a + 5, c + 5, b + 5] for a, b, c in rest]
        vertices = torch.cat([base, middle, base - numbers([0, 0, 0.1]), middle]) + shift
        colours = COLOURS[:1].expand(9, 3)
        seen(vertices, [*faces, *backs], pinhole(), open_backend("cpu"), colours).sum().backward()
        found.append(shift.grad)
    assert torch.allclose(*found, rtol=0, atol=0.02 * float(found[0].abs().max()))


def test_what_cannot_be_is_refused(open_backend):
    with pytest.raises(InputError, match="not finite"):
        seen(pyramid() * torch.nan, PYRAMID, pinhole(), open_backend("cpu"))
    with pytest.raises(UsageError, match="at least 1"):
        EdgeSampling(0)
    shown = prepared(pyramid().requires_grad_(), PYRAMID)
    with pytest.raises(UsageError, match="shape"):
        visibility(IMAGE[:, 1:], shown, pinhole(), lambda o, d: d)
    with pytest.raises(UsageError, match="channels"):
        visibility(IMAGE, shown, pinhole(), lambda o, d: d[:, :1]).sum().backward()
