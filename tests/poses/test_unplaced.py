"""Why pictures have no camera, and which pairs are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from invrender.poses.pairs import alike, neighbours
from invrender.poses.unplaced import Evidence, reasons
from tests.poses.made import made_model, ring


def _evidence(count=8):
    pictures = made_model(ring(count), np.zeros((1, 3))).pictures
    files = [picture.file for picture in pictures]

    def pair(i, j):
        return frozenset((files[i], files[j]))

    matches = {pair(0, 1): 90, pair(1, 2): 80, pair(2, 3): 21, pair(4, 5): 60}
    blurred = replace(pictures[3], sharpness=3.0)
    return Evidence(
        [*pictures[:3], blurred, *pictures[4:]],
        {file: 12 if i == 6 else 800 for i, file in enumerate(files)},
        matches,
        [set(files[:3]), set(files[4:6])],
    )


def test_each_picture_has_its_own_reason():
    found = reasons(_evidence())
    assert set(found) == {f"view_{i:02d}.png" for i in range(3, 8)}
    assert found["view_03.png"] == "blurred; too few matches with the placed pictures: at most 21, with view_02.png"
    assert "group of 2 pictures" in found["view_04.png"]
    assert "only 12 features" in found["view_06.png"]
    assert "no overlap" in found["view_07.png"]


def test_a_picture_that_contradicts_masks():
    evidence = _evidence()
    found = reasons(replace(evidence, contradicting=frozenset({"000007.png"})))
    assert "masks of other pictures" in found["view_07.png"]


def test_neighbours_by_name():
    pairs = neighbours(300)
    assert {(0, 1), (0, 10), (0, 16), (0, 256), (289, 299)} <= pairs
    assert (0, 11) not in pairs


def test_those_that_look_alike_find_each_other():
    random = np.random.default_rng(0)
    things = random.integers(0, 256, (4, 60, 128))
    features = [np.clip(things[i % 4] + random.integers(-9, 10, (60, 128)), 0, 255).astype(np.uint8) for i in range(12)]
    pairs = alike(features, seed=0, most=2)
    assert pairs == {(i, j) for i in range(12) for j in range(i + 1, 12) if i % 4 == j % 4}
