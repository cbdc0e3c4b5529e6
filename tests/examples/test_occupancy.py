"""An object from pictures with shadows, through a network that has learnt for seconds."""

from __future__ import annotations

import re
from pathlib import Path

import invrender
from invrender.cli.app import run
from tests.examples.conftest import Example

SCENES = ("--count", "110", "--split", "0.88,0.06,0.06", "--resolution", "32", "--size", "32", "--processes", "1")


def test_a_network_finds_an_object_that_marching_and_a_threshold_do_not(example: Example, tmp_path: Path) -> None:
    data, model = str(tmp_path / "data"), str(tmp_path / "run")
    assert run(["dataset", "make", "primitives", "-o", data, *SCENES, "-q"]) == 0
    assert run(["train", data, "-o", model, "--iterations", "900", "--width", "12", "-q", "--set", "gif_frames=0"]) == 0
    told = [float(number) for number in re.findall(r"\d\.\d+", example("occupancy", model, "blobby", "found.npz", 60))]
    through, _, densities = told
    assert through > 0.3
    assert through > densities + 0.1
    found = invrender.read(tmp_path / "found.npz")
    assert isinstance(found, invrender.Volume)
    assert 0.03 < float(found.values.mean()) < 0.6
