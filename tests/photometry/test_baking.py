"""Textures from photographs of a painted ball."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.photometry.atlas import spread, texels, texture_size, unwrap
from invrender.photometry.baking import textured, vertex_colours
from invrender.shading.texture import sample_texture
from tests.photometry.painted_ball import ball, painted, taken


def test_a_texture_holds_what_was_painted() -> None:
    vertices, faces = (part.numpy() for part in ball(3))
    mesh = textured(vertices, faces, taken(8), select("cpu"), 256)
    assert mesh.uv is not None
    assert mesh.material.texture is not None
    corners, at = mesh.vertices[mesh.faces].mean(1), mesh.uv[mesh.faces].mean(1)
    error = (sample_texture(mesh.material.texture, at.float()) - painted(torch.nn.functional.normalize(corners))).abs()
    assert float(error.quantile(0.9)) < 0.02
    assert float(error.mean()) < 0.01


def test_vertex_colours_hold_what_was_painted() -> None:
    vertices, faces = (part.numpy() for part in ball(4))
    coded = vertex_colours(vertices, faces, taken(8), select("cpu"))
    linear = torch.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    assert float((linear - painted(torch.from_numpy(vertices))).abs().quantile(0.9)) < 0.02


def test_texels_lie_on_the_surface_and_charts_do_not_overlap() -> None:
    vertices, faces = ball(3)
    atlas = unwrap(vertices.numpy(), faces.numpy(), 128)
    inside, points = texels(atlas, vertices, 128, select("cpu"))
    assert bool((points.norm(dim=1) > 0.98).all())
    assert float(inside.float().mean()) > 0.4
    assert bool(((atlas.uv >= 0) & (atlas.uv <= 1)).all())
    assert torch.equal(atlas.source[atlas.faces], faces)
    a, b, c = (atlas.uv[atlas.faces[:, k]] for k in range(3))
    area = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).abs().sum() / 2
    assert float(inside.double().mean()) == pytest.approx(float(area), rel=0.03)


def test_the_size_follows_the_width_of_a_texel() -> None:
    vertices, faces = (part.numpy() for part in ball(3))
    assert texture_size(vertices, faces, 0.02) == 256
    assert texture_size(vertices, faces, 1e-9) == 4096
    assert texture_size(vertices, faces, 10.0) == 64


def test_seams_are_padded_with_the_nearest_colour() -> None:
    texture, known = torch.zeros(8, 8, 1), torch.zeros(8, 8, dtype=torch.bool)
    texture[:, 2], known[:, 2] = 1.0, True
    texture[:, 6], known[:, 6] = 2.0, True
    assert np.array_equal(spread(texture, known)[3, :, 0].numpy(), [1, 1, 1, 1, 1, 2, 2, 2])
