"""Datasets: round trips, the fields of other programs, and each way in which one can be unusable."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.projection import look_at, perspective_intrinsics
from invrender.cameras.rigs import rig
from invrender.errors import InputError
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_dataset, write_dataset
from invrender.io.images import write_png
from invrender.nouns import Cameras, Views

SIZE = (24, 32)


def disc(size: tuple[int, int] = SIZE, radius: float = 7.0) -> np.ndarray:
    """Coverage of a disc in the middle, soft at its edge."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return np.clip(radius - np.hypot(x - size[1] / 2, y - size[0] / 2) + 0.5, 0, 1).astype(np.float32)


def made_views(n: int = 3, centre: tuple[float, float, float] = (0.3, 0, -2)) -> Views:
    cameras = rig("orbit", n, centre, 1.5, SIZE, fov=40)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(n, *SIZE, 3, generator=generator)
    return Views(cameras, torch.from_numpy(disc()).repeat(n, 1, 1), images)


def edit(folder: Path, change) -> None:
    path = folder / "transforms.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "set", made_views())
    return tmp_path / "set"


def refused(folder: Path, **options) -> str:
    with pytest.raises(InputError) as error:
        read_dataset(folder, **options)
    assert error.value.remedy
    assert len(str(error.value)) < 500
    return str(error.value)


@pytest.mark.parametrize("centre", [(0.3, 0, -2), (1e6, -2e6, 5.0)])
def test_round_trip(tmp_path, centre):
    views = made_views(centre=centre)
    written = write_dataset(tmp_path, views)
    assert [path.name for path in written] == ["transforms.json", "view_000.png", "view_001.png", "view_002.png"]
    back = read_dataset(tmp_path)
    assert back.names == ("view_000", "view_001", "view_002")
    assert back.cameras.size == SIZE
    scale = max(1.0, abs(centre[0]))
    assert torch.allclose(back.cameras.world_to_camera, views.cameras.world_to_camera, rtol=0, atol=1e-14 * scale)
    assert torch.allclose(back.cameras.projection, views.cameras.projection, atol=1e-12)
    assert float((back.masks - views.masks).abs().max()) <= 0.5 / 255 + 1e-6
    assert back.images is not None and views.images is not None
    assert float((back.images - views.images).abs().max()) < 0.01
    assert back.masks.dtype == back.images.dtype == torch.float32


def test_own_lens_per_view_and_off_centre_round_trip(tmp_path):
    views = made_views(2)
    projection = torch.stack(
        [perspective_intrinsics(30, 31, 15.5, 12.25, SIZE, 1, 9), perspective_intrinsics(40, 40, 16, 12, SIZE, 1, 9)]
    )
    write_dataset(tmp_path, Views(Cameras(views.cameras.world_to_camera, projection, SIZE), views.masks))
    table = json.loads((tmp_path / "transforms.json").read_text())
    assert "fl_x" not in table and table["w"] == 32
    back = read_dataset(tmp_path)
    assert torch.allclose(back.cameras.projection, projection, atol=1e-12)
    assert back.images is not None and float(back.images.min()) == 1


def test_blender_scene_with_angle_and_names_without_extension(folder):
    """The layout of NeRF's synthetic scenes: camera_angle_x alone, './train/r_0'."""
    (folder / "train").mkdir()
    for i in range(3):
        (folder / f"view_00{i}.png").rename(folder / "train" / f"r_{i}.png")
    angle = 2 * math.atan(16 / 30)

    def change(table):
        frames = [
            {"file_path": f"./train/r_{i}", "transform_matrix": f["transform_matrix"]}
            for i, f in enumerate(table["frames"])
        ]
        table.clear()
        table.update(camera_angle_x=angle, frames=frames)

    edit(folder, change)
    (folder / "transforms.json").rename(folder / "transforms_train.json")
    views = read_dataset(folder)
    assert views.names == ("train/r_0", "train/r_1", "train/r_2")
    assert math.isclose(views.cameras.projection[0, 0, 0], 30 * 2 / 32)
    assert math.isclose(views.cameras.projection[0, 1, 1], 30 * 2 / 24)
    # the poses are OpenGL's camera-to-world: the centre of the rig is on every axis
    clip = views.cameras.clip_from_world @ torch.tensor([0.3, 0, -2, 1], dtype=torch.float64)
    assert torch.allclose(clip[:, :2], torch.zeros(3, 2).double(), atol=1e-9)
    assert bool((clip[:, 2].abs() < clip[:, 3]).all())


def test_sizes_in_the_file_may_be_of_larger_images(folder):
    def double(table):
        for key in ("fl_x", "fl_y", "cx", "cy", "w", "h"):
            table[key] *= 2

    before = read_dataset(folder).cameras.projection
    edit(folder, double)
    assert torch.allclose(read_dataset(folder).cameras.projection, before)


def test_smaller_copies_keep_coverage_and_projection(folder):
    whole, small = read_dataset(folder), read_dataset(folder, size=16, images=False)
    assert small.images is None
    assert small.cameras.size == (12, 16)
    assert torch.equal(small.cameras.projection, whole.cameras.projection)
    assert torch.allclose(small.masks.mean(dim=(1, 2)), whole.masks.mean(dim=(1, 2)), atol=1e-5)


