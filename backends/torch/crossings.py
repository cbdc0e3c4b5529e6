"""Where projected contour edges cross the centres of pixel rows and columns.

A contour segment is an edge at which the number of surface layers changes: with facing s_f = +-1 of every face f, the
boundary of the sum of all projected triangles (each counted once, whatever its facing) is a sum over edges e

    sum_f s_f * boundary(f)  =  sum_e c_e * e,        c_e = sum over the faces f at e of s_f * sign(f, e),

so edges with c_e = 0 can be dropped: for a closed mesh only silhouette edges remain, about the square root of the face
count. This holds for any soup of triangles, open, non-manifold or inconsistently wound.

Triangles that cross the near plane are cut there: the cut points are appended as new vertices, the cut itself becomes a
segment of its own, and `screen_adjoint` carries gradients of the new vertices back to the old ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.arguments import check_faces
from invrender.nouns.topology import Topology

Tensor = torch.Tensor


@dataclass(frozen=True)
class Segments:
    """Contour segments in pixels.

    Attributes:
        clip: [M,4] all vertices of all views, view by view, then the points cut at the near plane.
        screen: [M,2] float64 pixel coordinates (x right, y down) of `clip`; unused behind the near plane.
        ends: [S,2] int64 rows of `clip`.
        view: [S] int64.
        coefficient: [S] int64, c_e of the edge run from ends[:,0] to ends[:,1].
        parents: [C,2] int64 rows of `clip` between which each of the last C rows was cut.
    """

    clip: Tensor
    screen: Tensor
    ends: Tensor
    view: Tensor
    coefficient: Tensor
    parents: Tensor


@dataclass(frozen=True)
class Crossings:
    """Crossings of K segments with scanlines through pixel centres.

    Attributes:
        segment: [K] int64, row of the Segments.
        line: [K] int64, row (axis 0) or column (axis 1) that is crossed.
        position: [K] float64, coordinate along the line in pixels.
        t: [K] float64 in [0, 1], where on the segment.
        slope: [K] float64, d position / d (coordinate across the lines).
        step: [K] int64, +c or -c: how the layer count changes along the line.
    """

    segment: Tensor
    line: Tensor
    position: Tensor
    t: Tensor
    slope: Tensor
    step: Tensor


def to_screen(clip: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixel coordinates [...,2] float64 of clip positions [...,4]."""
    height, width = size
    w = clip[..., 3:].double()
    w = torch.where(w.abs() < 1e-30, torch.full_like(w, 1e-30), w)
    ndc = clip[..., :2].double() / w
    return torch.stack([(ndc[..., 0] + 1) * (0.5 * width), (1 - ndc[..., 1]) * (0.5 * height)], -1)


def face_orientations(clip: Tensor, faces: Tensor) -> Tensor:
    """Signs of the areas of projected triangles: [N,F] int8 in {-1, 0, +1} from clip [N,V,4].

    The sign of det[x y w] (Olano and Greer 1997, "Triangle Scan Conversion using 2D Homogeneous Coordinates") is right
    for triangles that reach behind the eye, too. Where none does, twice the projected area has the same sign and half
    the cost.
    """
    x, y, w = clip[..., 0], clip[..., 1], clip[..., 3]
    corners = faces.unbind(1)
    if bool((w > 0).all()):
        (ax, bx, cx), (ay, by, cy) = ([values[:, corner] for corner in corners] for values in (x / w, y / w))
        return torch.sign((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)).to(torch.int8)
    a, b, c = (torch.stack([x, y, w], -1)[:, corner] for corner in corners)
    return torch.sign((a * torch.linalg.cross(b, c)).sum(-1)).to(torch.int8)


