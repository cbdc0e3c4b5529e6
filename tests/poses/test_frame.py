"""Up, front, middle and scale of a dataset; alignment of cameras."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from invrender.errors import InputError, UsageError
from invrender.poses.frame import centred, levelled, metres_per_unit, up_of
from invrender.poses.options import PoseOptions, parse_scale_by
from invrender.poses.similarity import Similarity, align, compare
from tests.poses.made import made_model, ring

TURN = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
MOVED = Similarity(2.5, TURN, np.array([1.0, -2.0, 3.0]))
CORNERS = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T


def test_up_is_found_where_some_cameras_are_upside_down():
    poses = ring(9, 0, 150)
    poses[::2, :3, :2] *= -1  # turned by 180 degrees about the viewing axis
    assert MOVED.poses(poses)[..., :3, :3].shape == (9, 3, 3)
    assert up_of(MOVED.poses(poses)) @ TURN[:, 1] == pytest.approx(1, abs=1e-9)


def test_up_of_cameras_that_all_look_one_way_is_their_mean_up():
    poses = ring(1).repeat(5, axis=0)
    poses[:, :3, 3] += np.arange(5)[:, None] * poses[0, :3, 0]
    assert np.allclose(up_of(poses), poses[0, :3, 1])


def test_level_with_the_first_camera_in_front():
    model = levelled(made_model(MOVED.poses(ring(6)), MOVED.points(CORNERS)))
    back = model.camera_to_world[0, :3, 2]
    assert np.allclose(model.camera_to_world[:, 1, 0], 0, atol=1e-9)  # no camera leans
    assert back[0] == pytest.approx(0, abs=1e-9)
    assert back[2] > 0
    assert (model.camera_to_world[:, 1, 1] > 0.5).all()  # and none is upside down
    assert np.allclose(np.linalg.det(model.camera_to_world[:, :3, :3]), 1)


def test_the_box_ends_in_the_middle_one_unit_long_and_pictures_stay_as_they_are():
    before = made_model(ring(4), CORNERS)
    after, bounds = centred(before, np.array([[0.0, 0, 0], [4, 2, 1]]))
    assert np.allclose(bounds, [[-0.5, -0.25, -0.125], [0.5, 0.25, 0.125]])
    assert np.allclose(after.projected(2, after.points)[0], before.projected(2, before.points)[0])


def test_metres_from_two_cameras():
    model = made_model(ring(4, distance=2.0, elevation=0.0), CORNERS)  # neighbours are 2 sqrt 2 apart
    assert metres_per_unit(model, ("view_00", "view_01.png", 0.5)) == pytest.approx(0.5 / 8**0.5)
    with pytest.raises(InputError, match=r"nobody.jpg is not among"):
        metres_per_unit(model, ("nobody.jpg", "view_01.png", 0.5))
    with pytest.raises(InputError, match="one place"):
        metres_per_unit(model, ("view_01", "view_01.png", 0.5))


def test_alignment_undoes_a_similarity():
    back = align(MOVED.points(CORNERS), CORNERS)
    assert back.scale == pytest.approx(0.4)
    assert np.allclose(back.points(MOVED.points(CORNERS)), CORNERS)
    mirrored = align(CORNERS * (1, 1, -1) + (0, 0, 0.1), CORNERS)
    assert np.linalg.det(mirrored.rotation) == pytest.approx(1)
    with pytest.raises(ValueError, match="not on a line"):
        align(np.arange(12.0).reshape(4, 3), CORNERS[:4])


def test_differences_are_shares_of_the_radius_and_degrees():
    poses = ring(360, elevation=0.0)
    turned = MOVED.poses(poses)
    turned[7, :3, :3] = turned[7, :3, :3] @ Rotation.from_rotvec([0, np.radians(2), 0]).as_matrix()
    turned[9, :3, 3] += 2.5 * 5 * 0.01 * TURN[:, 1]
    found = compare(turned, poses)
    assert found.angle[7] == pytest.approx(2, abs=0.01)
    assert found.position[9] == pytest.approx(0.01, rel=0.02)
    assert np.median(found.position) < 1e-3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"camera": "two"}, "choose one of auto"),
        ({"matching": "all"}, "choose one of auto"),
        ({"focal": -1.0}, "--focal"),
        ({"scale": float("nan")}, "--scale"),
        ({"fov": 0.5}, "--fov"),
        ({"focal": 300.0, "fov": 40.0}, "give one of them"),
        ({"scale": 2.0, "scale_by": ("a", "b", 1.0)}, "give one of them"),
        ({"frames": 2}, "--frames"),
    ],
)
def test_options_that_make_no_sense(fault, words):
    with pytest.raises(UsageError, match=words):
        PoseOptions(**fault)


def test_scale_by_in_words():
    assert parse_scale_by("a.jpg, b.jpg,1.5") == ("a.jpg", "b.jpg", 1.5)
    assert PoseOptions(fov=90.0).focal_of(400) == pytest.approx(200)
    for wrong in ("a,b", "a,b,far", "a,,1", "a,b,0", "a,b,inf"):
        with pytest.raises(UsageError, match=r"first\.jpg,last\.jpg"):
            parse_scale_by(wrong)
