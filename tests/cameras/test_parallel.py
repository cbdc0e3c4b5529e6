"""Parallel cameras: what they show beside perspective ones, around objects, as viewpoints and along paths."""

from __future__ import annotations

import pytest
import torch
import trimesh

from invrender.cameras.around import around
from invrender.cameras.framing import common_box
from invrender.cameras.parallel import (
    depth_range,
    extents,
    far_pinholes,
    parallel_like,
    pixels_per_unit,
    standpoints,
    to_viewers,
)
from invrender.cameras.path import CameraPath
from invrender.cameras.projection import common_point, intrinsics, look_at, parallel_projection, perspective
from invrender.cameras.viewpoint import Viewpoint, cameras_at, parallel_viewpoint, viewpoint_of
from invrender.errors import InputError, UsageError
from invrender.io.cameras_file import read_viewpoint, write_viewpoint
from invrender.nouns import Cameras, Mesh, Volume
from tests.cameras.test_cameras import pixels

SIZE = (60, 80)
CUBE = Mesh.from_numpy(*(lambda box: (box.vertices + [3, 1, 2], box.faces))(trimesh.creation.box((2.0, 1.0, 0.5))))


def looking(eye: tuple[float, float, float], projection: torch.Tensor) -> Cameras:
    return Cameras(look_at([eye], (0.0, 0.0, 0.0)), projection[None], SIZE)


def test_a_parallel_camera_shows_a_point_and_all_behind_it_where_a_pinhole_shows_the_point() -> None:
    pinhole = looking((0.0, 0.0, 4.0), perspective(60, SIZE, 1, 9))
    flat = parallel_like(pinhole, torch.zeros(3))
    here = torch.tensor([[0.3, -0.2, 0.0]], dtype=torch.float64)
    behind = here - torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64)
    assert torch.allclose(pixels(flat, here), pixels(pinhole, here))
    assert torch.allclose(pixels(flat, behind), pixels(flat, here))
    assert [float(each) for each in depth_range(flat)] == pytest.approx([1, 9])
    assert [float(each) for each in depth_range(pinhole)] == pytest.approx([1, 9])
    with pytest.raises(UsageError, match="looks away"):
        parallel_like(pinhole, torch.tensor([0.0, 0.0, 5.0]))


@pytest.mark.parametrize("kind", ["orbit", "sphere"])
@pytest.mark.parametrize("size", [(64, 64), (48, 96), (96, 48)])
def test_all_of_an_object_is_in_the_pictures_whatever_their_shape(kind, size) -> None:
    cameras = around(CUBE, kind, 7, size, parallel=True, azimuth=10.0)
    at = pixels(cameras, CUBE.vertices.double())
    height, width = size
    assert float(at.min()) >= 1.9
    assert float((torch.tensor([width, height]) - at).min()) >= 1.9
    assert bool(cameras.parallel.all())
    assert float(extents(cameras)[0]) < 3.5  # and little else: the box is 2 wide


def test_a_distance_or_an_extent_says_how_much_is_seen() -> None:
    far = around(CUBE, "orbit", 2, 64, parallel=True, distance=8.0)
    near = around(CUBE, "orbit", 2, 64, parallel=True, distance=4.0)
    assert torch.allclose(extents(far), 2 * extents(near))
    assert torch.allclose(
        extents(around(CUBE, "orbit", 2, SIZE, parallel=True, extent=0.7)), torch.tensor(0.7).double()
    )
    with pytest.raises(UsageError, match="across"):
        around(CUBE, "orbit", 2, 64, parallel=True, extent=0.0)


def test_the_middles_of_pictures_meet_wherever_the_cameras_stand_in_their_planes() -> None:
    """Moving a parallel camera across its axis, and the principal point with it, changes nothing."""
    cameras = around(CUBE, "sphere", 5, 64, parallel=True)
    projection = cameras.projection.clone()
    projection[:, 0, 3] += 5.0
    matrix = cameras.world_to_camera.clone()
    matrix[:, 0, 3] -= 5.0 / projection[:, 0, 0]
    moved = Cameras(matrix, projection, cameras.size)
    for each in (cameras, moved):
        point, miss = common_point(each)
        assert torch.allclose(point, torch.tensor([3.0, 1, 2]).double())
        assert miss == pytest.approx(0, abs=1e-9)
        assert torch.allclose(standpoints(each), standpoints(cameras))
    box = common_box(moved)
    assert float(box[1, 0] - box[0, 0]) == pytest.approx(float(extents(cameras)[0]))


