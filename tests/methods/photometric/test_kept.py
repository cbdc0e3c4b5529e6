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
from invrender.methods.silhouette.refine import shape_of
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
    shape, (silhouettes, shade) = ready.shape(finished)
    before = shape_of(earlier[0].result) if silhouettes.kept else ready.first.shape
    assert shade.kept == (score > 0)
    assert np.array_equal(shape.vertices, before.vertices) == (score < 0)
    assert len(ready.look(finished)[1].albedo) == len(shape.vertices)


def test_what_silhouettes_give_and_the_last_phase_are_judged(run):
    assert [SCORE in each.measures for each in run[1]] == [True, False, False, True]


def test_shading_that_predicts_less_than_silhouettes_alone_is_not_kept(run):
    part, (outlines, *later) = run
    best = later[-1].measures[SCORE] + 1
    finished = (dataclasses.replace(outlines, measures={**outlines.measures, SCORE: best}), *later)
    shape, (silhouettes, shade) = part.ready(finished).shape(finished)
    assert silhouettes.kept
    assert not shade.kept
    assert shade.before == best
    assert np.array_equal(shape.vertices, shape_of(outlines.result).vertices)