@pytest.mark.parametrize("size", [None, 16])
def test_masks_in_bytes_are_those_in_floats(folder, size):
    """In views of two sizes, whose canvas is known in part."""
    with Image.open(folder / "view_000.png") as picture:
        cut = picture.crop((0, 0, picture.width - 4, picture.height))
    cut.save(folder / "view_000.png")

    def lens_of_its_own(table):
        table["frames"][0].update(w=cut.width, h=cut.height, fl_x=table["fl_x"], fl_y=table["fl_y"], cx=14.0, cy=12.0)

    edit(folder, lens_of_its_own)
    floats, kept = (read_dataset(folder, size=size, in_bytes=way, images=False) for way in (False, True))
    for one, other in ((floats.masks, kept.masks), (floats.confidence, kept.confidence)):
        assert other.dtype == torch.uint8
        assert float((one - other / 255).abs().max()) <= 0.5 / 255 + 1e-6
    assert float(kept.confidence.min()) == 0


def test_masks_come_in_their_order_of_precedence(folder, tmp_path):
    """--masks, then mask_path, then alpha, then masks/."""

    def area(**options) -> int:
        return round(float(read_dataset(folder, **options).masks[1].sum()))

    radii = {"alpha": 7.0, "listed": 6.0, "given": 5.0, "beside": 4.0}
    expected = {kind: round(float(disc(radius=radius).sum())) for kind, radius in radii.items()}
    for place, kind in ((folder / "masks", "beside"), (folder / "listed", "listed"), (tmp_path / "given", "given")):
        for i in range(3):
            write_png(place / f"view_00{i}.png", disc(radius=radii[kind]))
    assert area() == expected["alpha"]
    for i in range(3):
        Image.open(folder / f"view_00{i}.png").convert("RGB").save(folder / f"view_00{i}.png")
    assert area() == expected["beside"]
    edit(folder, lambda t: [f.update(mask_path=f"listed/{f['file_path']}") for f in t["frames"]])
    assert area() == expected["listed"]
    assert area(masks=tmp_path / "given") == expected["given"]


def test_masks_alone_make_a_dataset(folder):
    edit(folder, lambda t: [f.update(mask_path=f.pop("file_path")) for f in t["frames"]])
    for i in range(3):
        write_png(folder / f"view_00{i}.png", disc())
    views = read_dataset(folder)
    assert views.images is None
    assert torch.allclose(views.masks[0], torch.from_numpy(disc()), atol=0.01)


def test_cameras_alone_need_no_images(folder):
    for file in folder.glob("*.png"):
        file.unlink()
    cameras = read_cameras(folder / "transforms.json", (48, 64))
    assert cameras.size == (48, 64)
    assert torch.allclose(cameras.projection, made_views().cameras.projection, atol=1e-12)


def test_scaled_axes_are_cameras_and_mirrored_or_sheared_ones_are_not(folder):
    before = read_dataset(folder).cameras.world_to_camera

    def scale(factors):
        def change(table):
            for frame in table["frames"]:
                matrix = np.array(frame["transform_matrix"])
                matrix[:3, :3] = matrix[:3, :3] * factors
                frame["transform_matrix"] = matrix.tolist()

        return change

    edit(folder, scale(2.0))
    assert torch.allclose(read_dataset(folder).cameras.world_to_camera, before, atol=1e-12)
    edit(folder, scale([1, 1, -1]))
    assert "mirror" in refused(folder)
    edit(folder, scale([1, 3, -1]))
    assert "unevenly scaled" in refused(folder)


def test_is_dataset(folder, tmp_path):
    assert is_dataset(folder)
    assert is_dataset(folder / "transforms.json")
    assert not is_dataset(tmp_path)
    assert not is_dataset(tmp_path / "mesh.glb")


def paint(folder: Path, index: int, alpha: np.ndarray) -> None:
    image = np.full((*SIZE, 4), 0.5)
    image[..., 3] = alpha
    write_png(folder / f"view_00{index}.png", image)


def first(key, value):
    return lambda table: table["frames"][0].update({key: value})


