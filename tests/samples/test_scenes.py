"""The sample scenes: files that say what they show, with nothing wrong in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from invrender.evaluate.scene_facts import SceneFacts, scene_facts
from invrender.io.scenes.read import read_described
from invrender.nouns import Mesh
from invrender.render.volume_scene import axis_depths
from invrender.samples import SCENES, describe
from invrender.samples.scenes import write_scene_sample
from invrender.samples.tree import bark, leaves

HOLDS = {
    "lit-tree": (("bark", "leaves", "meadow"), ("lamp", "sky"), {"diffuse", "highlighted"}),
    "cornell-box": (
        ("ball", "lamp", "floor", "ceiling", "back", "left", "right", "housing", "block"),
        (),
        {"diffuse", "highlighted"},
    ),
    "table-top": (
        ("pot", "glass ball", "silver ball", "marble", "lamp", "board", "table"),
        (),
        {"diffuse", "highlighted", "dielectric", "mirror", "metallic-roughness"},
    ),
    "summer-cloud": ((), ("sun",), set()),
}


def test_every_scene_is_listed_here() -> None:
    assert set(HOLDS) == set(SCENES)
    assert all(describe(name).endswith(".") for name in SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_scenes_hold_what_they_promise(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    files = write_scene_sample(tmp_path / "mine.toml", SCENES[name]())
    assert all(file.is_file() and file.name.startswith("mine") for file in files)
    facts: SceneFacts = scene_facts(read_described(files[0]))
    things, lights, kinds = HOLDS[name]
    assert tuple(body.name for body in facts.bodies) == things
    assert tuple(facts.lights) == lights
    assert {material["kind"] for material in facts.materials.values()} == kinds
    assert "front" in facts.cameras
    assert not facts.findings and not caplog.records
    lamps = {body.material for body in facts.bodies if "Ke" in facts.materials[body.material]}
    assert bool(lights) != bool(lamps)


def test_the_cloud_is_opaque_and_stays_off_the_border_of_its_box() -> None:
    extinction = SCENES["summer-cloud"]().volumes["cumulus"]
    values = extinction.values[0].clone()
    assert float(values.max()) == 1 and float(values.min()) == 0
    assert min(axis_depths(extinction))[0] * 2 * 30 > 10  # in a box two wide, with the extinction of the scene
    values[1:-1, 1:-1, 1:-1] = 0
    assert not values.any()


@cache
def tree() -> tuple[Mesh, Mesh]:
    """Its wood and its leaves."""
    return bark(), leaves()


def test_the_tree_stands_on_the_ground_and_is_the_same_every_time() -> None:
    wood, green = tree()
    body = trimesh.Trimesh(*wood.numpy(), process=False)
    assert body.is_watertight and body.is_winding_consistent
    assert body.volume > 0
    assert body.bounds[0, 1] == pytest.approx(0, abs=0.05)
    assert 3 < body.bounds[1, 1] < 5
    again = bark().numpy(), leaves().numpy()
    assert all(np.array_equal(a, b) for a, b in zip(again[0] + again[1], wood.numpy() + green.numpy(), strict=True))


def test_leaves_grow_on_twigs() -> None:
    wood, green = tree()
    vertices, faces = green.numpy()
    assert trimesh.Trimesh(vertices, faces, process=False).area_faces.min() > 1e-4
    stems = vertices[::4]
    points = wood.numpy()[0]
    assert cKDTree(points).query(stems)[0].max() < 0.25
    assert stems[:, 1].min() > 0.8  # none on the trunk
