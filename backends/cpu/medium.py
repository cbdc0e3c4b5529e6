"""A medium packed for the kernels of light transport: float32 grids, their majorants, and the tree of its boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.medium_grid import Medium
from invrender.backends.cpu.bvh import grown
from invrender.backends.cpu.scene import Packed, floats, narrow_tree
from invrender.backends.torch.medium_tables import headroom, majorants
from invrender.kernels.radiance import SceneArrays, Transport

Tensor = torch.Tensor

ESTIMATORS = ("differential", "analog", "null", "singular")  # in the order of `bodies.numbers`
UNEVEN = 50.0  # a sky is looked for whose brightest texel is this many times its mean

_kept: list[tuple[Tensor, Packed]] = []  # the last boundary and its tree


def has_medium(scene: SceneArrays, transport: Transport) -> bool:
    """Whether light is followed through a medium."""
    return scene.extinction.numel() > 0 and transport.indirect and bool((scene.box[1] > scene.box[0]).all())


def packed_medium(scene: SceneArrays, transport: Transport) -> Any:
    """The medium as the bodies take it."""
    albedo, asymmetry = _constant(scene.albedo), _constant(scene.asymmetry)
    coarse = majorants(scene.extinction.detach(), transport.floor, scene.box, headroom(transport))
    counts = [grid.shape[2::-1] for grid in (scene.extinction, albedo, asymmetry, scene.emission)]
    scales, sizes = _lattice(scene.box.detach().cpu().double().numpy(), counts, coarse.shape[::-1])
    choices = (scene.extinction.shape[3] == 3, looks_for_sky(scene, transport), ESTIMATORS.index(transport.estimator))
    corners, order, boxes, links = _tree(scene.boundary.detach().cpu())
    return Medium(
        extinction=floats(scene.extinction).reshape(-1),
        albedo=floats(albedo).reshape(-1),
        asymmetry=floats(asymmetry).reshape(-1),
        emission=floats(scene.emission).reshape(-1),
        majorants=np.pad(floats(coarse), 1).reshape(-1),
        scales=scales,
        sizes=sizes,
        choices=np.array(choices, np.int32),
        corners=corners,
        order=order,
        boxes=boxes,
        links=links,
        rows=np.zeros(0, np.int32),
        seen=np.zeros((0, 0), np.float32),
    )


def looks_for_sky(scene: SceneArrays, transport: Transport) -> bool:
    """Whether points of the medium look for the environment: where the transport says so, or the sky is uneven."""
    if transport.sky is not None or scene.environment.numel() <= 3:
        return bool(transport.sky)
    light = scene.environment.detach().mean(2)
    return float(light.max()) > UNEVEN * float(light.mean())


def _constant(grid: Tensor) -> Tensor:
    """A grid, or one vertex of zeros for none."""
    return grid if grid.numel() else grid.new_zeros(1, 1, 1, grid.shape[3])


def _lattice(box: NDArray[Any], counts: Any, cells: Any) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`Medium.scales` and `sizes` of grids with these numbers of vertices along x, y, z, and of the majorants."""
    sizes = np.array([*counts, cells], np.int64)
    extent = box[1:] - box[:1]
    scales = np.concatenate([np.maximum(sizes[:-1] - 1, 0), sizes[-1:]]) / extent
    rows = np.concatenate([sizes[:-1], sizes[-1:] + 2])  # with the layer about the cells
    steps = np.cumprod(np.concatenate([np.ones_like(rows[:, :1]), rows[:, :2]], 1), 1)
    steps[:-1][sizes[:-1] <= 1] = 0  # there is no next vertex
    lengths = np.concatenate([extent / sizes[-1:], box[:1], extent])
    return np.concatenate([scales, lengths]).astype(np.float32), np.concatenate([sizes, steps], 1)


def _tree(boundary: Tensor) -> Packed:
    """The tree over a closed surface [B,3,3]; the last one is kept."""
    for last, parts in _kept[:1]:
        if torch.equal(last, boundary):
            return parts
    parts = narrow_tree(grown(np.ascontiguousarray(boundary.double().numpy())))
    _kept[:] = [(boundary.clone(), parts)]
    return parts
