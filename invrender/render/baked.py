"""Ambient occlusion that is computed once for all pictures of a surface, and interpolated over it like a colour.

At the corners of the surface's triangles, long edges of which are halved first, the light from everywhere is estimated
that nothing near by blocks, for both sides of the surface where both can be seen:

    1 - 1/pi  integral over the hemisphere of  f(t(w) / reach) (n . w) dw,    f(s) = (1 - s)^2 for s < 1, else 0,

t(w) the distance to what the ray meets (Zhukov, Iones and Kronin 1998, "An ambient light illumination model", have such
a fading function): it has no border where the reach ends, unlike `occlusion`. Directions are those of `occlusion`; what
is left of their noise is averaged over neighbours within smooth parts, never across a crease.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.nouns.topology import topology
from invrender.render.occlusion import cosine_directions
from invrender.render.rays import Body, body
from invrender.shading.surface import Surface, face_normals

Tensor = torch.Tensor

_RAYS_AT_ONCE = 2**20
_MOST_RAYS = 2**20  # of a surface; one with many corners has fewer for each, and more neighbours to average over
_FEWEST = 6  # rays of a corner
_INWARD = 0.05  # how far corners at creases are moved into their part, of the way to the middle of its faces
_LIFT = 3e-4  # of the frame, above the surface
_HALVINGS = 12
_MOST_ADDED = 2**17  # triangles
_SMOOTHINGS = 2  # of the least number, by halves
_SEED = 1
_ASIDE = -0.3  # cosine up to which rows that face away from an eye are near its contours


@dataclass(frozen=True)
class Baking:
    """How it is estimated.

    Attributes:
        rays: of each corner, but where there are very many corners.
        reach: how far something blocks, as a share of the surface's longest side.
        edge: the longest that edges may be, likewise.
    """

    rays: int = 40
    reach: float = 0.4
    edge: float = 1 / 36

    def __post_init__(self) -> None:
        if self.rays < 1:
            raise UsageError(f"ambient occlusion cannot be told from {self.rays} rays", "use at least 1")
        if not self.reach > 0:  # NaN, too
            raise UsageError(f"ambient occlusion cannot reach {self.reach:g}", "use a share above 0, such as 0.4")


def baked(
    surface: Surface, backend: Backend, baking: Baking | None = None, around: Tensor | None = None,
    eye: Tensor | None = None,
) -> Surface:  # fmt: skip
    """The surface with `openness`, its long edges halved; no gradient.

    Args:
        surface: of a mesh.
        backend: whose `trace` finds what is in the way.
        baking: how.
        around: [T,3,3] corners of more triangles that block, such as a ground.
        eye: [3] from where alone the surface will be seen; what faces away from there counts as open. None: anywhere.
    """
    how = baking or Baking()
    with torch.no_grad():
        whole = body(surface, backend)
        fine = halved(surface, affordable(surface, how.edge * whole.side * whole.unit))
        blockers = body(fine, backend)
        if around is not None:
            blockers = _with_triangles(blockers, blockers.local(around.to(blockers.centre)))
        point, two_sided = _corners(fine, blockers)
        front = fine.normals.to(point)
        sides = [front, -front] if two_sided else [front]
        rays = max(_FEWEST, min(how.rays, _MOST_RAYS // max(1, len(point) * len(sides))))
        reach = how.reach * whole.side
        rows = torch.arange(len(point)) if eye is None or two_sided else _rows_towards(fine, eye)
        shares = []
        for normal in sides:
            shares.append(point.new_ones(len(point)))
            shares[-1][rows] = openness_at(blockers, point[rows], normal[rows], rays, reach)
        share = torch.stack([shares[0], shares[-1]], 1)
        for _ in range(_SMOOTHINGS + max(0, round(math.log2(how.rays / rays)))):
            share = _among_neighbours(fine, share)
        return replace(fine, openness=share.double())


def openness_at(solid: Body, point: Tensor, normal: Tensor, rays: int, reach: float) -> Tensor:
    """[R] the light from everywhere that reaches points [R,3] of the frame with unit normals [R,3]; see above.

    Args:
        solid: what is in the way.
        point, normal: in the frame.
        rays: of each point.
        reach: in the frame.
    """
    shift = torch.rand(len(point), 2, generator=torch.Generator().manual_seed(_SEED)).to(point)
    parts = [point.new_zeros(0)]
    step = max(1, _RAYS_AT_ONCE // rays)
    for begin in range(0, len(point), step):
        some = slice(begin, begin + step)
        towards = cosine_directions(normal[some], shift[some], rays)
        start = (point[some] + _LIFT * normal[some])[:, None].expand_as(towards)
        face, t, _, _ = solid.backend.trace(
            solid.vertices, solid.surface.faces, start.reshape(-1, 3).contiguous(), towards.reshape(-1, 3).contiguous()
        )
        near = torch.where(face >= 0, (1 - t / reach).clamp(min=0), 0) ** 2
        parts.append(1 - near.reshape(-1, rays).mean(1))
    return torch.cat(parts)


def affordable(surface: Surface, longest: float) -> float:
    """A length of edges, at least `longest`, with which halving adds no more than some hundred thousand triangles."""
    corners = surface.positions[surface.faces]
    sides = (corners - corners.roll(-1, 1)).norm(dim=-1).sort(dim=1).values
    while longest > 0 and math.isfinite(longest):
        pieces = (sides[:, 2] / longest).clamp(min=1) * (sides[:, 0] / longest).clamp(min=1)  # along, and across
        if float(pieces.sum()) <= len(sides) + _MOST_ADDED:
            break
        longest *= 1.25
    return longest


def halved(surface: Surface, longest: float) -> Surface:
    """The same surface in triangles whose edges are at most so long; attributes are linear along halved edges."""
    for _ in range(_HALVINGS):
        a, b = surface.faces, surface.faces.roll(-1, 1)
        long = (surface.positions[a] - surface.positions[b]).norm(dim=-1) > longest
        if not bool(long.any()):
            break
        surface = _halved_once(surface, long)
    return replace(
        surface, topology=topology(surface.faces), face_normals=face_normals(surface.positions, surface.faces)
    )


def _halved_once(surface: Surface, long: Tensor) -> Surface:
    """Each face split at the middles of its long edges: `long` [F,3], of the edges from corner k to k + 1."""
    middles, position_edges = _middles(surface.faces, long, len(surface.positions))
    rows, row_edges = _middles(surface.attribute_faces, long, len(surface.normals))
    ends = row_edges.T
    row_position = torch.empty(len(row_edges), dtype=torch.int64, device=long.device)
    row_position[rows[long] - len(surface.normals)] = middles[long]

    def between(values: Tensor | None) -> Tensor | None:
        return None if values is None else torch.cat([values, (values[ends[0]] + values[ends[1]]) / 2])

    normals = torch.nn.functional.normalize(surface.normals[ends[0]] + surface.normals[ends[1]], dim=1)
    positions = (surface.positions[position_edges[:, 0]] + surface.positions[position_edges[:, 1]]) / 2
    return replace(
        surface,
        positions=torch.cat([surface.positions, positions]),
        faces=_split(surface.faces, middles, long),
        attribute_faces=_split(surface.attribute_faces, rows, long),
        position_of=torch.cat([surface.position_of, row_position]),
        normals=torch.cat([surface.normals, normals]),
        uv=between(surface.uv),
        colours=between(surface.colours),
        finish=between(surface.finish),
    )


def _middles(faces: Tensor, long: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Numbers [F,3] of new corners in the middles of long edges, from `count` on (else 0), and their ends [M,2]."""
    a, b = faces, faces.roll(-1, 1)
    key = torch.minimum(a, b) * count + torch.maximum(a, b)
    edges, number = torch.unique(key[long], return_inverse=True)
    middles = torch.zeros_like(faces)
    middles[long] = count + number
    return middles, torch.stack([torch.div(edges, count, rounding_mode="floor"), edges % count], 1)


