"""The score of a surface by predicting photographs from each other."""

from __future__ import annotations

import dataclasses
import math

from invrender.backends import select
from invrender.photometry.score import predicted
from tests.photometry.painted_ball import ball, taken


def test_the_true_surface_predicts_best() -> None:
    vertices, faces = ball(3)
    photos = taken(12)
    scores = [predicted(s * vertices.numpy(), faces.numpy(), photos, select("cpu")) for s in (0.9, 1.0, 1.1)]
    true = scores[1]
    assert true.psnr > max(scores[0].psnr, scores[2].psnr) + 6
    assert true.ssim > 0.95 and true.iou > 0.97
    assert true.value == max(score.value for score in scores)


def test_a_photograph_does_not_predict_itself() -> None:
    """One photograph of another colour is predicted wrongly, however right the surface is."""
    vertices, faces = ball(3)
    photos = taken(12)
    images = photos.images.clone()
    images[4] = 1 - images[4]
    odd = dataclasses.replace(photos, images=images)
    scores = [predicted(vertices.numpy(), faces.numpy(), each, select("cpu")) for each in (photos, odd)]
    assert scores[1].psnr < scores[0].psnr - 1


def test_a_single_photograph_tells_nothing() -> None:
    vertices, faces = ball(2)
    score = predicted(vertices.numpy(), faces.numpy(), taken(1)[[0]], select("cpu"))
    assert math.isnan(score.psnr) and math.isnan(score.ssim)
    assert 0.9 < score.iou < 1.001
