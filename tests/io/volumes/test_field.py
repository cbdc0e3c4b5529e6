"""Neural fields as files: a round trip to the bit, read like volumes, and damage of any kind told clearly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import invrender
from invrender.errors import InputError, UsageError
from invrender.io.volumes.read import read_volume
from invrender.parameters.neural_field import FieldSettings, LearnedField, NeuralField

SHAPE = (4, 5, 6)


def made(kind: str = "latents") -> LearnedField:
    support = torch.ones(SHAPE, dtype=torch.bool)
    support[0] = False
    bounds = torch.tensor([[-1.0, 0, 2], [1, 3, 4]], dtype=torch.float64)
    field = NeuralField(SHAPE, bounds, 2.5, support, FieldSettings.of_kind(kind), ("positive", "share", "cosine"))  # type: ignore[arg-type]
    return LearnedField(field, field.initial())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    invrender.write(tmp_path / "field.npz", made())
    return tmp_path / "field.npz"


@pytest.mark.parametrize("kind", ["latents", "network"])
def test_a_round_trip(tmp_path: Path, kind: str) -> None:
    invrender.write(tmp_path / "field.npz", made(kind))
    assert [path.name for path in tmp_path.iterdir()] == ["field.npz"]
    points = torch.rand(100, 3, generator=torch.Generator().manual_seed(0)) * 4
    for source in (tmp_path / "field.npz", tmp_path):
        found = invrender.read_field(source)
        assert torch.equal(found(points), made(kind)(points))
        assert torch.equal(found.volume((7, 3, 2)).values, made(kind).volume((7, 3, 2)).values)


def test_it_is_read_like_a_volume(written: Path) -> None:
    for volume in (invrender.read(written), read_volume(written)):
        assert isinstance(volume, invrender.Volume)
        assert torch.equal(volume.values, made().volume().values)
        assert torch.equal(volume.bounds, made().field.bounds)
    with pytest.raises(UsageError, match="--key"):
        read_volume(written, key="weights")


def changed(path: Path, **changes: Any) -> None:
    with np.load(path) as data:
        arrays = {name: data[name] for name in data.files}
    about = json.loads(str(arrays["about"]))
    for name, value in changes.items():
        if name in about or name == "format":
            about[name] = value
        elif name in about["settings"]:
            about["settings"][name] = value
        elif value is None:
            del arrays[name.replace("__", "/")]
        else:
            arrays[name.replace("__", "/")] = value
    arrays["about"] = np.array(json.dumps(about))
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "version 2.*up to 1"),
        ({"format": "other"}, "does not say"),
        ({"shape": [4, 5, 1 << 30]}, "shape is 1073741824"),
        ({"shape": [4, 5, 60]}, "support does not fit"),
        ({"coarseness": 1}, "latents are not"),
        ({"shape": [4, 5]}, "damaged"),
        ({"outputs": ["loud"]}, "outputs"),
        ({"outputs": ["positive"]}, "are not"),
        ({"kind": "tree"}, "kind is 'tree'"),
        ({"hidden": -1}, "hidden is -1"),
        ({"level": float("nan")}, "level of nan"),
        ({"bounds": np.zeros((2, 3))}, "span no box"),
        ({"bounds": np.zeros(3)}, "two corners"),
        ({"support": np.ones((2, 2, 2), bool)}, "support"),
        ({"weights__bias_0": None}, "no bias_0"),
        ({"weights__bias_0": np.full(16, np.nan, np.float32)}, "bias_0 are not 16 finite numbers"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(written: Path, changes: dict[str, Any], words: str) -> None:
    changed(written, **changes)
    with pytest.raises(InputError, match=words):
        read_volume(written)


def test_files_that_are_cut_off_or_of_another_kind(written: Path, tmp_path: Path) -> None:
    written.write_bytes(written.read_bytes()[:-200])
    for read in (invrender.read_field, read_volume):
        with pytest.raises(InputError, match="cannot be read"):
            read(written)
    np.savez(tmp_path / "volume.npz", density=np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="no neural field"):
        invrender.read_field(tmp_path / "volume.npz")
    with pytest.raises(InputError, match="there is no file"):
        invrender.read_field(tmp_path / "nothing.npz")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"call it field\.npz"):
        invrender.write(tmp_path / "field.vti", made())
    broken = LearnedField(made().field, {**made().params, "bias_0": torch.full((16,), torch.inf)})
    with pytest.raises(InputError, match="NaN or infinite"):
        invrender.write(tmp_path / "field.npz", broken)
    assert not any(tmp_path.iterdir())