def _split(faces: Tensor, middle: Tensor, long: Tensor) -> Tensor:
    """The faces in two, three or four, by how many of their edges are long; positions and attributes split alike."""
    count = long.sum(1)
    parts = [faces[count == 0]]
    for k in range(3):  # turned, so that the only long edge, or the only short one, is that from corner k
        turn = [k, (k + 1) % 3, (k + 2) % 3]
        one = (count == 1) & long[:, k]
        (a, b, c), m = faces[one][:, turn].unbind(1), middle[one][:, k]
        parts += [torch.stack([a, m, c], 1), torch.stack([m, b, c], 1)]
        two = (count == 2) & ~long[:, k]
        a, b, c = faces[two][:, turn].unbind(1)
        n, p = middle[two][:, turn[1]], middle[two][:, turn[2]]
        parts += [torch.stack([a, b, n], 1), torch.stack([a, n, p], 1), torch.stack([p, n, c], 1)]
    a, b, c = faces[count == 3].unbind(1)
    m, n, p = middle[count == 3].unbind(1)
    parts += [torch.stack(each, 1) for each in ((a, m, p), (m, b, n), (p, n, c), (m, n, p))]
    return torch.cat(parts)


def _corners(surface: Surface, solid: Body) -> tuple[Tensor, bool]:
    """Where rays start [A,3] in the frame, those at creases a little within their part; and whether backs are seen."""
    rows_at = torch.bincount(surface.position_of, minlength=len(surface.positions))
    at_crease = (rows_at > 1)[surface.position_of]
    normal = surface.normals.to(solid.vertices)
    corners = solid.vertices[surface.faces]
    middle = corners.mean(1, keepdim=True).expand_as(corners).reshape(-1, 3)
    row = surface.attribute_faces.reshape(-1)
    total = torch.zeros_like(surface.normals, dtype=middle.dtype).index_add(0, row, middle)
    number = torch.zeros_like(total[:, :1]).index_add(0, row, torch.ones_like(middle[:, :1])).clamp(min=1)
    point = solid.vertices[surface.position_of]
    inward = (total / number - point) * at_crease[:, None]
    inward = inward - (inward * normal).sum(-1, keepdim=True) * normal
    return point + _INWARD * inward, not is_solid(surface, corners)


