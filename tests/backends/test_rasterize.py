"""Rasterization against analytic pictures and against rays."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial import Delaunay

from invrender.backends.torch.trace import trace

CUBE = torch.tensor([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)], dtype=torch.float64)
CUBE_FACES = torch.tensor(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def ndc_depth(w, near=0.1, far=100.0):
    return (far + near) / (far - near) - 2 * far * near / (far - near) / w


def test_a_cube_shows_its_front_square_at_its_analytic_depth(backend, project):
    face_id, depth = backend.rasterize(project(CUBE, 3.0), CUBE_FACES, (64, 64))
    # The front face z = 1 is 2 away; it spans [-1, 1] / 2 of the image: 32 x 32 pixels, exactly.
    assert ((face_id >= 0).sum(), face_id[0, 16:48, 16:48].min()) == (32 * 32, 10)
    assert torch.allclose(depth[0, 16:48, 16:48], torch.tensor(ndc_depth(2.0), dtype=torch.float64), atol=1e-9)
    assert torch.isinf(depth[face_id < 0]).all()


def test_rows_run_down_and_columns_run_right(backend, project):
    quad = torch.tensor([[0.2, 0.2, 0.0], [2.9, 0.2, 0.0], [2.9, 2.9, 0.0]], dtype=torch.float64)
    face_id, _ = backend.rasterize(project(quad), torch.tensor([[0, 1, 2]]), (32, 48))
    rows, columns = (face_id[0] == 0).nonzero(as_tuple=True)
    assert rows.max() < 16
    assert columns.min() >= 24


def test_sphere_covers_its_analytic_area(backend, project, icosphere, disc_area):
    vertices, faces = icosphere(5)
    face_id, depth = backend.rasterize(project(vertices, 2.0), faces, (300, 300))
    assert int((face_id >= 0).sum()) == pytest.approx(disc_area(1.0, 2.0, 300), rel=2e-3)
    assert float(depth.min()) == pytest.approx(ndc_depth(1.0), abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_faces_that_share_edges_neither_crack_nor_overlap(backend, dtype):
    # A triangulated square beyond the image's border, some vertices exactly on pixel centres and on pixel corners.
    generator = torch.Generator().manual_seed(1)
    scattered = torch.rand(400, 2, generator=generator, dtype=torch.float64) * 2.6 - 1.3
    lattice = torch.cartesian_prod(*[(torch.arange(33, dtype=torch.float64)[1:-1] / 16 - 1)] * 2)[::7]
    corners = torch.tensor([[-2.0, -2], [2, -2], [2, 2], [-2, 2]], dtype=torch.float64)
    points = torch.cat([scattered, lattice, lattice[::3] + 1 / 32, corners])
    faces = torch.tensor(Delaunay(points.numpy()).simplices, dtype=torch.int64)
    clip = torch.cat([points, torch.zeros(len(points), 1), torch.ones(len(points), 1)], 1).to(dtype)
    alone = clip[faces]  # every face is a view of its own, so that overlaps show
    hits = (backend.rasterize(alone, torch.tensor([[0, 1, 2]]), (32, 32))[0] >= 0).sum(0)
    assert torch.equal(hits, torch.ones_like(hits))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ids_agree_with_rays_on_a_soup_of_every_size(backend, project, view_rays, dtype):
    generator = torch.Generator().manual_seed(2)
    scale = 10 ** (torch.rand(300, 1, 1, generator=generator, dtype=torch.float64) * 2.5 - 2)
    soup = torch.randn(300, 1, 3, generator=generator) + scale * torch.randn(300, 3, 3, generator=generator)
    vertices, faces, size = soup.reshape(-1, 3).double(), torch.arange(900).reshape(-1, 3), (90, 120)
    face_id, depth = backend.rasterize(project(vertices).to(dtype), faces, size)
    origin, direction = view_rays(size)
    face, t, _, _ = trace(vertices, faces, origin, direction, "torch")
    near = t * -direction[:, 2] > 0.1  # the ray starts at the eye, the image at the near plane
    agree = (face_id.reshape(-1) == face) | ~near
    assert float((~agree).double().mean()) < 4e-3  # edges snapped to 1/256 pixel
    same = (face >= 0) & agree & near
    error = depth.reshape(-1)[same].double() - ndc_depth(t[same])
    assert float(error.abs().median()) < 1e-5  # the same snap moves depth a little
    assert same.sum() > 1000


def test_a_floor_that_passes_under_the_camera_is_cut_at_the_near_plane(backend, project, view_rays):
    floor = torch.tensor([[-50.0, -1, 50], [50, -1, 50], [50, -1, -50], [-50, -1, -50]], dtype=torch.float64)
    faces, size = torch.tensor([[0, 1, 2], [0, 2, 3]]), (60, 80)
    face_id, depth = backend.rasterize(project(floor), faces, size)
    face, t, _, _ = trace(floor, faces, *view_rays(size), "torch")
    assert torch.equal(face_id.reshape(-1), face)
    hit = face >= 0
    assert hit.any() and not hit.all()
    assert torch.allclose(depth.reshape(-1)[hit], ndc_depth(t[hit]), atol=1e-3)


def test_nothing_behind_the_camera_or_beyond_the_far_plane_is_drawn(backend, project):
    for shift in (3.5, 200.0, -200.0):
        moved = CUBE * 0.4 + torch.tensor([0.0, 0.0, shift])
        assert (backend.rasterize(project(moved), CUBE_FACES, (16, 16))[0] == -1).all()


def test_a_vertex_at_the_eye_and_one_at_infinity_are_harmless(backend, project):
    vertices = torch.tensor([[0.0, 0, 3], [1, 0, 0], [0, 1, 0], [float("nan"), 0, 0], [1e30, 0, 0]]).double()
    faces = torch.tensor([[0, 1, 2], [1, 2, 3], [1, 2, 4]])
    face_id, depth = backend.rasterize(project(vertices), faces, (16, 16))
    assert not torch.isnan(depth).any()
    assert 1 not in face_id


def test_the_lower_id_wins_a_tie_and_degenerate_faces_vanish(backend, project):
    triangle = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]], dtype=torch.float64)
    faces = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 0, 2], [0, 1, 2]])
    assert set(backend.rasterize(project(triangle), faces, (16, 16))[0].unique().tolist()) == {-1, 2}


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (3, 64)])
def test_any_image_size_works_and_no_faces_give_an_empty_image(backend, project, size):
    face_id, depth = backend.rasterize(project(CUBE, 1.5), CUBE_FACES, size)
    assert face_id.shape == depth.shape == (1, *size)
    assert (face_id >= 0).all()
    empty, _ = backend.rasterize(project(CUBE), CUBE_FACES[:0], size)
    assert (empty == -1).all()
    assert backend.rasterize(project(CUBE)[:0], CUBE_FACES, size)[0].shape == (0, *size)