def test_numbers_of_a_parallel_camera_come_back() -> None:
    camera = looking((0.0, 0.0, 4.0), parallel_projection((0.1, 0.2), 30.0, 25.0, SIZE, -1.0, 7.0))
    assert [float(each) for each in intrinsics(camera)] == pytest.approx([10, 5, 30, 25])
    assert [float(each) for each in depth_range(camera)] == pytest.approx([-1, 7])
    depth = torch.tensor([[1.0, 5.0]])
    assert torch.allclose(pixels_per_unit(camera, depth), torch.tensor([[5.0, 5.0]]))
    points = torch.rand(1, 4, 3)
    towards = torch.tensor([0.0, 0.0, 1.0]).expand(1, 4, 3)
    assert torch.allclose(to_viewers(camera, points, torch.zeros(3, dtype=torch.float64)), towards)


def test_far_pinholes_show_nearly_the_same() -> None:
    cameras = around(CUBE, "sphere", 4, 512, parallel=True)
    projection = cameras.projection.clone()
    projection[:, 0, 3] += 0.3
    projection[:, 0, 2] += 0.2  # rays at a slant
    cameras = Cameras(cameras.world_to_camera, projection, cameras.size)
    centre, points = torch.tensor([3.0, 1, 2]).double(), CUBE.vertices.double()
    apart = pixels(far_pinholes(cameras, centre, 1.2), points) - pixels(cameras, points)
    assert float(apart.abs().max()) < 0.05
    perspective_ones = around(CUBE, "sphere", 4, 512)
    assert far_pinholes(perspective_ones, centre, 1.2) is perspective_ones


def test_a_viewpoint_with_an_extent_goes_to_a_file_and_back(tmp_path) -> None:
    corners = CUBE.vertices.double()
    view = Viewpoint((5.0, 2.0, 6.0), (3.0, 1.0, 2.0), extent=2.5)
    cameras = cameras_at([view], SIZE, corners)
    assert float(extents(cameras)[0]) == pytest.approx(2.5)
    back = viewpoint_of(cameras, 0, corners.mean(0))
    write_viewpoint(tmp_path / "a.json", back)
    assert read_viewpoint(tmp_path / "a.json") == back
    assert (back.eye, back.extent) == (pytest.approx(view.eye), pytest.approx(2.5))
    (tmp_path / "b.json").write_text('{"eye": [1, 0, 0], "target": [0, 0, 0], "fov": 40, "extent": 2}')
    with pytest.raises(InputError, match="both 'fov' and 'extent'"):
        read_viewpoint(tmp_path / "b.json")
    (tmp_path / "c.json").write_text('{"eye": [1, 0, 0], "target": [0, 0, 0], "extent": -2}')
    with pytest.raises(InputError, match="across"):
        read_viewpoint(tmp_path / "c.json")


def test_a_viewpoint_made_parallel_keeps_the_scale_of_its_target() -> None:
    view = Viewpoint((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), fov=90.0)
    assert parallel_viewpoint(view, None).extent == pytest.approx(4)
    assert parallel_viewpoint(view, 1.5).extent == 1.5


def test_a_path_of_parallel_cameras_moves_their_extent() -> None:
    one, two = (Viewpoint((0.0, 0.0, z), (0.0, 0.0, 0.0), extent=z) for z in (2.0, 4.0))
    assert CameraPath((0.0, 1.0), (one, two)).at(0.5).extent == pytest.approx(3)
    with pytest.raises(UsageError, match="some keys"):
        CameraPath((0.0, 1.0), (one, Viewpoint((0.0, 0.0, 3.0), (0.0, 0.0, 0.0))))


def test_a_volume_is_framed_as_what_shows_of_it_needs() -> None:
    values = torch.zeros(1, 9, 9, 9)
    values[0, 4, 4, 4] = 1
    bounds = torch.tensor([[0.0, 0, 0], [8, 8, 8]])
    cameras = around(Volume(values, bounds), "orbit", 3, 64, parallel=True)
    full = around(Volume(torch.ones_like(values), bounds), "orbit", 3, 64, parallel=True)
    assert float(extents(cameras)[0]) == pytest.approx(11.65, abs=0.01)  # 2 * 16 tan(20 degrees), as a pinhole sees
    assert float(extents(full)[0]) > 8 * 2**0.5
