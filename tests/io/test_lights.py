"""Light files: what they hold comes back, and every fault is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from invrender.errors import InputError
from invrender.io.lights import read_lights, write_lights
from invrender.nouns import Lights


def read(tmp_path: Path, table: object) -> Lights:
    (tmp_path / "a.json").write_text(json.dumps(table))
    return read_lights(tmp_path / "a.json")


def test_a_file_has_the_light_that_it_names_and_no_other(tmp_path):
    lights = read(
        tmp_path, {"directional": [{"direction": [0, 3, 4]}, {"direction": [1, 0, 0], "intensity": [1, 2, 3]}]}
    )
    assert torch.as_tensor(lights.direction).tolist() == [[0, 3, 4], [1, 0, 0]]
    assert torch.as_tensor(lights.intensity).tolist() == [[1, 1, 1], [1, 2, 3]]
    assert torch.as_tensor(lights.ambient).tolist() == [0, 0, 0]
    assert lights.sh is None
    sky = read(tmp_path, {"sh": [[k, 0, 1] for k in range(9)]})
    assert sky.intensity == 0.0
    assert sky.sh is not None and sky.sh[:, 0].tolist() == list(range(9))
    assert read(tmp_path, {"directional": [{"direction": "camera"}], "ambient": 0.2}).direction is None


@pytest.mark.parametrize(
    "lights",
    [
        Lights(),
        Lights((0.0, 1.0, 2.0), torch.tensor([0.5, 0.25, 1.0]), 0.5),
        Lights(torch.eye(3), torch.rand(3, 3), torch.rand(3), torch.rand(9, 3)),
    ],
)
def test_what_is_written_is_read_back(tmp_path, lights):
    write_lights(tmp_path / "a.json", lights)
    write_lights(tmp_path / "b.json", read_lights(tmp_path / "a.json"))
    again, first = read_lights(tmp_path / "b.json"), read_lights(tmp_path / "a.json")
    for name in ("direction", "intensity", "ambient", "sh"):
        mine, theirs, own = (getattr(each, name) for each in (first, again, lights))
        assert (mine is None) == (theirs is None) == (own is None)
        if mine is not None:
            assert torch.equal(torch.as_tensor(mine), torch.as_tensor(theirs))
            assert torch.allclose(torch.as_tensor(mine).float(), torch.as_tensor(own).float().expand_as(mine))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "holds no light"),
        ({"directonal": []}, "did you mean 'directional'"),
        ({"directional": [{"intensity": 1}]}, "'direction' is not 3 finite numbers"),
        ({"directional": [{"direction": [0, 0, 0]}]}, "direction 0, 0, 0"),
        ({"directional": [{"direction": [0, 1, 0], "color": 1}]}, "'color'"),
        ({"directional": {"direction": [0, 1, 0]}}, "no list of lights"),
        ({"directional": [{"direction": "camera"}, {"direction": [0, 1, 0]}]}, "beside others"),
        ({"ambient": -1}, "'ambient' is negative"),
        ({"ambient": "much"}, "'ambient' is not 3 finite numbers"),
        ({"sh": [[1, 1, 1]] * 4}, "nine rows"),
        ({"sh": [[1, 1, True]] * 9}, "'sh' is not 3 finite numbers"),
        ([1], "no object of fields"),
    ],
)
def test_faults_are_named(tmp_path, table, words):
    with pytest.raises(InputError) as caught:
        read(tmp_path, table)
    assert words in f"{caught.value} {caught.value.remedy}"
