"""The first face along rays, by hardware or software ray tracing; distance and barycentrics follow from the face.

Rays are traced in float32, in a frame about the middle of the mesh and as large as it is: large world offsets stay out
of it. Rays that start far away start at the mesh's surrounding sphere instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.backends.arguments import check_faces
from invrender.backends.torch.trace import located
from invrender.backends.vulkan.accel import Accelerated, build, refit
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import trace_rays
from invrender.backends.vulkan.memory import download, empty, upload
from invrender.kernels.intersect import approached

Tensor = torch.Tensor

RAYS = 2**22  # traced at once
REFITS = 16  # after as many, the structure is built anew: boxes that only grew overlap
FARTHEST = 1e30
RADIUS = 1.0  # of a sphere that holds a mesh of size 1 with room to spare


@dataclass(frozen=True)
class Kept:
    """The last mesh and its structure: rays come in many batches through the same mesh, or one whose vertices move.

    Attributes:
        vertices, faces: copies of what was given.
        number: [K] of the faces that can be hit.
        used: [U] of the vertices that these faces have.
        frame: the middle [3] and the size of the mesh.
        built: its structure.
        refits: how often that was refitted.
    """

    vertices: Tensor
    faces: Tensor
    number: Tensor
    used: Tensor
    frame: tuple[Tensor, float]
    built: Accelerated
    refits: int = 0


class Tracer:
    """`kernels.Trace` on a device."""

    def __init__(self, vulkan: Vulkan) -> None:
        self.vulkan = vulkan
        self.kept: Kept | None = None

    def __call__(
        self, vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Face [R] int64 (-1: miss), t [R] (inf: miss), u and v [R] of rays' first hits, both sides of faces.

        Raises:
            InputError: a face names a vertex that does not exist.
        """
        check_faces(faces, len(vertices))
        face = torch.full((len(origin),), -1, dtype=torch.int64, device=origin.device)
        with self.vulkan.lock:
            self.vulkan.check()
            kept = self._structure(vertices.detach().double().cpu(), faces.cpu()) if len(origin) else None
            if kept is not None:
                for part in _parts(len(origin)):
                    face[part] = self._first(kept, origin[part].detach(), direction[part].detach())
        return located(vertices, faces, face, origin, direction)

    def _first(self, kept: Kept, origin: Tensor, direction: Tensor) -> Tensor:
        rays = _in_frame(*kept.frame, origin.double().cpu(), direction.double().cpu())
        found = empty(self.vulkan, len(rays), np.int32)
        given = {"scene": kept.built.top, "rays": upload(self.vulkan, rays, np.float32), "face": found}
        trace_rays(self.vulkan, "trace", len(rays), **given)
        row = torch.from_numpy(download(self.vulkan, found, (len(rays),), np.int32)).long()
        return torch.where(row >= 0, kept.number[row.clamp(min=0)], -1).to(origin.device)

    def _structure(self, vertices: Tensor, faces: Tensor) -> Kept | None:
        """The mesh's structure: the last one, that refitted, or a new one; None where no face can be hit."""
        kept = self.kept
        same = kept is not None and torch.equal(kept.faces, faces) and kept.vertices.shape == vertices.shape
        if kept is not None and same and torch.equal(kept.vertices, vertices):
            return kept
        finite = torch.isfinite(vertices).all(1)
        if kept is not None and same and kept.refits < REFITS and bool(finite.all()) and len(kept.number) == len(faces):
            frame = _frame(vertices[kept.used])
            moved = refit(self.vulkan, kept.built, _placed(vertices[kept.used], *frame))
            self.kept = replace(kept, vertices=vertices.clone(), frame=frame, built=moved, refits=kept.refits + 1)
            return self.kept
        number = finite[faces].all(1).nonzero()[:, 0]
        self.kept = None
        if len(number):
            used, corners = _compacted(faces[number], len(vertices))
            frame = _frame(vertices[used])
            built = build(self.vulkan, _placed(vertices[used], *frame), corners)
            self.kept = Kept(vertices.clone(), faces.clone(), number, used, frame, built)
        return self.kept


def _compacted(faces: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Those of `count` vertices that faces [F,3] have, and the faces in terms of them."""
    mask = torch.zeros(count, dtype=torch.bool)
    mask[faces.reshape(-1)] = True
    return mask.nonzero()[:, 0], (mask.cumsum(0) - 1)[faces]


def _parts(count: int) -> Iterator[slice]:
    return (slice(begin, begin + RAYS) for begin in range(0, count, RAYS))


def _frame(vertices: Tensor) -> tuple[Tensor, float]:
    """The middle and the size of the box around vertices [V,3]."""
    low, high = torch.aminmax(vertices, dim=0)
    return (low + high) / 2, max(float((high - low).max()), 1e-300)


def _placed(vertices: Tensor, middle: Tensor, size: float) -> Tensor:
    return (vertices - middle) / size


def _in_frame(middle: Tensor, size: float, origin: Tensor, direction: Tensor) -> Tensor:
    """Rays [R,7] as the shader takes them: origin, unit direction, and how far they go."""
    length = direction.norm(dim=1, keepdim=True)
    unit = direction / torch.where(length == 0, 1, length)
    start = approached(_placed(origin, middle, size), unit, RADIUS)
    dead = ~(torch.isfinite(start) & torch.isfinite(unit)).all(1, keepdim=True) | (length == 0)
    rays = torch.cat([start, unit, torch.full_like(length, FARTHEST)], 1)
    return torch.where(dead, rays.new_tensor([0, 0, 0, 1, 0, 0, 0]), rays)
