"""One scene of a data set: its objects, their voxels and their pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.io.pairs.shards import encode
from invrender.kernels import Backend
from invrender.nouns import Mesh
from invrender.nouns.appearance import Colour
from invrender.stages.arrange import Body, Room, placed, primitives, room
from invrender.stages.crossings import crossings, ground_crossings, joined
from invrender.stages.draw import GROUND, WHITE, drawn, encoded, material, shot_of
from invrender.stages.recipe import Recipe, split_of
from invrender.stages.solids import Solid
from invrender.stages.voxelise import ACROSS, covered

BLUR = 1.0  # voxels, of density: the deviation of the Gaussian

Pool = Mapping[str, Sequence[Solid]]
"""Meshes by split, each about its middle."""


@dataclass(frozen=True)
class Objects:
    """The objects of a scene, and the colour of each."""

    bodies: tuple[Body, ...]
    colours: tuple[Colour, ...]

    def turned(self, angle: float) -> Objects:
        """All of them about the vertical axis, in radians."""
        return Objects(tuple(body.turned(angle) for body in self.bodies), self.colours)


def sample(recipe: Recipe, number: int, pool: Pool, backend: Backend) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """All views of a scene, as they are stored: [V,C,D,H,W] voxels and [V,H,W,C] pictures.

    Args:
        recipe: of the data set.
        number: of the scene.
        pool: meshes for other kinds than primitives.
        backend: that follows the light.
    """
    found = objects(recipe, number, pool)
    voxels, pictures = [], []
    for view in range(recipe.views):
        turned = found.turned(2 * math.pi * view / recipe.views)
        voxels.append(encode(voxels_of(turned, recipe), recipe.layout.voxel_type))
        pictures.append(encoded(picture_of(turned, recipe, backend, number * recipe.views + view), recipe.colours))
    return np.stack(voxels), np.stack(pictures)


def objects(recipe: Recipe, number: int, pool: Pool) -> Objects:
    """The objects of a scene, before they are turned."""
    random = np.random.default_rng([recipe.seed, number])
    space = room(recipe.stage, recipe.size)
    kind = recipe.kind
    if kind == "mixed":
        kind = ("primitives", "samples", "mixed")[int(random.integers(3))]
    bodies: list[Body] = []
    if kind != "primitives":
        bodies = _from_pool(random, pool[split_of(recipe, number)], space, 1 if kind == "mixed" else None)
    if kind in ("primitives", "mixed"):
        few = 3 if bodies else 5
        bodies += _beside(random, space, bodies, few) if bodies else primitives(random, space, 2, few)
    colours = tuple(_colour(random) if recipe.colours else (WHITE, WHITE, WHITE) for _ in bodies)
    return Objects(tuple(bodies), colours)


def _from_pool(random: np.random.Generator, pool: Sequence[Solid], space: Room, count: int | None) -> list[Body]:
    """One mesh that fills the stage, or two smaller ones."""
    bodies: list[Body] = []
    count = int(random.integers(1, 3)) if count is None else count
    for _ in range(count):
        shape = pool[int(random.integers(len(pool)))]
        size = float(random.uniform(0.8, 1.0) if count == 1 else random.uniform(0.5, 0.62)) * space.radius
        bodies.append(placed(random, shape, size, space, bodies))
    return bodies


def _beside(random: np.random.Generator, space: Room, others: list[Body], most: int) -> list[Body]:
    return [
        placed(random, (body.vertices, body.faces), 0.3 * space.radius, space, others)
        for body in primitives(random, space, 1, most)
    ]


def _colour(random: np.random.Generator) -> Colour:
    """A colour that is neither black nor without light in two channels."""
    red, green, blue = (float(value) for value in random.uniform(0.08, 0.9, 3))
    return red, green, blue


def voxels_of(found: Objects, recipe: Recipe) -> NDArray[np.float32]:
    """[C,D,H,W]: what is covered, blurred if it is a density; then albedo where objects or the ground are, else 0."""
    stage, shape = recipe.stage, recipe.resolution
    rays = (shape[1] * ACROSS, shape[2] * ACROSS)
    each = [crossings(Mesh.from_numpy(body.vertices, body.faces), stage, rays) for body in found.bodies]
    colours = list(found.colours)
    if stage.ground is not None:
        each.append(ground_crossings(stage, rays))
        colours.append(GROUND)
    occupied = covered(joined(each), stage, shape)
    if recipe.voxels == "density":
        from scipy.ndimage import gaussian_filter

        occupied = gaussian_filter(occupied, BLUR, mode="nearest")
    if not recipe.colours:
        return occupied[None]
    sums = np.zeros((4, *shape), np.float32)
    for one, colour in zip(each, colours, strict=True):
        share = covered(one, stage, shape)
        sums += share * np.array([*colour, 1.0], np.float32)[:, None, None, None]
    return np.concatenate([occupied[None], sums[:3] / np.maximum(sums[3], 1e-6)])


def picture_of(found: Objects, recipe: Recipe, backend: Backend, seed: int) -> torch.Tensor:
    """Linear RGB [H,W,3] of a view."""
    meshes = [
        Mesh(
            torch.from_numpy(body.vertices),
            torch.from_numpy(body.faces),
            material=material(colour, recipe.gloss, f"object {k}"),
        )
        for k, (body, colour) in enumerate(zip(found.bodies, found.colours, strict=True))
    ]
    shot = shot_of(recipe.bounces, recipe.gloss, recipe.spp, recipe.seed * 1_000_003 + seed)
    return drawn(meshes, recipe.stage, recipe.size, backend, shot)