def contour_segments(clip: Tensor, faces: Tensor, topology: Topology, size: tuple[int, int]) -> Segments:
    """The contour segments of a mesh in N views.

    Args:
        clip: [N,V,4] float clip positions.
        faces: [F,3] int64.
        topology: of `faces`.
        size: (H, W) pixels.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, clip.shape[1])
    facing = face_orientations(clip, faces)
    padded = torch.cat([facing, facing.new_zeros(len(facing), 1)], 1)  # face -1 reads the 0 at the end
    left, right = topology.faces.unbind(1)
    per_edge = padded[:, left] * topology.sign[:, 0] + padded[:, right] * topology.sign[:, 1]
    view, edge = per_edge.nonzero(as_tuple=True)
    flat = clip.reshape(-1, 4)
    ends = topology.edges[edge] + (view * clip.shape[1])[:, None]
    coefficient = per_edge[view, edge].long()
    parents = ends.new_zeros(0, 2)
    if bool((_near(flat) <= 0).any()):
        flat, ends, view, coefficient, parents = _cut(flat, faces, facing, ends, view, coefficient)
    return Segments(flat, to_screen(flat, size), ends, view, coefficient, parents)


def _near(clip: Tensor) -> Tensor:
    """Signed distance (in clip units) from the near plane z = -w; positive is visible."""
    return clip[..., 2] + clip[..., 3]


def _cut(
    flat: Tensor, faces: Tensor, facing: Tensor, ends: Tensor, view: Tensor, coefficient: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Cut segments and triangles at the near plane; new points are appended to `flat`."""
    in_front = _near(flat) > 0
    inside = in_front[ends]
    keep = inside.any(1)
    ends, view, coefficient, inside = ends[keep], view[keep], coefficient[keep], inside[keep]
    half = (~inside.all(1)).nonzero()[:, 0]
    parents = [ends[half]]
    ends = ends.clone()
    ends[half, (~inside[half, 1]).long()] = len(flat) + torch.arange(len(half), device=flat.device)

    # Every triangle that straddles the plane gains one edge along it, from where its border leaves the visible side (on
    # the edge from inside to outside) to where it enters again.
    vertices = len(flat) // len(facing)
    corners = faces[None] + torch.arange(len(facing), device=flat.device)[:, None, None] * vertices
    in_corner = in_front[corners]
    view_f, face_f = (in_corner.any(2) & ~in_corner.all(2)).nonzero(as_tuple=True)
    corner, ok = corners[view_f, face_f], in_corner[view_f, face_f]
    following = corner.roll(-1, 1)
    leave = (ok & ~ok.roll(-1, 1)).long().argmax(1, keepdim=True)
    enter = (~ok & ok.roll(-1, 1)).long().argmax(1, keepdim=True)
    first_new = len(flat) + len(half)
    count = len(corner)
    for at in (leave, enter):
        parents.append(torch.cat([corner.gather(1, at), following.gather(1, at)], 1))
    fresh = first_new + torch.arange(2 * count, device=flat.device).reshape(2, count).T
    every_parent = torch.cat(parents)
    return (
        torch.cat([flat, _cut_points(flat, every_parent)]),
        torch.cat([ends, fresh]),
        torch.cat([view, view_f]),
        torch.cat([coefficient, facing[view_f, face_f].long()]),
        every_parent,
    )


def _cut_points(flat: Tensor, parents: Tensor) -> Tensor:
    a, b = flat[parents[:, 0]], flat[parents[:, 1]]
    # Slightly in front of the plane z = -w, so that w stays positive where the plane passes through the eye.
    t = (_near(a) / (_near(a) - _near(b)))[:, None]
    return a + t * (b - a)


def scanline_crossings(segments: Segments, axis: int, size: tuple[int, int]) -> Crossings:
    """Crossings with the centres of rows (axis 0) or columns (axis 1).

    A vertex that lies on a centre line belongs to the side above it (half-open rule), so that every closed loop
    crosses every line equally often in both directions.
    """
    count = size[axis]
    across = segments.screen[:, 1 - axis][segments.ends]
    low, high = across.amin(1), across.amax(1)
    start = torch.ceil(low - 0.5).clamp(0, count).long()
    stop = torch.ceil(high - 0.5).clamp(0, count).long()
    number = stop - start
    segment = torch.repeat_interleave(number)
    offset = number.cumsum(0) - number
    line = torch.arange(len(segment), device=number.device) - offset[segment] + start[segment]
    begin, rise = across[segment, 0], across[segment, 1] - across[segment, 0]
    along = segments.screen[:, axis][segments.ends[segment]]
    t = ((line + 0.5 - begin) / rise).clamp(0, 1)
    run = along[:, 1] - along[:, 0]
    step = torch.where(rise > 0, segments.coefficient[segment], -segments.coefficient[segment])
    return Crossings(segment, line, along[:, 0] + t * run, t, run / rise, step if axis == 0 else -step)


def screen_adjoint(segments: Segments, grad_screen: Tensor, size: tuple[int, int], shape: torch.Size) -> Tensor:
    """The gradient with respect to clip [N,V,4] from that with respect to `segments.screen` [M,2] float64."""
    height, width = size
    flat = segments.clip.double()
    touched = (grad_screen != 0).any(1)
    x_clip, y_clip, _, w = torch.where(touched[:, None], flat, flat.new_tensor([0.0, 0, 0, 1])).unbind(1)  # finite
    x = grad_screen[:, 0] * (0.5 * width) / w
    y = -grad_screen[:, 1] * (0.5 * height) / w
    grad = torch.stack([x, y, torch.zeros_like(x), -(x * x_clip + y * y_clip) / w], 1)
    whole = len(flat) - len(segments.parents)
    if len(segments.parents):
        grad, cut = grad[:whole].clone(), grad[whole:]
        used = touched[whole:]
        _cut_points_adjoint(grad, cut[used], flat, segments.parents[used])
    return grad.reshape(shape).to(segments.clip.dtype)


def _cut_points_adjoint(grad: Tensor, cut: Tensor, flat: Tensor, parents: Tensor) -> None:
    """Chain rule of p = a + t (b - a), t = n_a / (n_a - n_b), n = z + w; adds into `grad` in place."""
    a, b = flat[parents[:, 0]], flat[parents[:, 1]]
    na, nb = _near(a), _near(b)
    t = na / (na - nb)
    through_t = (cut * (b - a)).sum(1) / (na - nb) ** 2
    plane = flat.new_tensor([0.0, 0.0, 1.0, 1.0])
    grad.index_add_(0, parents[:, 0], (1 - t)[:, None] * cut - (nb * through_t)[:, None] * plane)
    grad.index_add_(0, parents[:, 1], t[:, None] * cut + (na * through_t)[:, None] * plane)
