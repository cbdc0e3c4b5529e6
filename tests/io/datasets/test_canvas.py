"""Pictures of several sizes on one canvas, averaged light, and what does not fit in memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.projection import intrinsics
from invrender.colour import srgb_to_linear
from invrender.errors import InputError, MemoryLimitError
from invrender.io.datasets import layout
from invrender.io.datasets.dataset import read_dataset, read_views
from invrender.io.images import read_image
from tests.io.datasets.made import disc, edit, write_poses, write_rgba

LANDSCAPE, PORTRAIT = (24, 32), (40, 20)
LENSES = {"a.png": (40.0, 41.0, 15.0, 12.5, 32, 24), "b.png": (50.0, 52.0, 9.0, 21.0, 20, 40)}


def write_two(folder, files=tuple(LENSES)) -> None:
    """A landscape and a portrait picture with lenses of their own; the mask is the disc."""
    write_poses(folder, list(files))
    keys = ("fl_x", "fl_y", "cx", "cy", "w", "h")
    edit(
        folder,
        lambda table: [f.update(zip(keys, LENSES[f["file_path"]], strict=True)) for f in table["frames"]],
    )
    for file in files:
        write_rgba(folder / file, LANDSCAPE if file == "a.png" else PORTRAIT)


def pixels(views, point) -> np.ndarray:
    """[N,2] where a point of the world is seen."""
    clip = views.cameras.clip_from_world @ torch.tensor([*point, 1.0], dtype=torch.float64)
    height, width = views.cameras.size
    ndc = clip[:, :2] / clip[:, 3:]
    return ((ndc * torch.tensor([1.0, -1]) + 1) / 2 * torch.tensor([width, height])).numpy()


def test_landscape_and_portrait_share_a_canvas(tmp_path):
    write_two(tmp_path)
    views = read_dataset(tmp_path)
    assert views.cameras.size == (40, 32)
    assert views.confidence is not None
    expected = torch.zeros(2, 40, 32)
    expected[0, :24, :32], expected[1, :40, :20] = 1, 1
    assert torch.equal(views.confidence, expected)
    assert torch.equal(views.masks[1, :40, :20] > 0.5, torch.from_numpy(disc(PORTRAIT)))
    assert not bool(views.masks[1, :, 20:].any())
    # a camera at (0, 0, 4) that looks at the origin: x right, y up
    fx, fy, cx, cy, *_ = LENSES["a.png"]
    assert np.allclose(pixels(views, (0.3, 0.2, 0))[0], [cx + fx * 0.3 / 4, cy - fy * 0.2 / 4])
    _, fy, cx, cy, *_ = LENSES["b.png"]
    assert np.allclose(pixels(views, (0, 0.2, 0))[1], [cx, cy - fy * 0.2 / 4])
    assert np.allclose([float(v[1]) for v in intrinsics(views.cameras)], LENSES["b.png"][:4])


def test_one_factor_scales_all_of_them(tmp_path):
    write_two(tmp_path)
    whole, half = read_dataset(tmp_path), read_dataset(tmp_path, size=20)
    assert half.cameras.size == (20, 16)
    assert half.confidence is not None
    assert half.confidence.sum(dim=(1, 2)).tolist() == [12 * 16, 20 * 10]
    assert np.allclose(pixels(half, (0.3, 0.2, 0.1)), pixels(whole, (0.3, 0.2, 0.1)) / 2)
    assert torch.equal(whole.cameras.projection[:, 2:], half.cameras.projection[:, 2:])


def test_views_without_masks_are_unknown_where_that_is_allowed(tmp_path):
    write_two(tmp_path)
    Image.open(tmp_path / "b.png").convert("RGB").save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"b\.png has no alpha channel"):
        read_dataset(tmp_path)
    read = read_views(tmp_path, unmasked=True)
    assert read.masked == (True, False)
    assert read.covered is not None and read.views.confidence is not None
    assert read.covered.sum(dim=(1, 2)).tolist() == [24 * 32, 40 * 20]
    assert read.views.confidence.sum(dim=(1, 2)).tolist() == [24 * 32, 0]
    assert not bool(read.views.masks[1].any())


def test_transparent_pixels_lend_no_colour(tmp_path):
    """Averaged with the green around it, the red object's contour would be yellow; in sRGB numbers, too dark."""
    files = ["a.png", "b.png"]
    write_poses(tmp_path, files)
    image = np.zeros((*LANDSCAPE, 4), np.uint8)
    image[..., 1] = 255
    image[5:19, 7:21] = (255, 0, 0, 255)
    for file in files:
        Image.fromarray(image).save(tmp_path / file)
    views = read_dataset(tmp_path, size=13)
    assert views.images is not None
    seen = views.masks > 0.01
    assert torch.allclose(views.images[seen], torch.tensor([1.0, 0, 0]), atol=1e-5)
    area = float(views.masks[0].sum()) / views.masks[0].numel()
    assert area == pytest.approx(14 * 14 / (24 * 32), rel=1e-5)


