"""What pictures measure: depths and normals of known shapes in arrays, and the numbers beside a picture of depths."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.rays import camera_rays
from invrender.cameras.viewpoint import Viewpoint, cameras_at
from invrender.errors import UsageError
from invrender.io.exr import read_exr
from invrender.nouns import Cameras
from invrender.render.modes import find_mode
from invrender.run.measured import _numbers, depth_with_scale, measured, write_measured
from invrender.run.render_mesh import MeshShot, write_mesh_picture
from tests.render.solids import TORCH, ball, floor

CORNERS = torch.tensor([[-1.0, -1, -1], [1, 1, 1]], dtype=torch.float64)


def cameras(size: tuple[int, int] = (24, 32)) -> Cameras:
    return cameras_at([Viewpoint((0, 0, 3), (0, 0, 0))], size, CORNERS)


def test_depth_and_normals_of_a_ball_are_its_equations() -> None:
    seen = cameras()
    depth = measured(ball(64), seen, find_mode("depth", "mesh"), TORCH)[0]
    normal = measured(ball(64), seen, find_mode("normal", "mesh"), TORCH)[0]
    way = camera_rays(seen).direction.reshape(24, 32, 3)
    along = -3 * way[..., 2]  # of |o + t d| = 1: t = -o.d - sqrt((o.d)^2 - 8)
    inner = along.square() - 8
    hit = inner > 0.05  # where facets of the border do not matter
    distance = along - inner.clamp(min=0).sqrt()
    expected = distance * -way[..., 2]
    assert torch.allclose(depth[hit], expected[hit].float(), atol=3e-3)
    point = torch.tensor([0.0, 0, 3]) + distance[..., None] * way
    assert torch.allclose(normal[hit], point[hit].float(), atol=2e-2)
    missed = inner < -0.05
    assert bool(torch.isinf(depth[missed]).all())
    assert float(normal[missed].abs().max()) == 0
    assert torch.allclose(normal[normal.norm(dim=-1) > 0].norm(dim=-1), torch.tensor(1.0), atol=1e-5)


def test_arrays_hold_what_is_measured(tmp_path: Path) -> None:
    mode, seen = find_mode("depth", "mesh"), cameras()
    values = measured(ball(), seen, mode, TORCH).numpy()
    assert "depth 2" in write_measured(tmp_path / "d.npy", ball(), seen, mode, TORCH).note
    loaded = np.load(tmp_path / "d.npy")
    assert (loaded.dtype, loaded.shape) == (np.float32, (24, 32))
    assert np.array_equal(loaded, values[0])
    two = Cameras(seen.world_to_camera.repeat(2, 1, 1), seen.projection.repeat(2, 1, 1), seen.size)
    write_mesh_picture(tmp_path / "two.npy", ball(), two, MeshShot(mode), TORCH)
    assert np.load(tmp_path / "two.npy").shape == (2, 24, 32)
    write_measured(tmp_path / "d.exr", ball(), seen, mode, TORCH)
    assert np.array_equal(read_exr(tmp_path / "d.exr")[..., 0], values[0])
    write_measured(tmp_path / "n.exr", ball(), seen, find_mode("normal", "mesh"), TORCH)
    assert read_exr(tmp_path / "n.exr").shape == (24, 32, 3)


def test_depths_of_a_floor_have_numbers_beside_them(tmp_path: Path) -> None:
    down = cameras_at([Viewpoint((0, 3, 0), (0, 0, 0), (0, 0, -1))], (128, 160), CORNERS)
    written = write_mesh_picture(tmp_path / "d.png", floor(0.0, 1.0), down, MeshShot(find_mode("depth", "mesh")), TORCH)
    with Image.open(written.path) as image:
        picture = np.asarray(image)
    assert picture.shape[0] == 128
    assert picture.shape[1] > 180
    assert picture[64, 80] == 255  # flat: all of it is nearest
    assert picture[:, 160:].mean() > 128  # paper
    plain = MeshShot(find_mode("depth", "mesh"), scale=False, depth="magma")
    write_mesh_picture(tmp_path / "plain.png", floor(0.0, 1.0), down, plain, TORCH)
    with Image.open(tmp_path / "plain.png") as image:
        assert (image.size, image.mode) == ((160, 128), "RGB")


@pytest.mark.parametrize(
    ("near", "far", "texts"),
    [
        (2.0, 4.0, ["2.0", "2.5", "3.0", "3.5", "4.0"]),
        (0.013, 0.048, ["0.02", "0.03", "0.04"]),
        (950.0, 3120.0, ["1000", "1500", "2000", "2500", "3000"]),
        (2.0, 2.0, ["2"]),
    ],
)
def test_numbers_of_a_scale_are_round_and_where_they_belong(near: float, far: float, texts: list[str]) -> None:
    found = _numbers(near, far)
    assert [text for _, text in found] == texts
    for place, text in found:
        assert near + place * (far - near) == pytest.approx(float(text))


def test_unknown_colours_of_depth_are_refused() -> None:
    with pytest.raises(UsageError, match="viridian"):
        depth_with_scale(torch.ones(1, 8, 8, 1), 1.0, math.inf, "viridian", False)