def _rows_towards(surface: Surface, eye: Tensor) -> Tensor:
    """Numbers of the rows that face a point [3], or nearly so: what is beside a contour is averaged into it."""
    towards = torch.nn.functional.normalize(eye.to(surface.positions) - surface.positions[surface.position_of], dim=1)
    return ((surface.normals * towards).sum(1) > _ASIDE).nonzero()[:, 0]


def is_solid(surface: Surface, corners: Tensor) -> bool:
    """Whether the surface is closed with its faces outside, so that no camera beyond it sees a back."""
    closed = bool((surface.topology.faces[:, 1] >= 0).all()) and not bool(surface.topology.sign.sum(1).any())
    a, b, c = corners.double().unbind(1)
    return closed and float((a * torch.linalg.cross(b, c)).sum()) > 0


def _with_triangles(solid: Body, triangles: Tensor) -> Body:
    """What rays meet, with more triangles [T,3,3] of the frame, which are met and never asked for anything else."""
    start = len(solid.vertices)
    more = torch.arange(start, start + 3 * len(triangles), device=solid.surface.faces.device).reshape(-1, 3)
    grown = replace(solid.surface, faces=torch.cat([solid.surface.faces, more]))
    return replace(solid, surface=grown, vertices=torch.cat([solid.vertices, triangles.reshape(-1, 3)]))


def _among_neighbours(surface: Surface, values: Tensor) -> Tensor:
    """Values [A,C] of rows, each the mean of itself and of the rows that edges join it to, half and half."""
    face = surface.attribute_faces
    start, end = torch.cat([face, face.roll(-1, 1)]).reshape(-1), torch.cat([face.roll(-1, 1), face]).reshape(-1)
    total = torch.zeros_like(values).index_add(0, start, values[end])
    number = torch.zeros_like(values[:, :1]).index_add(0, start, torch.ones_like(values[end][:, :1]))
    return torch.where(number > 0, (values + total / number.clamp(min=1)) / 2, values)
