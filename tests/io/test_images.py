"""Images: encodings by the standard's own numbers, round trips, and readable refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import InputError, UsageError
from invrender.io import images
from invrender.io.gif import write_gif
from invrender.io.images import read_image, read_mask, write_png


def test_srgb_curve_has_its_published_values():
    assert np.isclose(linear_to_srgb(np.array([0.0, 0.0031308, 0.214041, 1.0])), [0, 0.04045, 0.5, 1], atol=1e-5).all()
    values = np.linspace(0, 1, 257)
    assert np.allclose(srgb_to_linear(linear_to_srgb(values)), values, atol=1e-6)
    assert srgb_to_linear(np.ones(2, np.float32)).dtype == np.float32


def test_png_round_trip_within_half_a_level(tmp_path):
    encoded = np.random.default_rng(0).integers(0, 256, (5, 7, 4)) / 255
    image = np.concatenate([srgb_to_linear(encoded[..., :3]), encoded[..., 3:]], axis=2)
    write_png(tmp_path / "a.png", torch.from_numpy(image))
    rgb, alpha = read_image(tmp_path / "a.png")
    assert rgb.dtype == np.float32
    assert alpha is not None
    assert np.allclose(linear_to_srgb(rgb), encoded[..., :3], atol=1e-5)
    assert np.allclose(alpha, encoded[..., 3], atol=1e-6)


def test_coverage_is_written_straight(tmp_path):
    mask = np.array([[0, 0.25], [0.5, 1]])
    write_png(tmp_path / "m.png", mask)
    assert np.asarray(Image.open(tmp_path / "m.png")).tolist() == [[0, 64], [128, 255]]
    assert np.allclose(read_mask(tmp_path / "m.png"), mask, atol=0.002)
    assert read_image(tmp_path / "m.png")[1] is None


def test_sixteen_bits_and_palettes_are_read(tmp_path):
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert np.allclose(read_mask(tmp_path / "deep.png"), [[0, 0.5, 1]], atol=1e-4)
    Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).quantize(4).save(tmp_path / "palette.png")
    assert np.allclose(read_image(tmp_path / "palette.png")[0], [[[1, 0, 0], [0, 0, 1]]], atol=0.01)


def test_mask_may_sit_in_alpha_alone(tmp_path):
    image = np.zeros((2, 2, 4))
    image[0, :, 3] = 1
    write_png(tmp_path / "a.png", image)
    assert read_mask(tmp_path / "a.png").tolist() == [[1, 1], [0, 0]]


def test_gif_loops_for_ever_at_its_speed_with_its_colours(tmp_path):
    frames = [np.full((8, 8, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0), (10, 20, 30))]
    write_gif(tmp_path / "a.gif", frames, fps=20)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
        assert gif.info["loop"] == 0
        assert gif.info["duration"] == 50
        for index, frame in enumerate(frames):
            gif.seek(index)
            assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - frame).max() <= 4


def test_gif_without_frames_or_too_fast_is_refused(tmp_path):
    with pytest.raises(UsageError, match="at least one frame"):
        write_gif(tmp_path / "a.gif", [])
    with pytest.raises(UsageError, match="60 frames per second"):
        write_gif(tmp_path / "a.gif", [np.zeros((2, 2, 3), np.uint8)], fps=60)
    assert not list(tmp_path.iterdir())


def test_unreadable_images_are_input_errors(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nonsense")
    (tmp_path / "view.exr").write_bytes(b"v/1\x01")
    for name, word in (
        ("broken.png", "cannot be read"),
        ("view.exr", "OpenEXR"),
        ("brokn.png", "no file"),
        ("a.xyz", "known"),
    ):
        with pytest.raises(InputError, match=word) as error:
            read_image(tmp_path / name)
        assert error.value.remedy


def test_colours_of_exr_are_multiplied_by_alpha_and_come_out_straight(tmp_path, monkeypatch):
    """As OpenEXR's technical introduction has it; the package that unpacks them is optional."""
    stored = np.zeros((2, 2, 4), np.float32)
    stored[0, 0] = (0.25, 0.5, 1.0, 0.5)
    monkeypatch.setattr(images, "read_exr", lambda path: stored)
    monkeypatch.setattr(images, "read_header", lambda path: None)
    rgb, alpha = read_image(tmp_path / "a.exr")
    assert rgb[0, 0].tolist() == [0.5, 1.0, 2.0] and rgb[1, 1].tolist() == [0, 0, 0]
    assert alpha is not None and alpha[0, 0] == 0.5


def test_a_plain_background_of_a_film_keeps_its_colour(tmp_path):
    frame = np.full((64, 64, 3), 255, np.uint8)
    frame[8:56, 8:56] = np.linspace(60, 254, 48).astype(np.uint8)[:, None, None]
    frame[20:50, 20:50, 1] -= np.linspace(0, 40, 30).astype(np.uint8)
    write_gif(tmp_path / "a.gif", [frame, np.roll(frame, 3, 1)])
    with Image.open(tmp_path / "a.gif") as film:
        assert np.asarray(film.convert("RGB"))[0, 0].tolist() == [255, 255, 255]
