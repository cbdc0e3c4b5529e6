"""The first face that a ray meets: Embree where it is installed, else every ray against every face in plain torch.

Whichever finds the face, the distance and barycentrics are recomputed from it in the caller's precision.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import check_faces
from invrender.kernels.intersect import approached, intersect

Tensor = torch.Tensor

_PAIRS = 2**21  # ray-face pairs held at once


def trace_engine() -> str:
    """What `trace` runs on here: "embree" or "torch"."""
    return "embree" if find_spec("embreex") is not None else "torch"


def trace(
    vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor, engine: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """First hits of rays with a mesh, both sides of its faces.

    Args:
        vertices: [V,3] float.
        faces: [F,3] int64.
        origin, direction: [R,3] float; t counts in lengths of `direction`.
        engine: "embree" or "torch"; `trace_engine()` unless given.

    Returns:
        face [R] int64 (-1: miss), t [R] (inf: miss), u and v [R] of vertices' dtype (0 on a miss): the hit is
        origin + t direction = (1-u-v) a + u b + v c.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, len(vertices))
    if not len(faces) or not len(origin):
        face = torch.full((len(origin),), -1, dtype=torch.int64, device=origin.device)
    elif (engine or trace_engine()) == "embree":
        face = _embree(vertices, faces, origin, direction)
    else:
        face = _brute_force(vertices, faces, origin, direction)
    return located(vertices, faces, face, origin, direction)


def located(
    vertices: Tensor, faces: Tensor, face: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The faces [R] that rays meet (-1: miss) with t [R] (inf: miss), u and v [R] of vertices' dtype."""
    hit = face >= 0
    t, u, v = vertices.new_full((len(face),), torch.inf), vertices.new_zeros(len(face)), vertices.new_zeros(len(face))
    corners = vertices[faces[face[hit]]]
    t[hit], u[hit], v[hit] = intersect(corners, origin[hit].to(vertices.dtype), direction[hit].to(vertices.dtype))
    return face, t, u, v


def _brute_force(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    corners = vertices.double()[faces]
    found = []
    rays = max(1, _PAIRS // len(faces))
    for begin in range(0, len(origin), rays):
        o = origin[begin : begin + rays, None].double()
        t, u, v = intersect(corners[None], o, direction[begin : begin + rays, None].double())
        inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & torch.isfinite(t)
        nearest, face = torch.where(inside, t, torch.inf).min(1)
        found.append(torch.where(nearest < torch.inf, face, -1))
    return torch.cat(found)


def _embree(vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene(robust=True)
    # Embree copies what it is given as float32: keep large world offsets and distances out of it.
    centre = vertices.double().mean(0)
    placed = vertices.double() - centre
    length = direction.double().norm(dim=1, keepdim=True)
    unit = direction.double() / torch.where(length == 0, 1, length)
    start = approached(origin.double() - centre, unit, 2 * float(placed.norm(dim=1).max()))
    TriangleMesh(scene, _array(placed, np.float32), _array(faces, np.int32))
    face: Any = scene.run(_array(start, np.float32), _array(unit, np.float32))
    return torch.as_tensor(np.asarray(face, dtype=np.int64), device=origin.device)


def _array(tensor: Tensor, dtype: Any) -> Any:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=dtype)
