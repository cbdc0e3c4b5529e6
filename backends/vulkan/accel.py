"""Acceleration structures: triangles (bottom level, one per mesh) and a scene of one instance of them (top level)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slangpy as spy
import torch

from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import submit
from invrender.backends.vulkan.memory import GEOMETRY, empty, too_large, upload

Tensor = torch.Tensor

_FLAGS = spy.AccelerationStructureBuildFlags
_BUILD = spy.AccelerationStructureBuildMode


@dataclass(frozen=True)
class Accelerated:
    """Triangles that rays can find.

    Attributes:
        top: the structure that shaders trace against.
        bottom: that of the triangles.
        corners: the buffer of vertices; it has to live as long as `bottom` may be refitted.
        indices: the buffer of faces.
        count: of vertices and of faces.
        opaque: whether any-hit shaders are passed over.
        held: what `top` refers to.
    """

    top: Any
    bottom: Any
    corners: Any
    indices: Any
    count: tuple[int, int]
    opaque: bool
    held: Any


def build(vulkan: Vulkan, vertices: Tensor, faces: Tensor, opaque: bool = True) -> Accelerated:
    """Vertices [V,3] and at least one of faces [F,3] to a structure that can be refitted.

    No more than three vertices to a face: slangpy takes the greater of the counts of vertices and of corners for that
    of corners, and drivers read beyond the faces then.
    """
    if len(vertices) > 3 * len(faces):
        raise ValueError(f"{len(vertices)} vertices are too many for {len(faces)} faces")
    corners = upload(vulkan, vertices, np.float32, GEOMETRY)
    indices = upload(vulkan, faces, np.uint32, GEOMETRY)
    count = (len(vertices), len(faces))
    desc = _triangles(corners, indices, count, opaque)
    bottom = _made(vulkan, desc, spy.AccelerationStructureKind.bottom_level)
    top, held = _scene(vulkan, bottom)
    return Accelerated(top, bottom, corners, indices, count, opaque, held)


def refit(vulkan: Vulkan, built: Accelerated, vertices: Tensor) -> Accelerated:
    """The same faces after their vertices [V,3] moved. The scene above is built anew: its box is of the old ones."""
    corners = upload(vulkan, vertices, np.float32, GEOMETRY)
    desc = _triangles(corners, built.indices, built.count, built.opaque)
    desc.mode = _BUILD.update
    _record(vulkan, desc, built.bottom, built.bottom)
    top, held = _scene(vulkan, built.bottom)
    return Accelerated(top, built.bottom, corners, built.indices, built.count, built.opaque, held)


def _triangles(corners: Any, indices: Any, count: tuple[int, int], opaque: bool) -> Any:
    kinds = spy.AccelerationStructureGeometryFlags
    given = spy.AccelerationStructureBuildInputTriangles()
    given.flags = kinds.opaque if opaque else kinds.none
    given.vertex_buffers = [spy.BufferOffsetPair(corners)]
    given.vertex_format, given.vertex_stride, given.vertex_count = spy.Format.rgb32_float, 12, count[0]
    given.index_buffer, given.index_format, given.index_count = indices, spy.IndexFormat.uint32, 3 * count[1]
    desc = spy.AccelerationStructureBuildDesc()
    desc.inputs, desc.flags = [given], _FLAGS.prefer_fast_trace | _FLAGS.allow_update
    return desc


def _scene(vulkan: Vulkan, bottom: Any) -> tuple[Any, Any]:
    """The scene of one instance in its place, and what has to be kept for it."""
    instances = vulkan.device.create_acceleration_structure_instance_list(1)
    instances.write(
        0,
        {
            "transform": spy.float3x4(np.eye(3, 4, dtype=np.float32)),
            "instance_id": 0,
            "instance_mask": 0xFF,
            "instance_contribution_to_hit_group_index": 0,
            "flags": spy.AccelerationStructureInstanceFlags.none,
            "acceleration_structure": bottom.handle,
        },
    )
    desc = spy.AccelerationStructureBuildDesc({"inputs": [instances.build_input_instances()]})
    return _made(vulkan, desc, spy.AccelerationStructureKind.top_level), instances


def _made(vulkan: Vulkan, desc: Any, kind: Any) -> Any:
    size = vulkan.device.get_acceleration_structure_sizes(desc).acceleration_structure_size
    with vulkan.lock:
        try:
            made = vulkan.device.create_acceleration_structure(kind=kind, size=size)
        except RuntimeError as error:
            raise too_large(vulkan, size) from error
    _record(vulkan, desc, made, None)
    return made


def _record(vulkan: Vulkan, desc: Any, target: Any, source: Any) -> None:
    with vulkan.lock:
        sizes = vulkan.device.get_acceleration_structure_sizes(desc)
        scratch = sizes.scratch_size if source is None else sizes.update_scratch_size
        room = empty(vulkan, scratch, np.uint8, spy.BufferUsage.unordered_access)
        encoder = vulkan.device.create_command_encoder()
        encoder.build_acceleration_structure(desc=desc, dst=target, src=source, scratch_buffer=room)
        submit(vulkan, encoder)
        vulkan.device.wait_for_idle()  # before the room is given back
