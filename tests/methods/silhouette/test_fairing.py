"""Fairing: zigzag goes, long waves and vertices on contours stay, and nothing is put on where that is not wanted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from invrender.geometry.connectivity import unique_edges
from invrender.geometry.intersections import self_intersections
from invrender.geometry.remesh import remesh
from invrender.methods.silhouette.fairing import Fairing, faired
from invrender.methods.silhouette.refine import Stage
from invrender.methods.silhouette.schedule import plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.target import Shape, on_contours, target_in
from invrender.nouns import Mesh
from invrender.parameters.frame import frame_of

BOTH_WAYS = Fairing(wavelength=8.0, hold=3.0, outward=1.0)
EDGE = 0.09
NOBODY = slice(0, 0)


@pytest.fixture(scope="module")
def ball(egg):
    """An isotropic unit sphere with edges of EDGE."""
    vertices, faces = egg.numpy()
    vertices, faces = remesh(vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces, EDGE)
    return vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces


def held(count, which=NOBODY):
    mask = np.zeros(count, bool)
    mask[which] = True
    return mask


def zigzag(vertices, depth=0.02, seed=0):
    """Radii [V,1] that jump from vertex to vertex."""
    return 1 + depth * np.random.default_rng(seed).choice([-1.0, 1.0], (len(vertices), 1))


def roughness(vertices, faces):
    """Mean step of the radius along edges."""
    a, b = unique_edges(faces).T
    radius = np.linalg.norm(vertices, axis=1)
    return float(np.abs(radius[a] - radius[b]).mean())


def off_the_wave(vertices, amplitude):
    """How far vertices are off the sphere with a wave as long as itself, wherever they slid along it: [V]."""
    radius = np.linalg.norm(vertices, axis=1)
    x, y, _ = vertices.T / radius
    return np.abs(radius - (1 + amplitude * x * y))


def test_zigzag_goes_and_long_waves_stay(ball):
    vertices, faces = ball
    long_wave = vertices * (1 + 0.1 * vertices[:, :1] * vertices[:, 1:2])
    rough = long_wave * zigzag(vertices)
    assert off_the_wave(rough, 0.1).mean() == pytest.approx(0.02, abs=0.001)
    assert off_the_wave(faired(long_wave, faces, held(len(rough)), BOTH_WAYS), 0.1).mean() < 0.003
    assert off_the_wave(faired(rough, faces, held(len(rough)), BOTH_WAYS), 0.1).mean() < 0.008


def test_a_longer_wavelength_takes_more(ball):
    vertices, faces = ball
    wave = vertices * (1 + 0.03 * np.sin(2 * np.pi * vertices[:, :1] / (8 * EDGE)))
    moved = [
        np.abs(faired(wave, faces, held(len(wave)), Fairing(length, 3.0, 1.0)) - wave).mean()
        for length in (4.0, 8.0, 16.0)
    ]
    assert moved[0] < 0.3 * moved[1] < 0.25 * moved[2]


def test_vertices_on_contours_are_held(ball):
    vertices, faces = ball
    rough = vertices * zigzag(vertices)
    northern = held(len(rough), vertices[:, 1] > 0)
    moved = np.linalg.norm(faired(rough, faces, northern, BOTH_WAYS) - rough, axis=1)
    assert moved[northern].mean() < 0.5 * moved[~northern].mean()


def test_what_leads_outward_is_left_out(ball):
    """Zigzag on a sphere: its points are cut, its notches are not filled."""
    vertices, faces = ball
    rough = vertices * zigzag(vertices)
    points = np.linalg.norm(rough, axis=1) > 1
    both, inward = (
        np.linalg.norm(faired(rough, faces, held(len(rough)), Fairing(8.0, 3.0, outward)), axis=1)
        for outward in (1.0, 0.0)
    )
    assert both[~points].mean() > 0.99
    assert inward[~points].mean() == pytest.approx(0.98, abs=0.002)
    assert inward[points].mean() == pytest.approx(both[points].mean(), abs=0.005)


def test_vertices_on_contours_are_those_of_an_outline(ball, views_of, backend):
    """One view of a sphere from azimuth 0 at 10 degrees: a narrow ring across its direction, a bit towards it."""
    vertices, faces = ball
    views = views_of(Mesh.from_numpy(vertices, faces), 1)
    shape = Shape(frame_of(vertices).normalise(vertices), faces)
    outline = on_contours(shape, target_in(frame_of(vertices), views, backend), backend)
    eye = views.cameras.position[0].numpy()
    towards = vertices @ (eye / np.linalg.norm(eye))
    assert 0.02 < outline.mean() < 0.2
    assert np.abs(towards[outline] - 1 / np.linalg.norm(eye)).max() < 1.5 * EDGE


def test_a_stage_that_begins_with_fairing_ends_smoother_and_embedded(ball, views_of, egg, backend, refined):
    """A rough egg seen from the side: where no view looks, only fairing takes the zigzag away."""
    frame = frame_of(egg.numpy()[0])
    target = target_in(frame, views_of(egg), backend)
    axes = np.array([0.6, 0.9, 0.7])
    rough = Shape(frame.normalise(ball[0] * zigzag(ball[0], 0.04) * axes), ball[1])
    stage = Stage(iterations=30, edge_length=EDGE, rate=0.01, membrane=0.05)

    def end(fairing):
        *_, last = refined(rough, target, [dataclasses.replace(stage, fairing=fairing)], ready=True)
        return last

    plain, fair = end(None), end(BOTH_WAYS)
    left = [roughness(frame.restore(step.estimate.vertices) / axes, ball[1]) for step in (plain, fair)]
    assert left[1] < 0.4 * left[0]
    assert fair.terms["iou"] > plain.terms["iou"] - 0.005
    assert not len(self_intersections(fair.estimate.vertices, ball[1]))


def test_hulls_are_faired_and_other_beginnings_are_not(egg, views_of, backend):
    target = target_in(frame_of(egg.numpy()[0]), views_of(egg), backend)

    def fairings(init):
        return [stage.fairing for stage in plan(SilhouetteSettings(Path(), init=init), target)]

    assert all(fairings("hull"))
    assert not any(fairings("sphere"))
    assert not any(fairings("statue.obj"))
