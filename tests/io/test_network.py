"""Networks as files: what is written comes back, and what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from invrender.errors import InputError
from invrender.io.assets import NETWORK as NAME
from invrender.io.network import read_network, write_network
from invrender.networks.names import Architecture, parameters
from invrender.nouns.stage import Stage

PLAN = Architecture("conv-deconv-apart", 0.03, (4, 24, 16, 32), (16, 32, 3), "srgb", Stage(fov=40, ground=None))


def written(folder: Path, plan: Architecture = PLAN) -> Path:
    write_network(folder / NAME, plan, parameters(plan.build(3)))
    return folder


@pytest.mark.parametrize("plan", [PLAN, Architecture("slices", 6, (1, 16, 16, 16), (20, 20, 1), "linear", None)])
def test_a_network_comes_back_as_it_was(plan: Architecture, tmp_path: Path) -> None:
    folder, voxels = written(tmp_path, plan), torch.rand(2, *plan.voxels)
    for source in (folder, folder / NAME, str(folder)):
        found = read_network(source)
        assert found.architecture == plan
        assert bool((found.pictures(voxels) == plan.build(3)(voxels).permute(0, 2, 3, 1)).all())
        assert not any(weights.requires_grad for weights in found.module.parameters())


def test_the_file_tells_other_programs_what_it_is(tmp_path: Path) -> None:
    header = written(tmp_path).joinpath(NAME).read_bytes()
    length = int.from_bytes(header[:8], "little")
    about = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["invrender"])
    assert about["network"] == "conv-deconv-apart"
    assert about["voxels"] == [4, 24, 16, 32]
    assert about["stage"]["fov"] == 40


def test_voxels_of_another_shape_are_refused(tmp_path: Path) -> None:
    network = read_network(written(tmp_path))
    with pytest.raises(InputError, match="4 x 24 x 16 x 32, and these are 1 x 24 x 16 x 32"):
        network.pictures(torch.zeros(1, 1, 24, 16, 32))


@pytest.mark.parametrize("left", [0, 5, 300, -1])
def test_a_file_cut_short_is_refused(left: int, tmp_path: Path) -> None:
    file = written(tmp_path) / NAME
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match="damaged"):
        read_network(file)


def rewritten(folder: Path, weights: dict[str, torch.Tensor] | None = None, **changes: object) -> Path:
    file = written(folder) / NAME
    content = file.read_bytes()
    about = json.loads(json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["invrender"])
    told = json.dumps({**about, **changes})
    save_file(load_file(file) if weights is None else weights, file, {"invrender": told})
    return file


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "another"}, "no network of invrender"),
        ({"version": 2}, "of version 2"),
        ({"version": "two"}, "damaged"),
        ({"network": "resnet"}, "resnet"),
        ({"width": float("nan")}, "width"),
        ({"width": 0.05}, "not those of its network"),
        ({"voxels": [1, 2]}, "no shape"),
        ({"voxels": None}, "damaged"),
        ({"stage": {}}, "is missing"),
        ({"pictures": [16, 32, 99999]}, "no shape"),
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read_network(rewritten(tmp_path, **changes))


def test_weights_of_another_network_or_none_are_refused(tmp_path: Path) -> None:
    weights = parameters(PLAN.build(3))
    first = next(iter(weights))
    for odd in (
        {name: value for name, value in weights.items() if name != first},
        {**weights, first: weights[first][:1]},
        {**weights, first: torch.full_like(weights[first], float("nan"))},
        {**weights, "more": torch.zeros(3)},
    ):
        with pytest.raises(InputError, match="damaged"):
            read_network(rewritten(tmp_path, {name: value.contiguous() for name, value in odd.items()}))


def test_a_folder_or_file_without_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no network"):
        read_network(tmp_path)
    with pytest.raises(InputError, match="no file"):
        read_network(tmp_path / "other.safetensors")


def test_weights_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    weights = {name: value / 0 for name, value in parameters(PLAN.build()).items()}
    with pytest.raises(InputError, match="NaN"):
        write_network(tmp_path / NAME, PLAN, weights)
    assert not list(tmp_path.iterdir())
