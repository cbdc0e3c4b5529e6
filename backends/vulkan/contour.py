"""Contours of meshes on a Vulkan device, and the ends of the intervals that they leave visible along scanlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.arguments import check_faces, check_indices
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import Shader, compute
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
        largest = max(32 * vertices, 4 * (faces + edges), 8 * size[0] * size[1], 1)
        step = max(1, BYTES // largest)
        return (slice(at, min(at + step, views)) for at in range(0, views, step))


@dataclass(frozen=True)
class Ends:
    """Crossings of the contour with scanlines, in order along each of them; some are ends of visible intervals.

    Attributes:
        given: what shaders of contours and ends take.
        count: of crossings.
        shape: N, H, W.
    """

    given: dict[str, Any]
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


def segments(
    vulkan: Vulkan, mesh: Mesh, clip: Any, views: int, size: Size, project: Shader = (SHADER, "project"), **values: Any
) -> tuple[dict[str, Any], Any, int]:
    """What shaders of contours take, and the numbers of the segments of all views, in any order, and of how many."""
    given = _contours(vulkan, mesh, clip, views, size)
    compute(vulkan, project, views * mesh.count[0], **values, **given)
    found, number = empty(vulkan, views * mesh.segments, np.uint32), zeros(vulkan, 1, np.uint32)
    lists = {"listed": found, "listed_count": number}
    compute(vulkan, (SHADER, "orient"), views * mesh.count[1], **lists, **given)
    compute(vulkan, (SHADER, "choose"), views * mesh.count[2], **lists, **given)
    return given, found, int(download(vulkan, number, (1,), np.uint32)[0])


def visible_ends(
    vulkan: Vulkan, mesh: Mesh, clip: Any, views: int, size: Size, project: Shader = (SHADER, "project"), **values: Any
) -> Ends:
    """The ends in as many views as go at once.

    Args:
        clip: their clip positions [N,V,4] float64 on the device.
        project: what projects all vertices of all views first; with other values, it may find the clip positions.
    """
    given, found, number = segments(vulkan, mesh, clip, views, size, project, **values)
    lines = views * (size[0] + size[1])
    counts = zeros(vulkan, lines, np.uint32)
    compute(vulkan, (SHADER, "count"), number, counts=counts, listed=found, **given)
    start = starts(download(vulkan, counts, (lines,), np.uint32))
    total = int(start[-1])
    given |= {name: empty(vulkan, total, np.int32) for name in ("pixel", "segment", "kind")}
    given |= {"along": empty(vulkan, total, np.float64), "inside": zeros(vulkan, views * size[0] * size[1])}
    crossings = {"start": upload(vulkan, start, np.uint32), "layers": empty(vulkan, total, np.int32)}
    if total:
        compute(vulkan, (SHADER, "store"), number, counts=counts, listed=found, **crossings, **given)
        compute(vulkan, (SHADER, "sweep"), lines, **crossings, **given)
    return Ends(given, total, (views, *size))


def starts(counts: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where each of some runs of those lengths begins, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def pixels(vulkan: Vulkan, ends: Ends) -> Tensor:
    """Pixels [K] int64 of all crossings, numbered through [N,H,W]; -1 where one ends nothing."""
    return torch.from_numpy(download(vulkan, ends.given["pixel"], (ends.count,), np.int32)).long()


def _contours(vulkan: Vulkan, mesh: Mesh, clip: Any, views: int, size: Size) -> dict[str, Any]:
    """What shaders of contours take."""
    vertices, faces, edges = mesh.count
    return {
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


def corner_sums(vulkan: Vulkan, corner: Any, d_corner: Any, count: int, total: Tensor) -> None:
    """Add to a gradient [R,C] float64 that of corners, of which the device has rows [count] and values [count,C]."""
    row = torch.from_numpy(download(vulkan, corner, (count,), np.int32)).long()
    values = torch.from_numpy(download(vulkan, d_corner, (count, total.shape[1]), np.float64))
    total.index_add_(0, row[row >= 0], values[row >= 0])
