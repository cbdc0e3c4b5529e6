"""Turned grids: what rounding of their directions must not do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.io.volumes.read import read_volume


def write(path, values, columns):
    """An .nrrd file with these steps in the world along i, j, k."""
    directions = " ".join(f"({','.join(repr(float(n)) for n in column)})" for column in columns)
    header = (
        f"NRRD0005\ntype: float\ndimension: 3\nendian: little\nencoding: raw\nspace: RAS\n"
        f"sizes: {' '.join(map(str, values.shape[::-1]))}\nspace directions: {directions}\nspace origin: (5,6,7)\n\n"
    )
    path.write_bytes(header.encode() + values.astype("<f4").tobytes())
    return path


def turned(degrees, steps):
    """The steps along i, j, k, turned about z."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) * np.array(steps)[:, None]


@pytest.mark.parametrize("error", [0, 1e-8, -1e-8, 1e-6, -1e-6])
def test_no_face_is_lost_and_none_is_added(tmp_path, error):
    """Directions from quaternions in float32 err by 1e-7; the first slice is no less in the grid for that."""
    columns = turned(20, (1, 1, 2))
    columns[0, 2] = columns[1, 2] = error
    found = read_volume(write(tmp_path / "v.nrrd", np.ones((4, 12, 14)), columns))
    assert found.values.shape[1] == 4
    assert found.values[0].amax((1, 2)).tolist() == [1, 1, 1, 1]
    assert torch.allclose(found.bounds[:, 2], torch.tensor([7.0, 13.0]).double(), atol=1e-4)


def test_at_45_degrees_the_finer_spacing_is_taken_for_both_axes(tmp_path):
    """Which of both axes runs most along x is decided by rounding there: two files of one image must agree."""
    for degrees in (45 - 1e-6, 45, 45 + 1e-6):
        found = read_volume(write(tmp_path / "v.nrrd", np.ones((4, 12, 14)), turned(degrees, (0.5, 1, 2))))
        assert torch.allclose(found.spacing, torch.tensor([0.5, 0.5, 2]).double(), atol=1e-6)
