"""Contours of meshes on a Vulkan device, and the ends of the intervals that they leave visible along scanlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import check_faces, check_indices
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels import Size
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

SHADER = "silhouette"

BYTES = 2**27  # of the largest array of several views, which every device can hold


@dataclass(frozen=True)
class Mesh:
    """A mesh's connectivity on the device.

    Attributes:
        faces: [F,3] int32.
        edges: [E,6] int32: vertices, faces at it (-1: none), and their signs.
        count: of vertices, faces and edges.
    """

    faces: Any
    edges: Any
    count: tuple[int, int, int]

    @property
    def segments(self) -> int:
        """Segment numbers of a view: one per edge, and one per face that the near plane may cut."""
        return self.count[1] + self.count[2]

    def parts(self, views: int, size: Size) -> Iterator[slice]:
        """The views, as many as go at once."""
        vertices, faces, edges = self.count
        largest = max(32 * vertices, 4 * (faces + edges), 4 * size[0] * size[1], 1)
        step = max(1, BYTES // largest)
        return (slice(at, min(at + step, views)) for at in range(0, views, step))


@dataclass(frozen=True)
class Ends:
    """Crossings of the contour with scanlines, in order along each of them; some are ends of visible intervals.

    Attributes:
        given: what shaders of contours take.
        arrays: pixel, segment and kind [K] int32 of the shaders.
        along: [K] float64, where they lie on their lines.
        inside: [N,H,W] float32, whether pixels' centres are covered.
        count: K.
        shape: N, H, W.
    """

    given: dict[str, Any]
    arrays: dict[str, Any]
    along: Any
    inside: Any
    count: int
    shape: tuple[int, int, int]


def packed_mesh(vulkan: Vulkan, faces: Tensor, topology: Topology, vertices: int) -> Mesh:
    """Connectivity as the shaders take it.

    Raises:
        InputError: an index names something that does not exist.
    """
    check_faces(faces, vertices)
    check_indices(topology.edges, 0, vertices, "an edge names a vertex")
    check_indices(topology.faces, -1, len(faces), "an edge names a face")
    edges = torch.cat([topology.edges, topology.faces, topology.sign.to(topology.edges)], 1)
    count = (vertices, len(faces), len(edges))
    return Mesh(upload(vulkan, faces, np.int32), upload(vulkan, edges, np.int32), count)


def visible_ends(vulkan: Vulkan, mesh: Mesh, clip: Any, views: int, size: Size) -> Ends:
    """The ends in as many views as go at once, from their clip positions [N,V,4] float64 on the device."""
    given = _oriented(vulkan, mesh, clip, views, size)
    lines, items = views * (size[0] + size[1]), views * mesh.segments
    counts = zeros(vulkan, lines, np.uint32)
    compute(vulkan, (SHADER, "count"), items, counts=counts, **given)
    start = np.concatenate([[0], np.cumsum(download(vulkan, counts, (lines,), np.uint32), dtype=np.int64)])
    total = int(start[-1])
    arrays = {name: empty(vulkan, total, np.int32) for name in ("pixel", "segment", "kind")}
    along, inside = empty(vulkan, total, np.float64), zeros(vulkan, views * size[0] * size[1])
    crossings = {"start": upload(vulkan, start, np.uint32), "along": along, "layers": empty(vulkan, total, np.int32)}
    if total:
        compute(vulkan, (SHADER, "store"), items, counts=counts, segment=arrays["segment"], **crossings, **given)
        compute(vulkan, (SHADER, "sweep"), lines, inside=inside, **arrays, **crossings, **given)
    return Ends(given, arrays, along, inside, total, (views, *size))


def shown(vulkan: Vulkan, ends: Ends) -> torch.Tensor:
    """Pixels [K] int64 of all crossings; -1 where one ends nothing."""
    return torch.from_numpy(download(vulkan, ends.arrays["pixel"], (ends.count,), np.int32)).long()


def _oriented(vulkan: Vulkan, mesh: Mesh, clip: Any, views: int, size: Size) -> dict[str, Any]:
    """What shaders of contours take, with vertices projected and faces oriented."""
    vertices, faces, edges = mesh.count
    given = {
        "clip": clip,
        "screen": empty(vulkan, 2 * views * vertices, np.float64),
        "state": empty(vulkan, views * vertices, np.int32),
        "facing": empty(vulkan, views * faces, np.int32),
        "faces": mesh.faces,
        "edges": mesh.edges,
        "vertex_count": vertices,
        "face_count": faces,
        "edge_count": edges,
        "rows": size[0],
        "columns": size[1],
    }
    compute(vulkan, (SHADER, "project"), views * vertices, **given)
    compute(vulkan, (SHADER, "orient"), views * faces, **given)
    return given
