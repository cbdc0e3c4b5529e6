"""What a dataset holds out, what it lacks, and the box that it tells."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset, write_dataset
from tests.io.datasets.made import edit, matrices, write_poses, write_rgba

FILES = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture
def folder(tmp_path):
    write_poses(tmp_path, FILES)
    for file in FILES:
        write_rgba(tmp_path / file)
    return tmp_path


def write_split(folder, kind: str, names: list[str]) -> None:
    frames = [
        {"file_path": f"./{kind}/{name}", "transform_matrix": m}
        for name, m in zip(names, matrices(len(names)), strict=True)
    ]
    (folder / f"transforms_{kind}.json").write_text(json.dumps({"camera_angle_x": 0.7, "frames": frames}))
    for name in names:
        write_rgba(folder / kind / f"{name}.png")


def held(views) -> list[str]:
    return [views.names[i] for i in views.held_out]


def test_train_val_and_test_side_by_side(tmp_path):
    write_split(tmp_path, "train", ["r_0", "r_1", "r_2"])
    write_split(tmp_path, "val", ["r_0"])
    assert held(read_dataset(tmp_path)) == ["val/r_0"]
    write_split(tmp_path, "test", ["r_0", "r_1"])
    views = read_dataset(tmp_path)
    assert views.names == ("train/r_0", "train/r_1", "train/r_2", "test/r_0", "test/r_1")
    assert views.held_out == (3, 4)
    assert views[[4, 0]].held_out == (0,)
    learn = read_dataset(tmp_path, held_out=False)
    assert (len(learn), learn.held_out) == (3, ())
    alone = read_dataset(tmp_path / "transforms_train.json")
    assert (len(alone), alone.held_out) == (3, ())


def test_an_empty_test_split_is_said(tmp_path, caplog):
    write_split(tmp_path, "train", ["r_0", "r_1", "r_2"])
    (tmp_path / "transforms_test.json").write_text('{"camera_angle_x": 0.7, "frames": []}')
    views = read_dataset(tmp_path)
    assert (len(views), views.held_out) == (3, ())
    assert "transforms_test.json lists no views" in caplog.text


def test_file_names_of_nerfstudio(folder):
    lists = {"train_filenames": ["a.png", "./b.png"], "val_filenames": ["c.png"], "test_filenames": ["d.png"]}
    edit(folder, lambda table: table.update(lists))
    views = read_dataset(folder)
    assert views.names == ("a", "b", "d") and held(views) == ["d"]
    edit(folder, lambda table: table.update(train_filenames=[]))
    with pytest.raises(InputError, match="leaves no views to learn from"):
        read_dataset(folder)
    edit(folder, lambda table: table.update(train_filenames="a.png"))
    with pytest.raises(InputError, match="'train_filenames' is no list of names"):
        read_dataset(folder)


def test_names_may_be_held_out(folder):
    assert held(read_dataset(folder, held_out=["d.png", "a"])) == ["a", "d"]
    with pytest.raises(InputError, match="no view e to hold out"):
        read_dataset(folder, held_out=["e"])
    with pytest.raises(InputError, match="all views are held out"):
        read_dataset(folder, held_out=FILES)


def test_splits_and_bounds_are_written(folder, tmp_path):
    edit(folder, lambda table: table.update(bounds=[[-1, -2, -3], [1, 2, 3]]))
    views = read_dataset(folder, held_out=["b"])
    write_dataset(tmp_path / "new", views)
    back = read_dataset(tmp_path / "new")
    assert held(back) == ["view_001"]
    assert back.bounds is not None and views.bounds is not None and torch.equal(back.bounds, views.bounds)


def test_missing_files_are_left_out_where_that_is_asked_for(folder, caplog):
    edit(folder, lambda table: table.update(test_filenames=["c.png", "d.png"]))
    (folder / "b.png").unlink()
    (folder / "c.png").unlink()
    with pytest.raises(InputError, match=r"2 of 4 files are missing: b\.png, c\.png") as error:
        read_dataset(folder)
    assert "--skip-missing" in error.value.remedy
    views = read_dataset(folder, skip_missing=True)
    assert views.names == ("a", "d") and held(views) == ["d"]
    assert "2 of 4 views lack their files and are left out: b, c" in caplog.text
    (folder / "a.png").unlink()
    with pytest.raises(InputError, match="of 4 views, 3 lack their files"):
        read_dataset(folder, skip_missing=True)


def test_pictures_without_a_camera_are_named(folder, caplog):
    write_rgba(folder / "stray.png")
    write_rgba(folder / "a_depth_0001.png")
    assert len(read_dataset(folder)) == 4
    assert "1 pictures have no camera and are left out: stray.png" in caplog.text


def test_pictures_alone_are_told_what_they_lack(tmp_path):
    write_rgba(tmp_path / "a.png")
    write_rgba(tmp_path / "b.png")
    with pytest.raises(InputError, match="holds 2 pictures, but no cameras") as error:
        read_dataset(tmp_path)
    assert "invrender poses" in error.value.remedy


def test_told_bounds(folder):
    edit(folder, lambda table: table.update(bounds=[[-1, -2, -3], [1, 2, 3]], aabb_scale=4))
    bounds = read_dataset(folder).bounds
    assert bounds is not None and bounds.tolist() == [[-1, -2, -3], [1, 2, 3]]
    edit(folder, lambda table: table.update(bounds=[[1, 1, 1], [0, 0, 0]]))
    with pytest.raises(InputError, match="'bounds' are no box"):
        read_dataset(folder)


def write_cloud(folder, points: np.ndarray) -> None:
    head = (
        f"ply\nformat ascii 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\n"
    )
    lines = "\n".join(" ".join(f"{value:.6f}" for value in point) for point in points)
    (folder / "sparse_pc.ply").write_text(f"{head}end_header\n{lines}\n")
    edit(folder, lambda table: table.update(ply_file_path="sparse_pc.ply"))


def test_points_around_the_object_tell_its_box_and_those_of_a_room_do_not(folder):
    generator = np.random.default_rng(0)
    ball = generator.normal(size=(500, 3))
    ball *= 0.8 / np.linalg.norm(ball, axis=1, keepdims=True)
    stray = np.array([[50.0, 0, 0], [0, -80, 0]])
    write_cloud(folder, np.concatenate([ball, stray]))
    bounds = read_dataset(folder).bounds
    assert bounds is not None
    assert bool((bounds[0] < -0.8).all()) and bool((bounds[1] > 0.8).all())
    assert float((bounds[1] - bounds[0]).max()) < 2.2
    write_cloud(folder, np.concatenate([ball, generator.uniform(-10, 10, (500, 3))]))
    assert read_dataset(folder).bounds is None


def test_bounds_and_splits_of_colmap(tmp_path):
    model = tmp_path / "sparse" / "0"
    model.mkdir(parents=True)
    (model / "cameras.txt").write_text("1 PINHOLE 32 24 40 40 16 12\n")
    poses = "1 1 0 0 0 0 0 4 1 a.png\n\n2 0.6 0 0.8 0 0 0 4 1 b.png\n\n3 0 0 1 0 0 0 4 1 c.png\n\n"
    (model / "images.txt").write_text(poses)
    (model / "test.txt").write_text("b.png\n")
    generator = np.random.default_rng(0)
    points = generator.uniform(-1, 1, (300, 3))
    track = "1 1 2 1 3 1"
    lines = [f"{i} {x} {y} {z} 9 9 9 0.5 {track}" for i, (x, y, z) in enumerate(points.tolist())]
    bad = [f"{i} 9 9 9 9 9 9 {error} {seen}" for i, (error, seen) in enumerate([(5, track), (0.5, "1 1 2 1")] * 20)]
    (model / "points3D.txt").write_text("\n".join([*lines, *bad]) + "\n")
    for name in "abc":
        write_rgba(tmp_path / "images" / f"{name}.png")
    views = read_dataset(tmp_path)
    assert held(views) == ["b"]
    assert views.bounds is not None
    assert torch.allclose(views.bounds.abs(), torch.tensor(1.2).double(), atol=0.05)
