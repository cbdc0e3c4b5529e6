"""Scenes of data sets: voxels and pictures of the same things, under the light that the recipe asks for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.nouns import Mesh
from invrender.nouns.stage import Stage
from invrender.stages.arrange import Body, room, seen
from invrender.stages.draw import drawn, material, shot_of
from invrender.stages.recipe import Recipe
from invrender.stages.scene import Objects, objects, picture_of, sample, voxels_of
from invrender.stages.solids import solid

SMALL = Recipe(resolution=(32, 32, 32), size=(32, 32), count=40)
WHITE = (0.9, 0.9, 0.9)


@pytest.fixture(scope="module")
def backend(open_backend):
    return open_backend("cpu")


def one(kind: str, size: float, at: tuple[float, float, float], colour=WHITE) -> Objects:
    vertices, faces = solid(kind, (1.0, 1.0, 1.0))
    return Objects((Body(vertices * size + np.array(at), faces),), (colour,))


@pytest.mark.parametrize("size", [(32, 32), (32, 48)])
def test_the_column_behind_a_pixel_holds_what_the_pixel_shows(backend, size):
    recipe = replace(SMALL, size=size, resolution=(32, *size), stage=Stage(ground=None))
    found = one("sphere", 0.1, (0.12, 0.08, 0.0))
    column = voxels_of(found, recipe)[0].sum(0) > 0
    mesh = Mesh.from_numpy(found.bodies[0].vertices, found.bodies[0].faces)
    dark = replace(mesh, material=material((0.0, 0.0, 0.0), 0.0, "black"))
    shown = drawn([dark], recipe.stage, size, backend, shot_of(0, 0.0, 16, 0))[..., 0].numpy() < 0.599
    assert (column & shown).sum() / (column | shown).sum() > 0.93
    rows, columns = np.nonzero(column)
    assert rows.mean() < size[0] / 2 - 3  # up and to the right, in both
    assert columns.mean() > size[1] / 2 + 3


def shadow(stage: Stage, centre: tuple[float, float, float], size: tuple[int, int]) -> tuple[int, int]:
    """The pixel at which the shadow of a point falls on the ground."""
    light = np.array(stage.light)
    spot = np.array(centre) - light * (centre[1] - stage.ground) / light[1]
    pose = stage.camera_to_world.numpy()
    x, y, z = (spot - pose[:3, 3]) @ pose[:3, :3]
    right, up = stage.half_extents(size)
    return int((1 - y / (-z * up)) * size[0] / 2), int((x / (-z * right) + 1) * size[1] / 2)


@pytest.mark.parametrize("light", [(-0.6, 1.0, 0.5), (0.9, 1.0, 0.0)])
def test_the_shadow_falls_where_the_light_sends_it(backend, light):
    recipe = replace(SMALL, size=(64, 64), stage=Stage(light=light))
    centre = (0.0, -0.02, 0.0)
    linear = picture_of(one("sphere", 0.06, centre), recipe, backend, 0)[..., 0]
    row, column = shadow(recipe.stage, centre, (64, 64))
    lit = float(linear[row, 63 - column] if abs(column - 32) > 4 else linear[2, 2])
    assert float(linear[row, column]) < 0.35 * lit


def test_bounces_brighten_what_lies_in_shadow(backend):
    recipe = replace(SMALL, spp=64)
    found = one("sphere", 0.12, (0.0, -0.06, 0.0))
    no_bounce = picture_of(found, replace(recipe, bounces=1), backend, 0)
    bounced = picture_of(found, replace(recipe, bounces=3), backend, 0)
    centre = (0.0, -0.08, 0.0)
    row, column = shadow(recipe.stage, centre, (32, 32))
    around = (slice(row - 1, row + 2), slice(column - 1, column + 2))
    assert float(bounced[around].mean()) > 1.05 * float(no_bounce[around].mean())


def test_gloss_shows_a_highlight_where_the_mirrored_ray_meets_the_light(backend):
    stage = SMALL.stage
    recipe = replace(SMALL, size=(64, 64))
    found = one("sphere", 0.15, (0.0, 0.0, 0.0))
    matte = picture_of(found, recipe, backend, 0)[..., 0]
    glossy = picture_of(found, replace(recipe, gloss=0.8), backend, 0)[..., 0]
    assert float(glossy.max()) > 1.15 * float(matte.max())
    eye = stage.camera_to_world[:3, 3].numpy()
    half = eye / np.linalg.norm(eye) + np.array(stage.light) / np.linalg.norm(stage.light)
    spot = 0.15 * half / np.linalg.norm(half)
    row, column = shadow(replace(stage, ground=spot[1] - 1e-9), tuple(spot), (64, 64))
    brightest = np.unravel_index(int(glossy.argmax()), (64, 64))
    assert math.hypot(brightest[0] - row, brightest[1] - column) < 3


def test_white_in_full_light_is_neither_dark_nor_clipped(backend):
    _, pictures = sample(SMALL, 3, {}, backend)
    assert 190 < pictures.max() < 235
    assert pictures.min() < 130  # shadows


def test_colours_reach_voxels_and_pictures(backend):
    recipe = replace(SMALL, colours=True)
    colour = (0.8, 0.2, 0.1)
    found = one("box", 0.2, (0.0, -0.06, 0.0), colour)
    voxels = voxels_of(found, recipe)
    points = recipe.stage.points(recipe.resolution).numpy()
    inside = (np.abs(points - np.array([0.0, -0.06, 0.0])) < 0.08).all(-1)
    assert np.allclose(voxels[1:, inside].T, colour, atol=1e-5)
    assert np.allclose(voxels[1:, points[..., 1] < -0.3].T, 0.8, atol=1e-5)  # the ground
    assert not voxels[1:, voxels[0] == 0].any()
    picture = picture_of(found, recipe, backend, 0)[14:18, 14:18].mean((0, 1))
    assert float(picture[0] / picture[1]) == pytest.approx(4, rel=0.05)
    stored, pictures = sample(recipe, 0, {}, backend)
    assert stored.shape == (1, 4, 32, 32, 32) and pictures.shape == (1, 32, 32, 3)


def test_density_is_the_occupancy_blurred(backend):
    hard = sample(SMALL, 1, {}, backend)[0][0, 0] / 255
    soft = sample(replace(SMALL, voxels="density"), 1, {}, backend)[0][0, 0]
    assert soft.dtype == np.float16
    assert ((soft > 0.1) & (soft < 0.9)).sum() > 1.3 * ((hard > 0.1) & (hard < 0.9)).sum()
    assert soft.astype(float).mean() == pytest.approx(hard.mean(), abs=2e-3)


@pytest.mark.parametrize(
    "recipe",
    [
        SMALL,
        replace(SMALL, size=(32, 64)),
        replace(SMALL, stage=Stage(fov=60.0, elevation=70.0)),
        replace(SMALL, stage=Stage(elevation=10.0, ground=None)),
    ],
)
def test_objects_stay_in_view_however_they_are_turned(recipe):
    space = room(recipe.stage, recipe.size)
    assert space.ceiling > space.floor + space.radius
    for number in range(30):
        found = objects(recipe, number, {})
        for turn in range(8):
            for body in found.turned(turn * math.pi / 4).bodies:
                assert seen(body.vertices, recipe.stage, recipe.size).all()
                assert body.low > space.floor - 1e-9


def test_views_turn_the_objects_about_the_vertical_axis(backend):
    recipe = replace(SMALL, views=4)
    stored, _ = sample(recipe, 2, {}, backend)
    turned = objects(recipe, 2, {}).turned(math.pi / 2)
    assert np.array_equal(stored[1, 0], (voxels_of(turned, recipe)[0] * 255 + 0.5).astype(np.uint8))
    assert not np.array_equal(stored[0], stored[1])


def test_a_scene_depends_on_the_seed_and_its_number_alone(backend):
    first = sample(SMALL, 7, {}, backend)
    sample(SMALL, 3, {}, backend)
    torch.manual_seed(5)
    again = sample(replace(SMALL, count=900), 7, {}, backend)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], sample(replace(SMALL, seed=1), 7, {}, backend)[0])
