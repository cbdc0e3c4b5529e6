"""Datasets of cameras with parallel rays: what is written comes back, and other programs' fields mean the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import trimesh

from invrender.cameras.around import around
from invrender.cameras.parallel import extents
from invrender.cameras.projection import intrinsics
from invrender.errors import InputError, UsageError
from invrender.io.datasets.convert import convert
from invrender.io.datasets.dataset import read_cameras, read_dataset
from invrender.io.datasets.transforms import transforms_table
from invrender.io.datasets.transmittance import TransmittanceViews, read_transmittance, write_transmittance
from invrender.nouns import Cameras, Mesh
from tests.io.datasets.made import write_poses, write_rgba

ROUND = trimesh.creation.icosphere(1)
BALL = Mesh.from_numpy(ROUND.vertices, ROUND.faces)
SIZE = (24, 32)


def flat(count: int = 3) -> Cameras:
    return around(BALL, "sphere", count, SIZE, parallel=True, extent=3.0)


def test_written_cameras_come_back(tmp_path) -> None:
    cameras = flat()
    table = transforms_table(cameras, ["a.png", "b.png", "c.png"])
    assert (table["camera_model"], table["fl_x"], table["cx"]) == ("ORTHOPHOTO", pytest.approx(8), 16)
    assert "camera_angle_x" not in table
    (tmp_path / "transforms.json").write_text(json.dumps(table))
    back = read_cameras(tmp_path / "transforms.json", SIZE)
    assert torch.allclose(back.projection, cameras.projection)
    assert torch.allclose(back.world_to_camera, cameras.world_to_camera)
    large = read_cameras(tmp_path / "transforms.json", (48, 64))
    assert torch.allclose(extents(large), extents(cameras))


def test_both_kinds_go_into_one_file(tmp_path) -> None:
    one, other = flat(2), around(BALL, "orbit", 2, SIZE)
    both = Cameras(*(torch.cat(pair) for pair in ((one.world_to_camera, other.world_to_camera),
                                                  (one.projection, other.projection))), SIZE)  # fmt: skip
    (tmp_path / "transforms.json").write_text(json.dumps(transforms_table(both, ["a", "b", "c", "d"])))
    back = read_cameras(tmp_path / "transforms.json", SIZE)
    assert back.parallel.tolist() == [True, True, False, False]
    assert torch.allclose(back.projection, both.projection)


@pytest.mark.parametrize("model", ["ORTHOGRAPHIC", "ortho", "ORTHOPHOTO", "parallel"])
@pytest.mark.parametrize(
    "fields", [{"fl_x": 16.0}, {"ortho_scale": 4.0}, {"xmag": 2.0}, {"xmag": 2.0, "ymag": 1.5}]
)  # of a picture of 64 x 48 pixels
def test_other_programs_say_it_in_their_fields(tmp_path, model, fields) -> None:
    for i in range(3):
        write_rgba(tmp_path / f"v{i}.png", (48, 64))
    write_poses(tmp_path, ["v0.png", "v1.png", "v2.png"], camera_model=model, **{"fl_x": None, **fields})
    cameras = read_dataset(tmp_path).cameras
    fx, fy, cx, cy = (float(values[0]) for values in intrinsics(cameras))
    assert (fx, fy, cx, cy) == pytest.approx((16, 16, 32, 24))
    assert bool(cameras.parallel.all())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing tells how much"),
        ({"fl_x": -2}, "impossible"),
        ({"fl_x": 2, "k1": 0.1}, "distortion"),
        ({"ortho_scale": 0}, "impossible"),
    ],
)
def test_what_makes_no_camera_is_refused(tmp_path, fields, words) -> None:
    write_rgba(tmp_path / "v0.png")
    write_poses(tmp_path, ["v0.png", "v0.png"], camera_model="ORTHOGRAPHIC", **{"fl_x": None, **fields})
    with pytest.raises(InputError, match=words):
        read_dataset(tmp_path)


def test_formats_without_words_for_parallel_rays_are_refused(tmp_path) -> None:
    source = tmp_path / "given"
    source.mkdir()
    for i in range(2):
        write_rgba(source / f"v{i}.png")
    write_poses(source, ["v0.png", "v1.png"], camera_model="ORTHO", fl_x=10.0)
    with pytest.raises(UsageError, match="no words for cameras with parallel rays"):
        convert(source, tmp_path / "colmap", "colmap")
    convert(source, tmp_path / "nerfstudio", "nerfstudio")
    one, other = (read_dataset(folder).cameras for folder in (source, tmp_path / "nerfstudio"))
    assert torch.allclose(one.projection, other.projection)


def test_slanted_rays_have_no_words_either() -> None:
    cameras = flat()
    projection = cameras.projection.clone()
    projection[:, 0, 2] = 0.1
    with pytest.raises(UsageError, match="slant"):
        transforms_table(Cameras(cameras.world_to_camera, projection, SIZE), ["a", "b", "c"])


def test_parallel_beams_of_transmittance_come_back(tmp_path) -> None:
    images = torch.from_numpy(np.random.default_rng(0).random((3, *SIZE), np.float32))
    write_transmittance(tmp_path, TransmittanceViews(flat(), images, "transmittance"))
    back = read_transmittance(tmp_path)
    assert torch.equal(back.images, images)
    assert torch.allclose(back.cameras.projection, flat().projection)
