"""Colours fitted to photographs: a mesh whose colours are known gives them back, seen from where no photograph was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.errors import InputError
from invrender.nouns import Cameras, Views
from invrender.nouns.colours import linear
from invrender.parameters.frame import Frame
from invrender.photometry.photos import EachPhoto, Photos, photos_in
from invrender.photometry.view_dependent import colours_towards, directional, fitted_colours, picture

Tensor = torch.Tensor
BACKEND = select("cpu", needs=("meshes",))
SIZE = (40, 40)


def ball() -> tuple[Tensor, Tensor]:
    mesh = trimesh.creation.icosphere(3)
    return torch.tensor(mesh.vertices) * 0.9, torch.tensor(mesh.faces, dtype=torch.int64)


def glossy(vertices: Tensor) -> Tensor:
    """Smooth colours of which red depends on the direction."""
    coefficients = torch.zeros(len(vertices), 4, 3)
    coefficients[:, 0] = 0.5 + 0.3 * torch.sin(2 * vertices.float())
    coefficients[:, 1, 0] = 0.15
    return coefficients


def shown(photos: Photos, coefficients: Tensor, view: int) -> tuple[Tensor, Tensor]:
    return picture(*ball(), coefficients, photos.clip_from_object[view], photos.eye[view], SIZE, BACKEND)


def photographs(count: int) -> Photos:
    """Of the glossy ball, from all around."""
    eye = 3 * fibonacci(count)
    cameras = Cameras(look_at(eye, (0.0, 0.0, 0.0)), perspective(45.0, SIZE, 0.1, 9.0).repeat(count, 1, 1), SIZE)
    blank = Views(cameras, torch.ones(count, *SIZE), torch.zeros(count, *SIZE, 3))
    photos = photos_in(Frame(torch.zeros(3).double().numpy(), 1.0), blank)
    colours = glossy(ball()[0])
    images, masks = (torch.stack(each) for each in zip(*(shown(photos, colours, i) for i in range(count)), strict=True))
    return replace(photos, images=images, masks=masks)


def error(coefficients: Tensor, unseen: Photos) -> float:
    drawn = torch.stack([shown(unseen, coefficients, i)[0] for i in range(len(unseen))])
    return float((drawn - unseen.images).square().mean().sqrt())


def test_colours_that_depend_on_direction_predict_unseen_views() -> None:
    photos, unseen = photographs(30), photographs(7)
    vertices, faces = ball()
    plain, full = (fitted_colours(vertices, faces, photos, k, BACKEND, ridge=0.01) for k in (1, 4))
    assert full.shape == (len(vertices), 4, 3)
    assert error(full, unseen) < 0.01
    assert error(plain, unseen) > 3 * error(full, unseen)


def test_a_photograph_of_something_else_is_outvoted() -> None:
    photos, unseen = photographs(30), photographs(7)
    photos.images[3] = 1.0 - photos.images[3]
    vertices, faces = ball()
    assert error(fitted_colours(vertices, faces, photos, 4, BACKEND, ridge=0.01), unseen) < 0.02


def test_a_colour_seen_along_an_axis() -> None:
    coefficients = torch.zeros(1, 4, 3)
    coefficients[0, 0], coefficients[0, 3, 1] = 0.5, 0.25  # green changes along z
    assert colours_towards(coefficients, torch.tensor([[0.0, 0, -1]])).tolist() == [[0.5, 0.25, 0.5]]
    assert directional(torch.tensor([0.0, 0, 1.0]), 9).tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 2]


def test_photographs_that_show_nothing_are_refused() -> None:
    photos = photographs(4)
    nothing = replace(photos, masks=0 * photos.masks)
    with pytest.raises(InputError, match="no photograph shows"):
        fitted_colours(*ball(), nothing, 1, BACKEND)


def test_views_in_bytes_are_fitted_as_those_in_floats_one_at_a_time() -> None:
    photos = photographs(8)
    stored = (photos.images * 255).round().to(torch.uint8)
    frame = Frame(torch.zeros(3).double().numpy(), 1.0)
    eye = 3 * fibonacci(8)
    cameras = Cameras(look_at(eye, (0.0, 0.0, 0.0)), perspective(45.0, SIZE, 0.1, 9.0).repeat(8, 1, 1), SIZE)
    views = Views(cameras, (photos.masks * 255).to(torch.uint8), stored)
    floats = photos_in(frame, replace(views, masks=photos.masks, images=linear(stored)))
    one, other = (fitted_colours(*ball(), each, 1, BACKEND) for each in (EachPhoto(frame, views), floats))
    assert float((one - other).abs().max()) < 1e-5
    assert all(len(photo) == 1 for photo in EachPhoto(frame, views))
