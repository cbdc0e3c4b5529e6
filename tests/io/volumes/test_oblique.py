"""Turned grids: what rounding of their directions must not do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.io.volumes.grid import upright
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume


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


def test_at_45_degrees_the_axes_keep_their_order(tmp_path):
    """Which of both axes runs most along x is decided by rounding there: two files of one image must agree."""
    for degrees in (45 - 1e-6, 45, 45 + 1e-6):
        found = read_volume(write(tmp_path / "v.nrrd", np.ones((4, 12, 14)), turned(degrees, (0.5, 1, 2))))
        assert torch.allclose(found.spacing, torch.tensor([0.5, 1, 2]).double(), atol=1e-6)


def oblique(seed=5):
    """Directions of a grid that is turned about no axis of the world, with the signs and the order of a scanner's."""
    random = np.random.default_rng(seed)
    q, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return q


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("extension", [".npz", ".vti", ".nrrd", ".nii.gz", ".mha", ".vdb"])
def test_a_turned_grid_goes_through_every_format_without_resampling(tmp_path, vertices, extension, seed):
    """Each value stays at its place in the world."""
    values = np.random.default_rng(1).permutation(4 * 5 * 6).reshape(4, 5, 6).astype(np.float32) + 1
    columns = (oblique(seed) * [0.5, 1.25, 2]).T
    first = read_volume(write(tmp_path / "v.nrrd", values, columns))
    assert first.placement is not None
    k, j, i = np.indices(values.shape)
    truth = np.stack([i, j, k], -1) @ columns + [5, 6, 7]
    write_volume(tmp_path / f"again{extension}", first)
    again = read_volume(tmp_path / f"again{extension}")
    for found, far in ((first, 1e-9), (again, 2e-6)):
        where = dict(zip(values.ravel().tolist(), truth.reshape(-1, 3), strict=True))
        places = found.in_world(vertices(found)).reshape(-1, 3).numpy()
        inside = found.numpy().ravel() > 0  # .vdb adds a margin of zeros
        assert inside.sum() == values.size
        expected = np.stack([where[value] for value in found.numpy().ravel()[inside].tolist()])
        assert np.abs(places[inside] - expected).max() < far
    if extension == ".npz":
        assert torch.equal(again.bounds, first.bounds)


@pytest.mark.parametrize("extension", [".nrrd", ".nii.gz", ".mha"])
def test_other_programs_find_the_samples_where_they_were(tmp_path, vertices, extension):
    """SimpleITK counts to the left and the back, nibabel to the right and the front."""
    itk, nibabel = pytest.importorskip("SimpleITK"), pytest.importorskip("nibabel")
    values = np.random.default_rng(1).permutation(4 * 5 * 6).reshape(4, 5, 6).astype(np.float32) + 1
    made = itk.GetImageFromArray(values)
    made.SetSpacing((0.5, 1.25, 2.0))
    made.SetOrigin((10.0, -20.0, 30.0))
    made.SetDirection(tuple(oblique(3).ravel()) if np.linalg.det(oblique(3)) > 0 else tuple(-oblique(3).ravel()))
    itk.WriteImage(made, str(tmp_path / "theirs.mha"))
    found = read_volume(tmp_path / "theirs.mha")
    write_volume(tmp_path / f"ours{extension}", found)
    back = itk.ReadImage(str(tmp_path / f"ours{extension}"))
    again = itk.GetArrayFromImage(back)
    for _ in range(20):
        k, j, i = np.random.default_rng(_).integers(0, again.shape)
        place = back.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
        index = made.TransformPhysicalPointToIndex(place)
        assert made.GetPixel(*index) == again[k, j, i]
        assert np.allclose(made.TransformPhysicalPointToContinuousIndex(place), index, atol=1e-5)
    if extension == ".nii.gz":
        image = nibabel.load(tmp_path / "ours.nii.gz")
        for affine in (image.get_sform(), image.get_qform()):
            place = affine[:3, :3] @ [1, 2, 3] + affine[:3, 3]
            ours = found.in_world(vertices(found)[3, 2, 1]).numpy()
            assert np.allclose(place, ours, atol=1e-4)
            assert np.asarray(image.dataobj)[1, 2, 3] == found.numpy()[0, 3, 2, 1]


def test_sheared_axes_are_resampled_and_that_is_said(tmp_path, caplog):
    columns = np.array([[1, 0, 0], [0.5, 1, 0], [0, 0, 1.0]])
    found = read_volume(write(tmp_path / "v.nrrd", np.ones((4, 12, 14)), columns))
    assert found.placement is None
    assert found.shape[2] > 14
    assert "resampled" in caplog.text


def test_put_upright_the_world_keeps_its_values(tmp_path):
    k, j, i = np.indices((20, 20, 20))
    columns = turned(30, (1, 1, 1))
    truth = np.stack([i, j, k], -1) @ columns + [5, 6, 7]
    source = write(tmp_path / "v.nrrd", 100 + truth @ [1.0, 2.0, 3.0], columns)
    found = upright(read_volume(source), source)
    assert found.placement is None
    centre = found.numpy()[0, 10, found.shape[1] // 2, found.shape[2] // 2]
    place = found.bounds[0].numpy() + found.spacing.numpy() * [found.shape[2] // 2, found.shape[1] // 2, 10]
    assert abs(centre - (100 + place @ [1.0, 2.0, 3.0])) < 1e-3