FAULTS = {
    "one view": (lambda t: t.update(frames=t["frames"][:1]), "at least 2"),
    "no frames": (lambda t: t.update(frame=t.pop("frames")), "rename 'frame'"),
    "empty frames": (lambda t: t.update(frames=[]), "missing or empty"),
    "missing images": (first("file_path", "view_0000"), "1 of 3 files are missing: view_0000"),
    "missing folder": (first("file_path", "train/view_000"), "folder train is missing"),
    "missing mask": (first("mask_path", "view_00.png"), "1 of 3 files are missing: view_00.png"),
    "no name": (first("file_path", None), "names no file"),
    "no matrix": (lambda t: t["frames"][1].pop("transform_matrix"), "frame 1 (view_001.png) has no 'transform_matrix'"),
    "short matrix": (first("transform_matrix", [[1, 2], [3, 4]]), "shape (2, 2)"),
    "ragged matrix": (first("transform_matrix", [[1, 2], [3]]), "not 4 rows"),
    "nan matrix": (first("transform_matrix", [[float("nan")] * 4] * 4), "NaN"),
    "no focal": (lambda t: [t.pop(key) for key in ("fl_x", "camera_angle_x", "camera_angle_y")], "camera_angle_x"),
    "degrees": (lambda t: t.update(camera_angle_x=45.0), "radians"),
    "text": (lambda t: t.update(fl_x="wide"), "'fl_x' is 'wide'"),
    "folded": (lambda t: t.update(k1=-1e9), "-1e+09"),
    "unknown lens": (lambda t: t.update(camera_model="FISHEYE624"), "'FISHEYE624' is one that is not known"),
    "polynomial lens": (lambda t: t.update(ftheta_p0=0.1), "ftheta_p0"),
    "fisheye by its angle": (lambda t: (t.pop("fl_x"), t.update(is_fisheye=True)), "add 'fl_x'"),
    "twice": (lambda t: t["frames"].append(t["frames"][0]), "twice: view_000"),
    "under two names": (
        lambda t: t["frames"].append({**t["frames"][0], "file_path": "../set/view_000.png"}),
        "twice, as view_000 and as ./set/view_000",
    ),
    "null matrix": (first("transform_matrix", None), "frame 0 (view_000.png) has no 'transform_matrix'"),
    "rounded matrix": (first("transform_matrix", [[0.71, -0.7, 0, 1], [0.7, 0.7, 0, 1], [0, 0, 1, 1]]), "4 digits"),
    "millimetres": (lambda t: t.update(fl_x=1.2, fl_y=1.2), "neither in millimetres nor as parts of its width"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_fields_are_named(folder, fault):
    change, word = FAULTS[fault]
    edit(folder, change)
    assert word in refused(folder)


def test_broken_json_tells_line_and_column(folder):
    text = (folder / "transforms.json").read_text()
    (folder / "transforms.json").write_text(text.replace('"frames": [', '"frames": [,'))
    assert "line 12, column 13" in refused(folder)
    (folder / "transforms.json").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in refused(folder)
    (folder / "transforms.json").write_text("[1]")
    assert "no object" in refused(folder)


def test_faulty_masks_are_named(folder):
    paint(folder, 1, np.zeros(SIZE))
    assert "the mask of view_001 is all black" in refused(folder)
    paint(folder, 1, 1 - disc())
    assert "view_001" in refused(folder) and "inverted" in refused(folder)
    paint(folder, 1, np.full(SIZE, 0.9))
    paint(folder, 2, np.full(SIZE, 0.8))
    assert "2 of 3 masks (view_001, view_002) are white" in refused(folder)


def test_images_without_alpha_or_of_other_sizes_are_named(folder):
    paint(folder, 1, np.ones(SIZE))
    assert "view_001.png has an alpha channel that is opaque everywhere" in refused(folder)
    write_png(folder / "view_001.png", np.zeros((*SIZE, 3)))
    assert "view_001.png has no alpha channel" in refused(folder)
    write_png(folder / "view_001.png", np.dstack([np.zeros((8, 16, 3)), disc((8, 16), 3)]))
    assert "of view_001 are of 32 x 24 pixels, but its picture is 16 x 8" in refused(folder)
    edit(folder, lambda t: [t.pop(key) for key in ("w", "h")])
    assert "one lens is told for them: view_000 is 32 x 24, view_001 is 16 x 8" in refused(folder)


def test_masks_must_fit_and_be_complete(folder, tmp_path):
    assert "no folder" in refused(folder, masks=tmp_path / "nothing")
    write_png(tmp_path / "some" / "view_000.png", disc())
    assert "2 of 3 views: view_001, view_002" in refused(folder, masks=tmp_path / "some")
    for i in range(3):
        write_png(tmp_path / "small" / f"view_00{i}.png", disc((8, 8), 3))
    assert "mask of view_000 is 8 x 8, its image 32 x 24" in refused(folder, masks=tmp_path / "small")


def test_folders_that_are_no_dataset(tmp_path, folder):
    assert "no folder" in refused(tmp_path / "sat") and "did you mean" in refused(tmp_path / "sat")
    (folder / "transforms.json").rename(folder / "transform.json")
    assert "did you mean" in refused(folder)
    assert "neither transforms.json nor a COLMAP model" in refused(tmp_path)
    assert "no file" in refused(folder / "transfroms.json")


def test_look_at_agrees_with_a_matrix_written_by_hand(tmp_path):
    """A camera at (0, 0, 4) with the identity as rotation looks at the origin in OpenGL's convention."""
    views = made_views(2)
    write_dataset(tmp_path, views)
    matrix = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]
    edit(tmp_path, lambda t: t["frames"][0].update(transform_matrix=matrix))
    assert torch.equal(read_dataset(tmp_path).cameras.world_to_camera[0], look_at([[0.0, 0, 4]], (0, 0, 0))[0])
