"""A scene packed for the kernels of light transport: float32, faces in the order of the tree's leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.arguments import check_faces
from invrender.backends.bodies.radiance_path import Scene
from invrender.backends.cpu.bvh import Bvh, build
from invrender.backends.torch.radiance_tables import emitters, sky
from invrender.kernels.radiance import OPACITY, SceneArrays, Transport

Tensor = torch.Tensor
Packed = tuple[Any, ...]

PADDING = 1e-5  # of the largest coordinate, by which boxes are larger: float32 must not miss what they just touch

_kept: list[tuple[Bvh, Packed]] = []  # the last tree


def packed(scene: SceneArrays, transport: Transport) -> Any:
    """The scene as the bodies take it.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(scene.faces, len(scene.vertices))
    bvh = build(np.ascontiguousarray(scene.vertices.detach().cpu().double()[scene.faces.cpu()].numpy()))
    order = bvh.order
    corners, order, boxes, links = _tree(bvh)
    lit, picked = emitters(scene), sky(scene.environment)
    rank = np.zeros(len(scene.faces), np.int32)
    rank[order] = np.arange(len(order))
    height, width = scene.environment.shape[:2]
    solid = not bool((scene.materials.detach()[:, OPACITY] < 1).any())
    followed = (transport.depth, transport.roulette, transport.indirect, transport.shadows)
    settings = (*followed, solid, height, width, transport.behind)
    kept = None if lit is None else _array(lit.faces, np.int64)
    return Scene(
        corners=corners,
        order=order,
        boxes=boxes,
        links=links,
        normals=floats(scene.normals).reshape(-1, 9)[order],
        uv=floats(scene.uv).reshape(-1, 6)[order] if len(scene.uv) else np.zeros((0, 6), np.float32),
        colours=floats(scene.colours).reshape(-1, 9)[order] if len(scene.colours) else np.zeros((0, 9), np.float32),
        rows=_array(scene.face_material, np.int32)[order],
        materials=floats(scene.materials),
        kinds=_array(scene.material_kinds, np.int32),
        texels=floats(scene.texels),
        textures=_array(scene.textures, np.int32),
        lights=floats(scene.lights),
        light_kinds=_array(scene.light_kinds, np.int32),
        environment=floats(scene.environment).reshape(-1, 3),
        turn=floats(scene.turn),
        glow=floats(torch.stack([scene.ambient, scene.backdrop])),
        emitters=np.zeros(0, np.int32) if kept is None else rank[kept],
        emitters_cumulative=np.zeros(0, np.float32) if lit is None else floats(lit.cumulative),
        emitter_density=np.zeros(0, np.float32) if lit is None else floats(lit.density)[order],
        sky_rows=np.zeros(0, np.float32) if picked is None else floats(picked.rows),
        sky_columns=np.zeros(0, np.float32) if picked is None else floats(picked.columns).reshape(-1),
        sky_density=np.zeros(0, np.float32) if picked is None else floats(picked.density).reshape(-1),
        settings=np.array(settings, np.int32),
    )


def _tree(bvh: Bvh) -> Packed:
    """Of the scene's faces; the parts of the last tree are kept."""
    for last, parts in _kept[:1]:
        if last is bvh:
            return parts
    parts = narrow_tree(bvh)
    _kept[:] = [(bvh, parts)]
    return parts


def narrow_tree(bvh: Bvh) -> Packed:
    """Corners [F,9] in the order of the leaves, that order, boxes and links."""
    corners = bvh.corners[bvh.order]
    rows = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], 1)
    pad = PADDING * float(np.abs(corners).max(initial=0))
    boxes = bvh.boxes + np.array([-pad] * 3 + [pad] * 3)
    return _narrow(rows), bvh.order, _narrow(boxes), bvh.links


def _narrow(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def floats(values: Tensor) -> NDArray[np.float32]:
    """A tensor's values as the bodies take them."""
    return _narrow(values.detach().cpu().numpy())


def _array(values: Tensor, dtype: Any) -> NDArray[Any]:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype)
