"""A lit result keeps the shape that shading found only where photographs predict one another better on it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from invrender.backends import select
from invrender.methods.photometric.plan import Part
from invrender.methods.photometric.ready import SCORE
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.solve.loop import Loop
from tests.methods.photometric.scene import around, taken


@pytest.fixture(scope="module")
def run():
    """A short reconstruction with its finished phases."""
    settings = PhotometricSettings(input="ball", method="photometric", appearance="lit", effort=0.05)
    part = Part(taken(around(8)), settings, select("cpu"))
    loop = Loop(part.following)
    for _ in loop:
        pass
    return part, loop.state.finished


@pytest.mark.parametrize("score", [math.inf, -math.inf])
def test_shape_and_look_are_those_that_predict_better(run, score):
    part, (*earlier, last) = run
    finished = (*earlier, dataclasses.replace(last, measures={**last.measures, SCORE: score}))
    ready = part.ready(finished)
    shape, (shade,) = ready.shape(finished)
    assert shade.kept == (score > 0)
    assert np.array_equal(shape.vertices, ready.first.shape.vertices) == (score < 0)
    assert len(ready.look(finished)[1].albedo) == len(shape.vertices)


def test_only_the_last_phase_is_judged(run):
    assert [SCORE in each.measures for each in run[1]] == [False, False, True]
