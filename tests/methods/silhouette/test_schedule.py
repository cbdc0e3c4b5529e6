"""Reconstruction from masks: quality, frames, starts, and the hull where refinement is worse."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.geometry.connectivity import components, genus, is_watertight
from invrender.geometry.intersections import self_intersections
from invrender.methods.silhouette import schedule as silhouette
from invrender.methods.silhouette.refine import Stage
from invrender.methods.silhouette.schedule import Plan, Result, plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.methods.silhouette.target import Target
from invrender.nouns import Cameras, Mesh, Views
from invrender.nouns.coverage import in_bytes
from invrender.samples import SAMPLES
from invrender.solve.loop import Loop, Step

QUICK = SilhouetteSettings(Path(), iterations=60, smoothness=1.0, edge_pixels=4.0, hull_resolution=32)


@pytest.fixture(scope="module")
def views(egg, views_of):
    return views_of(egg, 9, 48)


def solve(
    views: Views, settings: SilhouetteSettings, backend, initial: Mesh | None = None
) -> tuple[list[Step], Result]:
    schedule = Plan(views, settings, backend, first_shape(views, settings, backend, initial))
    loop = Loop(schedule.following)
    return list(loop), schedule.result(loop.state.finished)


def test_masks_in_bytes_end_in_the_same_shape(views, backend):
    _, floats = solve(views, QUICK, backend)
    _, kept = solve(dataclasses.replace(views, masks=in_bytes(views.masks)), QUICK, backend)
    assert kept.iou == pytest.approx(floats.iou, abs=2e-3)
    assert distance(kept.mesh) == pytest.approx(distance(floats.mesh), rel=0.1)


def distance(mesh: Mesh, half: tuple[float, float, float] = (0.6, 0.9, 0.7)) -> float:
    """Mean distance of the vertices from an ellipsoid, to first order."""
    scaled = mesh.numpy()[0] / np.array(half)
    length = np.linalg.norm(scaled, axis=1)
    gradient = np.linalg.norm(scaled / np.array(half), axis=1) / length
    return float((np.abs(length - 1) / gradient).mean())


def test_edges_follow_pixels_and_fairing_does_not(views):
    """Creases of a hull are as wide as views are few: small pixels get a stage more, on triangles of their size."""
    settings = SilhouetteSettings(Path(), iterations=400)
    stages = {}
    for pixel in (0.01, 0.001):
        target = Target(torch.zeros(2, 4, 4), views.masks[:2], torch.full((2,), pixel, dtype=torch.float64))
        stages[pixel] = plan(settings, target)
        assert stages[pixel][-1].edge_length == pytest.approx(settings.edge_pixels * pixel)
        assert sum(stage.iterations for stage in stages[pixel]) == 400
    assert (len(stages[0.01]), len(stages[0.001])) == (3, 4)
    assert stages[0.001][-1].fairing is None
    assert min(stage.edge_length for stage in stages[0.001] if stage.fairing) > 2 * stages[0.001][-1].edge_length


def test_refinement_beats_the_hull_it_starts_from(views, backend):
    steps, refined = solve(views, QUICK, backend)
    _, hull = solve(views, dataclasses.replace(QUICK, iterations=0), backend)
    assert (refined.method, hull.method) == ("refined", "hull")
    assert len(steps) == 60
    assert refined.iou > 0.97
    assert hull.iou == pytest.approx(refined.hull_iou)
    assert distance(refined.mesh) < 0.7 * distance(hull.mesh)
    for result in (refined, hull):
        vertices, faces = result.mesh.numpy()
        assert is_watertight(faces)
        assert (genus(faces), components(faces).max(), len(self_intersections(vertices, faces))) == (0, 0, 0)
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        assert (np.cross(a, b) * c).sum() > 0  # outward


def test_without_a_strength_one_is_chosen_by_views_left_out(views, backend, monkeypatch):
    monkeypatch.setattr(silhouette, "TRIAL_HULL", 20)
    steps, result = solve(views, dataclasses.replace(QUICK, smoothness=None, iterations=9, hull_resolution=24), backend)
    assert result.choice is not None
    assert result.strength == result.choice.strength
    titles = [title for title, _ in itertools.groupby(step.phase.title for step in steps)]
    assert titles[-1] == "refine"
    assert list(dict.fromkeys(titles[:-1])) == [f"try smoothness {strength:g}" for strength in result.choice.scores]
    assert {(step.phase.title == "refine", step.phase.recorded) for step in steps} == {(True, True), (False, False)}
    assert all(0 <= step.index < step.total for step in steps)


def test_too_few_views_are_reconstructed_without_a_choice(views, backend):
    few = Views(views.cameras[[0, 2, 5, 7]], views.masks[[0, 2, 5, 7]])
    _, result = solve(few, dataclasses.replace(QUICK, smoothness=None, iterations=12), backend)
    assert result.choice is None
    assert result.strength == 1.0


def test_the_hull_is_kept_where_refinement_spoils_the_fit(views, backend):
    """A membrane so strong that the object collapses."""
    _, result = solve(views, dataclasses.replace(QUICK, smoothness=3000.0), backend)
    assert result.method == "hull"
    assert result.iou == pytest.approx(result.hull_iou, abs=1e-3)


def test_thin_parts_do_not_speak_for_the_hull(views_of, backend, monkeypatch):
    """Triangles of trials are too large for legs and arms, which a hull of fine cells has."""
    monkeypatch.setattr(silhouette, "STRENGTHS", (1.0,))
    views = views_of(SAMPLES["figure"](), 12, 128)
    settings = SilhouetteSettings(Path())
    trials = Plan(views, settings, backend, first_shape(views, settings, backend)).trials
    loop = Loop(trials.following)
    list(loop)
    assert trials.choice(loop.state.finished).refinement_helps


def test_a_sphere_or_a_mesh_may_be_the_start(views, backend, egg):
    ball_first = dataclasses.replace(QUICK, init="sphere", iterations=100, rate=0.05)
    assert solve(views, ball_first, backend)[1].iou > 0.9
    vertices, faces = egg.numpy()
    _, given = solve(views, QUICK, backend, Mesh.from_numpy(0.9 * vertices, faces))
    assert given.iou > 0.97
    assert given.method == "refined"


def test_an_open_mesh_is_no_start(views, backend, egg):
    vertices, faces = egg.numpy()
    with pytest.raises(InputError, match="not a closed manifold") as error:
        first_shape(views, QUICK, backend, Mesh.from_numpy(vertices, faces[5:]))
    assert "--init hull" in error.value.remedy


@pytest.fixture(scope="module")
def short(views, backend) -> tuple[SilhouetteSettings, Result]:
    settings = dataclasses.replace(QUICK, iterations=9, hull_resolution=24)
    return settings, solve(views, settings, backend)[1]


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 1e6), (1e-6, 0.0), (1e6, -1e8)])
def test_the_frame_and_its_units_come_back(views, backend, short, scale, offset):
    cameras = views.cameras
    place = torch.linalg.inv(cameras.world_to_camera)
    place[:, :3, 3] = place[:, :3, 3] * scale + offset
    projection = cameras.projection.clone()
    projection[:, 2, 3] *= scale  # near and far move along
    moved = Views(Cameras(torch.linalg.inv(place), projection, cameras.size), views.masks)
    settings, here = short
    _, there = solve(moved, settings, backend)
    assert there.iou == pytest.approx(here.iou, abs=5e-3)
    back = (there.mesh.numpy()[0] - offset) / scale
    assert back.min(0) == pytest.approx(here.mesh.numpy()[0].min(0), abs=0.01)
    assert back.max(0) == pytest.approx(here.mesh.numpy()[0].max(0), abs=0.01)


def test_the_same_call_gives_the_same_mesh(views, backend, short):
    settings, one = short
    _, two = solve(views, settings, backend)
    assert torch.equal(one.mesh.vertices, two.mesh.vertices)
    assert torch.equal(one.mesh.faces, two.mesh.faces)


@pytest.mark.parametrize("init", ["hull", "sphere"])
@pytest.mark.parametrize("iterations", [0, 1, 2, 50, 451])
def test_stages_share_all_iterations_and_get_finer(views, backend, init, iterations):
    settings = dataclasses.replace(QUICK, init=init, iterations=iterations)
    stages = plan(settings, first_shape(views, settings, backend).target)
    assert sum(stage.iterations for stage in stages) == iterations
    for name in ("edge_length", "rate", "membrane"):
        values = [getattr(stage, name) for stage in stages]
        assert values == sorted(values, reverse=True)
    assert all(isinstance(stage, Stage) and stage.iterations > 0 for stage in stages)