def test_light_is_averaged_not_its_code(tmp_path):
    files = ["a.png", "b.png"]
    write_poses(tmp_path, files)
    checks = np.indices((24, 32)).sum(axis=0) % 2 * 255
    for file in files:
        image = np.repeat(checks[..., None], 4, axis=2).astype(np.uint8)
        image[..., 3] = disc() * 255
        image[10, 10, 3] = 0
        Image.fromarray(np.where(image[..., 3:] > 0, image, 0).astype(np.uint8)).save(tmp_path / file)
    views = read_dataset(tmp_path, size=16)
    assert views.images is not None
    assert float(views.images[0, 3, 5, 0]) == pytest.approx(0.5, abs=1e-6)  # not the 0.21 of grey level 128


def test_colours_that_are_multiplied_by_alpha_are_divided(tmp_path, caplog):
    files = ["a.png", "b.png"]
    write_poses(tmp_path, files)
    y, x = np.mgrid[:90, :120] + 0.5
    alpha = np.clip((32 - np.hypot(x - 60, y - 45)) / 3 + 0.5, 0, 1)
    colour = np.array([200, 120, 60])
    image = np.dstack([np.rint(colour * np.rint(alpha * 255)[..., None] / 255), np.rint(alpha * 255)]).astype(np.uint8)
    for file in files:
        Image.fromarray(image).save(tmp_path / file)
    views = read_dataset(tmp_path)
    assert views.images is not None
    inside = views.masks > 0.2
    expected = srgb_to_linear((colour / 255).astype(np.float32))
    assert np.abs(views.images[inside].numpy() - expected).max() < 0.03
    assert "multiplied by their alpha" in caplog.text and "a and 1 more of 2" in caplog.text
    straight = np.dstack([np.broadcast_to(colour, (90, 120, 3)), np.rint(alpha * 255)]).astype(np.uint8)
    Image.fromarray(straight).save(tmp_path / "s.png")
    assert np.allclose(read_image(tmp_path / "s.png")[0], expected, atol=1e-6)


def test_large_jpegs_are_unpacked_smaller_and_look_the_same(tmp_path):
    y, x = np.mgrid[:480, :640]
    smooth = np.dstack([127 + 100 * np.sin(x / 40), 127 + 100 * np.cos(y / 50), np.full(x.shape, 90)])
    files = ["a.jpg", "b.jpg"]
    write_poses(tmp_path, files)
    for file in files:
        Image.fromarray(smooth.astype(np.uint8)).save(tmp_path / file, quality=98)
        Image.fromarray(smooth.astype(np.uint8)).save(tmp_path / f"{file}.png")
    small = read_dataset(tmp_path, size=32, unmasked=True).images
    edit(tmp_path, lambda table: [f.update(file_path=f"{f['file_path']}.png") for f in table["frames"]])
    exact = read_dataset(tmp_path, size=32, unmasked=True).images
    assert small is not None and exact is not None
    assert float((small - exact).abs().max()) < 0.01


def test_sixteen_bits_and_grey(tmp_path):
    files = ["a.png", "b.tif"]
    write_poses(tmp_path, files)
    level = 30000
    for file in files:
        Image.fromarray(np.full(LANDSCAPE, level, np.uint16)).save(tmp_path / file)
    views = read_dataset(tmp_path, unmasked=True)
    expected = float(srgb_to_linear(np.float32(level / 65535)))
    assert views.images is not None
    assert torch.allclose(views.images, torch.tensor(expected), atol=1e-6)


def test_too_many_pixels_are_refused_before_any_is_read(tmp_path, monkeypatch):
    write_two(tmp_path)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])  # damaged: nobody looks at it
    monkeypatch.setattr(layout, "available_memory", lambda: 80_000)
    with pytest.raises(MemoryLimitError, match=r"2 pictures of 32 x 40 pixels take 0\.0 GiB") as error:
        read_dataset(tmp_path)
    assert "--size" in error.value.remedy


def test_one_lens_for_pictures_of_two_sizes(tmp_path):
    """An angle of view holds for scaled copies, a focal length in pixels does not."""
    write_two(tmp_path)
    edit(
        tmp_path, lambda t: t.update(frames=[{k: f[k] for k in ("file_path", "transform_matrix")} for f in t["frames"]])
    )
    with pytest.raises(InputError, match="one lens is told for them: a is 32 x 24, b is 20 x 40"):
        read_dataset(tmp_path)
    edit(tmp_path, lambda t: (t.pop("fl_x"), t.update(camera_angle_x=0.8)))
    with pytest.raises(InputError, match="one lens is told for them"):
        read_dataset(tmp_path)
    write_rgba(tmp_path / "b.png", (12, 16))
    views = read_dataset(tmp_path)
    fx = intrinsics(views.cameras)[0]
    assert float(fx[0]) == pytest.approx(2 * float(fx[1]))
    assert json.loads((tmp_path / "transforms.json").read_text())["camera_angle_x"] == 0.8
