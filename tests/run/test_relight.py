"""The light of pictures: what --light names, and turntables on which the light goes round."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.around import around
from invrender.errors import UsageError
from invrender.nouns import Lights, Mesh
from invrender.render.modes import find_mode
from invrender.run.relight import Relight, about_up, parse_light
from invrender.run.render_mesh import MeshShot, mesh_pictures, mesh_views

BACKEND = select("torch")
SHAPE = trimesh.creation.icosphere(2)
BALL = Mesh.from_numpy(np.array(SHAPE.vertices), np.array(SHAPE.faces))
SHADED = find_mode("shaded", "mesh")


def brightest(picture: torch.Tensor) -> tuple[int, int]:
    """Row and column, over black."""
    row, column = divmod(int(picture[..., 0].argmax()), picture.shape[1])
    return row, column


def test_the_light_goes_round_while_the_camera_stands():
    cameras = around(BALL, "orbit", 4, 33, elevation=0.0)
    light = Relight(Lights((0.0, 0.0, 1.0), 0.8, 0.1), "light")
    pictures, _ = mesh_pictures(BALL, cameras, MeshShot(SHADED, (0.0, 0.0, 0.0), 1, light), BACKEND)
    front, right, back, left = pictures
    assert brightest(front) == (16, 16)
    assert brightest(right)[1] > 25 and brightest(left)[1] < 7
    assert float(back.max()) == pytest.approx(0.08, abs=0.01)  # the ambient term alone
    assert torch.allclose(right, left.flip(1), atol=2e-2)


def test_both_go_round_and_the_light_passes_once_before_the_camera():
    cameras = around(BALL, "orbit", 4, 33, elevation=0.0)
    light = Relight(Lights((0.0, 0.0, 1.0), 0.8, 0.1), "both")
    _, second, _, fourth = mesh_pictures(BALL, cameras, MeshShot(SHADED, (0.0, 0.0, 0.0), 1, light), BACKEND)[0]
    assert brightest(second)[1] > 25
    assert brightest(fourth)[1] < 7


def test_a_light_over_the_shoulder_starts_where_the_first_camera_has_it():
    cameras = around(BALL, "orbit", 3, 17)
    still = mesh_pictures(BALL, cameras[[0]], MeshShot(SHADED), BACKEND)[0]
    turning = mesh_pictures(BALL, cameras, MeshShot(SHADED, light=Relight(turn="light")), BACKEND)[0]
    assert torch.allclose(turning[:1], still)
    assert not torch.allclose(turning[1:2], still, atol=0.1)


def test_up_stays_and_front_goes_to_the_right():
    quarter = about_up(math.pi / 2)
    assert torch.allclose(quarter @ torch.tensor([0.0, 1, 1]).double(), torch.tensor([1.0, 1, 0]).double())


def test_views_of_a_dataset_have_the_light_and_the_mode():
    cameras = around(BALL, "orbit", 2, 16)
    light = Relight(Lights((0.0, 1.0, 0.0), 0.0, 0.5))
    dark = mesh_views(BALL, cameras, MeshShot(SHADED, light=light), BACKEND).images
    plain = mesh_views(BALL, cameras, MeshShot(find_mode("color", "mesh")), BACKEND).images
    assert dark is not None and plain is not None
    assert float(dark.max()) == pytest.approx(0.4, abs=1e-5)
    assert float(plain.max()) == pytest.approx(0.8, abs=1e-5)


def test_lights_are_named_by_direction_word_or_file(tmp_path):
    assert parse_light("camera") == Lights()
    assert parse_light("1,-2,0.5") == Lights((1.0, -2.0, 0.5))
    assert parse_light("0,1,0,2") == Lights((0.0, 1.0, 0.0), 2.0)
    (tmp_path / "a.json").write_text('{"ambient": 0.5}')
    assert parse_light(str(tmp_path / "a.json")).intensity == 0.0


@pytest.mark.parametrize("text", ["", "sun", "1,2", "1,2,nan", "0,0,0", "0,1,0,-1", "1,2,3,4,5"])
def test_what_is_no_light_is_refused(text):
    with pytest.raises(UsageError, match="--light"):
        parse_light(text)
