"""Reconstruction from masks of which pixels are unknown, and in a box."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.methods.silhouette.phantoms import without_phantoms
from invrender.methods.silhouette.schedule import Plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.methods.silhouette.target import ious_with, on_contours
from invrender.solve.loop import Loop

QUICK = SilhouetteSettings(Path(), iterations=45, smoothness=1.0, edge_pixels=4.0, hull_resolution=32)


@pytest.fixture(scope="module")
def views(egg, views_of):
    return views_of(egg, 12, 48, "sphere")


def half_known(views):
    """A third of the pictures say nothing of their upper half, where their masks are wrong."""
    masks, confidence = views.masks.clone(), torch.ones_like(views.masks)
    masks[::3, :24], confidence[::3, :24] = 0, 0
    return dataclasses.replace(views, masks=masks, confidence=confidence)


def mesh_of(views, backend):
    plan = Plan(views, QUICK, backend, first_shape(views, QUICK, backend))
    loop = Loop(plan.following)
    assert len(list(loop)) == 45
    return plan.result(loop.state.finished)


def test_what_is_unknown_does_not_pull_at_the_mesh(views, backend):
    result = mesh_of(half_known(views), backend)
    assert result.method == "refined"
    assert result.iou > 0.97
    scaled = result.mesh.numpy()[0] / np.array([0.6, 0.9, 0.7])
    assert np.abs(np.linalg.norm(scaled, axis=1) - 1).mean() < 0.03
    assert mesh_of(dataclasses.replace(half_known(views), confidence=None), backend).iou < 0.95


def test_every_question_of_the_target_leaves_out_what_is_unknown(views, backend):
    first = first_shape(half_known(views), QUICK, backend)
    assert float(ious_with(first.shape, first.target, backend).min()) > 0.9
    assert on_contours(first.shape, first.target, backend).any()
    blank = dataclasses.replace(first.target, confidence=torch.zeros_like(first.target.masks))
    assert not on_contours(first.shape, blank, backend).any()
    assert len(without_phantoms(first.shape, first.target, backend).faces) == len(first.shape.faces)
    assert first.target[[0, 2]].confidence.shape == (2, 48, 48)


def test_the_first_shape_ends_at_the_box_and_says_so(views, backend, caplog):
    box = torch.tensor([[-2.0, -2, -2], [2.0, 0.25, 2]]).double()
    first = first_shape(dataclasses.replace(views, bounds=box), QUICK, backend)
    assert first.frame.restore(first.shape.vertices)[:, 1].max() == pytest.approx(0.25, abs=0.01)
    assert "ends at the box of the object (+y)" in caplog.text
    caplog.clear()
    first_shape(dataclasses.replace(views, bounds=torch.tensor([[-2.0, -2, -2], [2.0, 2, 2]])), QUICK, backend)
    assert not caplog.text
