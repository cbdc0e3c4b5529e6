"""Phantoms of visual hulls go, real parts stay, however small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from invrender.geometry.connectivity import components
from invrender.methods.silhouette.phantoms import without_phantoms
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.methods.silhouette.target import Shape, target_in
from invrender.nouns import Mesh
from invrender.parameters.frame import frame_of

BIG, SMALL, HIDDEN = ((-0.5, 0.0, 0.0), 0.35), ((0.6, 0.2, 0.1), 0.08), ((-0.5, 0.05, 0.0), 0.1)


@pytest.fixture(scope="module")
def balls(egg):
    """Several balls, (centre, radius) each, as one mesh."""
    vertices, faces = egg.numpy()
    unit = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)

    def make(*parts: tuple[tuple[float, float, float], float]) -> Mesh:
        points = [radius * unit + np.array(centre) for centre, radius in parts]
        return Mesh.from_numpy(
            np.concatenate(points), np.concatenate([faces + k * len(unit) for k in range(len(parts))])
        )

    return make


def parts(shape: Shape) -> int:
    return int(components(shape.faces).max()) + 1


def test_a_part_that_no_mask_needs_is_dropped_and_a_small_real_one_stays(balls, views_of, backend):
    views = views_of(balls(BIG, SMALL), 6, 64)
    shape = balls(BIG, SMALL, HIDDEN).numpy()
    frame = frame_of(balls(BIG, SMALL).numpy()[0])
    target = target_in(frame, views, backend)
    cleaned = without_phantoms(Shape(frame.normalise(shape[0]), shape[1]), target, backend)
    expected = balls(BIG, SMALL).numpy()
    assert np.allclose(frame.restore(cleaned.vertices), expected[0])
    assert np.array_equal(cleaned.faces, expected[1])


def test_one_part_always_stays(balls, views_of, backend):
    mesh = balls(BIG)
    target = target_in(frame_of(mesh.numpy()[0]), views_of(mesh, 4, 32), backend)
    vertices, faces = balls(HIDDEN).numpy()
    shape = Shape(vertices + 50.0, faces)  # seen by nobody
    assert parts(without_phantoms(shape, target, backend)) == 1
    both = Shape(np.concatenate([vertices + 50.0, vertices - 50.0]), np.concatenate([faces, faces + len(vertices)]))
    assert parts(without_phantoms(both, target, backend)) == 1


def test_the_hull_of_two_parts_from_few_views_has_two_parts(balls, views_of, backend):
    """Three views of two balls give four crossings of their cones."""
    two = balls(((-0.6, 0.0, 0.0), 0.3), ((0.6, 0.05, 0.0), 0.3))
    views = views_of(two, 3, 64)
    assert parts(first_shape(views, SilhouetteSettings(Path(), hull_resolution=48), backend).shape) == 2
