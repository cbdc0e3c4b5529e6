"""`invrender inspect` of voxels with pictures; what other commands say of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import invrender
from invrender.cli.app import run
from invrender.errors import InputError
from invrender.evaluate.pairs_sheet import first_surface, middle_slice, pairs_sheet
from invrender.io.pairs.dataset import read_pairs
from invrender.io.pairs.meta import Layout, Meta, Shard, write_meta
from invrender.io.pairs.shards import write_shard
from invrender.nouns.stage import Stage
from tests.io.pairs.made import original, samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two training samples of one object, half and wholly filled, and a test sample, a quarter filled."""
    layout = Layout((1, 4, 4, 4), (4, 4, 3), picture_type="float16", encoding="linear")
    (tmp_path / "set").mkdir()
    shards = (Shard("train", "train-0000", (5, 5)), Shard("test", "test-0000", (6,)))
    for shard, slices in zip(shards, ((2, 4), (1,)), strict=True):
        voxels = np.zeros((len(slices), *layout.voxels), np.uint8)
        for sample, count in enumerate(slices):
            voxels[sample, :, :count] = 255
        pictures = np.full((len(slices), *layout.pictures), 2.0, np.float16)
        write_shard(tmp_path / "set", shard, layout, voxels, pictures)
    write_meta(tmp_path / "set", Meta(layout, shards, Stage(elevation=20), {"by": "a test"}))
    return tmp_path / "set"


def test_what_is_in_a_data_set_is_told(folder: Path, capsys: Any) -> None:
    assert run(["inspect", str(folder), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert (table["samples"], table["objects"]) == ({"train": 2, "test": 1}, {"train": 1, "test": 1})
    assert (table["filled"], table["least_filled"], table["most_filled"]) == (pytest.approx(1.75 / 3), 0.25, 1)
    assert table["voxel_range"] == [{"least": 0, "greatest": 1, "mean": pytest.approx(1.75 / 3)}]
    assert table["picture_range"] == {"least": 2, "greatest": 2, "mean": 2}
    assert (table["stage"]["elevation"], table["made"], table["looked_at"]) == (20, {"by": "a test"}, 3)
    assert run(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    for words in ("3: 2 train of 1 objects, 1 test of 1 objects", "4 x 4 x 4, 1 channels, uint8", "linear", "58.33%"):
        assert words in text


def test_a_sheet_is_drawn(folder: Path, tmp_path: Path, capsys: Any) -> None:
    assert run(["inspect", str(folder), "--picture", str(tmp_path / "sheet.png")]) == 0
    drawn = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert np.array_equal(drawn, pairs_sheet(read_pairs(folder)))
    assert (drawn[40, 50] == 255).all()  # a picture of linear light above 1, scaled down to it
    assert run(["inspect", str(folder), "--picture", str(tmp_path / "sheet.jpg")]) == 2


def test_the_first_surface_is_that_of_the_camera() -> None:
    voxels = np.zeros((8, 8, 8))
    voxels[1, :, :4] = voxels[6, :, 2:6] = 1
    seen = first_surface(voxels).astype(int).sum(2)
    assert (seen[:, :3] > seen[:, 4:5]).all() and (seen[:, 6:] == 0).all()
    assert (seen[4, 1], seen[4, 0]) == (seen[0, 0], seen[0, 1])
    side = middle_slice(voxels)[..., 0]
    assert np.argwhere(side[0]).ravel().tolist() == [6]  # the column in the middle, away to the right


def test_files_to_import_are_told_apart(tmp_path: Path, capsys: Any) -> None:
    source = original(tmp_path / "old", *samples(3, 8))
    assert run(["inspect", str(source)]) == 0
    text = capsys.readouterr().out
    assert "shards of VoxelNeuralRender" in text and f"invrender dataset import {source}" in text
    assert run(["inspect", str(source), "--picture", str(tmp_path / "a.png")]) == 2


def test_what_takes_assets_says_what_it_was_given(folder: Path, tmp_path: Path) -> None:
    source = original(tmp_path / "old", *samples(3, 8))
    for path, words in ((folder, "invrender inspect"), (source, "invrender dataset import")):
        with pytest.raises(InputError, match=words):
            invrender.read(path)
        assert run(["reconstruct", str(path), "-o", str(tmp_path / "run")]) == 3
        assert run(["evaluate", str(path), str(path)]) == 3


def test_a_damaged_data_set_is_refused(folder: Path, capsys: Any) -> None:
    shard = folder / "test-0000.voxels.npy"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert run(["inspect", str(folder)]) == 3
    assert "cut short" in capsys.readouterr().err
