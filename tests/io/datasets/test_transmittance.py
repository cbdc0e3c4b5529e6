"""Transmittance datasets: a round trip in floats and in 8 bits, and what is wrong with broken ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.rigs import rig
from invrender.errors import InputError
from invrender.io.datasets.dataset import write_dataset
from invrender.io.datasets.transmittance import (
    TransmittanceViews,
    is_transmittance,
    read_transmittance,
    write_transmittance,
)
from invrender.nouns import Views


@pytest.fixture
def views() -> TransmittanceViews:
    images = torch.from_numpy(np.random.default_rng(0).random((3, 6, 8), np.float32))
    bounds = torch.tensor([[-1.0, -2, -3], [1, 2, 3.5]], dtype=torch.float64)
    cameras = rig("sphere", 3, (0, 0, 0.25), 3.0, (6, 8))
    return TransmittanceViews(cameras, images, "transmittance", bounds, (5, 6, 7), 0.125)


def test_floats_survive_a_round_trip(tmp_path, views):
    files = write_transmittance(tmp_path / "set", views)
    assert [file.name for file in files] == ["transforms.json", "view_000.npy", "view_001.npy", "view_002.npy"]
    again = read_transmittance(tmp_path / "set")
    assert torch.equal(again.images, views.images)
    assert torch.equal(again.bounds, views.bounds)
    assert torch.allclose(again.cameras.clip_from_world, views.cameras.clip_from_world, atol=1e-9)
    assert (again.kind, again.grid, again.extinction, again.eight_bit) == ("transmittance", (5, 6, 7), 0.125, False)
    assert is_transmittance(tmp_path / "set")


def test_eight_bits_round_to_the_nearest_level_and_are_not_decoded(tmp_path, views):
    write_transmittance(tmp_path, replace(views, eight_bit=True, kind="transmittance", bounds=None, grid=None))
    again = read_transmittance(tmp_path / "transforms.json")
    assert float((again.images - views.images).abs().max()) <= 0.5 / 255 + 1e-6
    assert (again.eight_bit, again.bounds, again.grid) == (True, None, None)


def test_sixteen_bit_images(tmp_path, views):
    write_transmittance(tmp_path, views)
    for i in range(3):
        levels = np.round(views.images[i].numpy() * 65535).astype(np.uint16)
        Image.fromarray(levels).save(tmp_path / f"view_{i:03d}.png")
        (tmp_path / f"view_{i:03d}.npy").unlink()
    table = json.loads((tmp_path / "transforms.json").read_text())
    for i, frame in enumerate(table["frames"]):
        frame["file_path"] = f"view_{i:03d}"
    (tmp_path / "transforms.json").write_text(json.dumps(table))
    again = read_transmittance(tmp_path)
    assert float((again.images - views.images).abs().max()) < 1e-5
    assert not again.eight_bit


def test_a_dataset_of_colours_is_another_thing(tmp_path, views):
    masks = torch.zeros(3, 6, 8)
    masks[:, 2:4, 2:6] = 1
    write_dataset(tmp_path / "colours", Views(views.cameras, masks))
    assert not is_transmittance(tmp_path / "colours")
    assert not is_transmittance(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bounds": [[0, 0, 0], [1, 0, 1]]}, "'bounds' are no box"),
        ({"bounds": "all"}, "'bounds' are no"),
        ({"grid": [5, 1, 7]}, "'grid' is [5, 1, 7]"),
        ({"extinction": -1}, "'extinction' is -1"),
        ({"kind": "radiance"}, "images of the kind 'radiance'"),
        ({"frames": []}, "lists no views"),
        (
            {"frames": [{"file_path": "gone.npy", "transform_matrix": np.eye(4).tolist()}]},
            "1 of 1 files are missing",
        ),
    ],
)
def test_fields_that_are_wrong(tmp_path, views, change, message):
    write_transmittance(tmp_path, views)
    table = json.loads((tmp_path / "transforms.json").read_text())
    (tmp_path / "transforms.json").write_text(json.dumps({**table, **change}))
    with pytest.raises(InputError, match=re.escape(message)):
        read_transmittance(tmp_path)


def test_images_that_are_wrong(tmp_path, views):
    write_transmittance(tmp_path, views)
    np.save(tmp_path / "view_001.npy", np.zeros((4, 4), np.float32))
    with pytest.raises(InputError, match="different sizes: 4 x 4, 8 x 6"):
        read_transmittance(tmp_path)
    np.save(tmp_path / "view_001.npy", np.zeros((6, 8, 3), np.float32))
    with pytest.raises(InputError, match="no grey image"):
        read_transmittance(tmp_path)
    (tmp_path / "view_001.npy").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as an image"):
        read_transmittance(tmp_path)
