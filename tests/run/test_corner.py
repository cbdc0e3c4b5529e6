"""Samples as files: what a corner plot shows, and that odd samples do not stop it."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from invrender.errors import UsageError
from invrender.run.corner import write_corner, write_samples

BLUE, RED, GREEN = (0x2F, 0x6D, 0xB3), (0xC8, 0x37, 0x2D), (0x2B, 0x8A, 0x3E)


def drawn(count, samples=600):
    return np.random.default_rng(0).standard_normal((samples, count))


def picture(path, samples, **marks):
    names = [f"material.floor_of_the_hall.Kd.{i}" for i in range(samples.shape[1])]
    write_corner(path, names, samples, **marks)
    return iio.imread(path)[..., :3].astype(int)


def share(image, colour):
    return float((np.abs(image - np.array(colour)).max(-1) < 12).mean())


def test_marks_are_drawn_in_their_colours(tmp_path):
    bare = picture(tmp_path / "bare.png", drawn(2))
    assert share(bare, RED) == share(bare, GREEN) == 0
    both = picture(tmp_path / "both.png", drawn(2), truth=[0.5, 0.5], estimate=[-0.5, 0.2])
    assert share(both, RED) > 0.001
    assert share(both, GREEN) > 0.001
    assert share(both, (255, 255, 255)) > 0.5


def test_a_far_mark_is_inside_the_picture(tmp_path):
    image = picture(tmp_path / "far.png", drawn(1), truth=[50.0])
    columns = np.flatnonzero((np.abs(image - np.array(GREEN)).max(-1) < 12).mean(0) > 0.3)
    assert len(columns)
    assert columns.max() < 0.99 * image.shape[1]


def test_pairs_that_are_confounded_are_told_in_red(tmp_path):
    one = drawn(1)
    twins = np.concatenate([one, 2 * one + 1e-3 * drawn(2)[:, 1:]], 1)
    assert share(picture(tmp_path / "twins.png", twins), RED) > 0


@pytest.mark.parametrize("count", [1, 5])
def test_size_follows_the_number_and_stays_readable(tmp_path, count):
    height, width, _ = picture(tmp_path / "size.png", drawn(count, 60)).shape
    assert min(height, width) > 250
    assert max(height, width) < 1700
    assert 0.6 < width / height < 1.25


def test_what_is_too_much_to_be_read_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("invrender.run.corner.MOST", 2)
    few, many = (picture(tmp_path / f"{count}.png", drawn(count, 60)) for count in (2, 4))
    assert abs(few.shape[0] - many.shape[0]) < 20


def test_samples_that_never_moved_large_numbers_and_few_samples(tmp_path):
    odd = drawn(3, 40) * [1e-9, 0, 1e8] + [1, 3, -1e9]
    assert share(picture(tmp_path / "odd.png", odd), BLUE) > 0
    assert share(picture(tmp_path / "single.png", odd[:1]), (255, 255, 255)) > 0.5
    picture(tmp_path / "zero.png", np.zeros((10, 2)))


def test_samples_come_back_from_the_file(tmp_path):
    draws, density = drawn(2).reshape(4, 150, 2), drawn(1).reshape(4, 150)
    write_samples(tmp_path / "samples.npz", ["a", "ä"], draws, density)
    with np.load(tmp_path / "samples.npz", allow_pickle=False) as data:
        assert data["names"].tolist() == ["a", "ä"]
        assert np.array_equal(data["draws"], draws)
        assert np.array_equal(data["log_density"], density)


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        write_corner(tmp_path / "file" / "corner.png", ["a"], drawn(1))
