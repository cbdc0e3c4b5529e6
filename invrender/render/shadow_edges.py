"""Gradients of hard shadows in traced pictures: how the borders of shadows move, by rays from the light past edges.

    picture = interior(...) + visibility(...) + sum over lights of shadow_visibility(...)

What casts the border of a shadow is an edge that is a contour as the light sees it. The plane through the light and the
edge meets the plane of the face that the shadow falls on in a line, and the picture of that line follows from the
light, the edge's ends, the face's corners and the camera by algebra without divisions, which is what gradients go
through. On its one side the light's share of the radiance is there, on the other it is not: see `boundary`.

With homogeneous points and planes: L = (position, 1) or (direction, 0) the light, e the eye, A the plane through L and
the edge, B the face's. The plane (B . e) A - (A . e) B contains the line and the eye, and takes the screen's matrix to
become the line of the picture. The point P of the edge throws its shadow to (B . P) L - (B . L) P.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch

from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.kernels.intersect import intersect
from invrender.nouns import Cameras
from invrender.ops.rays import check_finite
from invrender.render.boundary import boundary, distance, pixel_values, stratified
from invrender.render.edges import DEFAULT, EdgeSampling, Radiance, check_channels, check_image, middle
from invrender.render.folds import Edges, edges_of, facing, folds
from invrender.render.screen import screen_from_world, screen_rays
from invrender.shading.surface import Surface

Tensor = torch.Tensor

PAST = 1e-5  # of the mesh's radius, by which light passes an edge, and up to which two places are the same
_RAYS = 2**18  # that are followed at once


class _Shadows(NamedTuple):
    """K points on the borders of shadows.

    Attributes:
        view: [K] int64.
        ends: [K,2] vertex ids of the edge that casts it.
        receiver: [K] the face that it falls on.
        outward: [K] the sign of the plane through light and edge (see `_planes`) on its lit side.
        place: [K,2] in pixels.
        share: [K] pixels that each point stands for.
    """

    view: Tensor
    ends: Tensor
    receiver: Tensor
    outward: Tensor
    place: Tensor
    share: Tensor


@dataclass(frozen=True)
class _Task:
    """What the estimate needs beside the tensors that move; positions are about `centre`."""

    backend: Backend
    faces: Tensor
    edges: Edges
    centre: Tensor
    size: tuple[int, int]
    contribution: Radiance
    sampling: EdgeSampling


def shadow_visibility(
    image: Tensor,
    surface: Surface,
    cameras: Cameras,
    backend: Backend,
    light: Tensor,
    contribution: Radiance,
    sampling: EdgeSampling = DEFAULT,
) -> Tensor:
    """Zeros [N,H,W,C] that add to a traced picture the gradient of how the shadows of one light move.

    Differentiable in the surface's positions (of what casts a shadow and of what it falls on), in the light and in the
    cameras. Shadows that are seen in mirrors have none. See `edges.visibility` for what else the picture needs.

    Args:
        image: [N,H,W,C] the picture without this; only its shape, dtype and device are used.
        surface: the mesh.
        cameras: N of them, perspective or orthographic, with the image's size.
        backend: whose `trace` finds where shadows fall and whether they are seen.
        light: [4], (position, 1), or (direction towards it, 0) of any length.
        contribution: how much of the radiance along rays is reflected light of this light that no shadow takes away;
            called without gradients.
        sampling: how many points on edges, for each view.

    Raises:
        InputError: a position is not a finite number.
        UsageError: the image is not of these cameras, the light is no such point, or the contribution has another
            number of channels.
    """
    check_image(image, cameras)
    check_finite(surface.positions)
    _check_light(light)
    centre = middle(surface.positions)
    task = _Task(backend, surface.faces, edges_of(surface.topology), centre, cameras.size, contribution, sampling)
    light = light.to(centre)
    local = torch.cat([light[:3] - light[3] * centre, light[3:]])
    screen = screen_from_world(cameras, centre)
    return boundary(image, partial(_estimate, task), surface.positions - centre, screen, local)


def _check_light(light: Tensor) -> None:
    light = light.detach()
    if tuple(light.shape) != (4,) or not bool(torch.isfinite(light).all()):
        raise UsageError(
            f"the light is {light.tolist()}, and four finite numbers make one",
            "give (x, y, z, 1) for a position, (x, y, z, 0) for a direction towards the light",
        )
    if float(light[3]) not in (0, 1) or (float(light[3]) == 0 and not bool((light[:3] != 0).any())):
        raise UsageError(
            f"the light {light.tolist()} is neither a position nor a direction",
            "let its last number be 1 for a position; for a direction, which must not be 0, let it be 0",
        )


def _estimate(task: _Task, grad: Tensor, positions: Tensor, screen: Tensor, light: Tensor) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(task.sampling.seed)
    with torch.no_grad():
        contours = _contours(task, positions, light)
    if not len(contours):
        return
    step = max(1, _RAYS // task.sampling.samples)
    for begin in range(0, len(screen), step):
        views = torch.arange(begin, min(begin + step, len(screen)), device=positions.device)
        with torch.no_grad():
            points = _seen(task, positions, screen, _cast(task, contours, positions, screen, light, views, generator))
        if len(points.view):
            yield _signed(task, grad, positions, screen, light, points)


def _contours(task: _Task, positions: Tensor, light: Tensor) -> Tensor:
    """The edges, int64, that are contours as the light sees them."""
    chosen = folds(task.edges, facing(positions, task.faces, light)).nonzero()[:, 0]
    return chosen[_seen_length(positions[task.edges.ends[chosen]], light) > 0]


def _seen_length(ends: Tensor, light: Tensor) -> Tensor:
    """How long edges with ends [E,2,3] are to the light: an angle, or a length across its direction."""
    to_ends = light[:3] - light[3] * ends
    across = torch.linalg.cross(light[:3] - light[3] * ends[:, 0], ends[:, 1] - ends[:, 0]).norm(dim=1)
    length: Tensor = across / to_ends.norm(dim=2).prod(1).clamp(min=torch.finfo(ends.dtype).tiny)
    return length


def _planes(positions: Tensor, light: Tensor, ends: Tensor) -> Tensor:
    """Homogeneous planes [K,4] through the light and edges with vertex ids [K,2]."""
    start, along = positions[ends[:, 0]], positions[ends[:, 1]] - positions[ends[:, 0]]
    normal = torch.linalg.cross(light[:3] - light[3] * start, along)
    return torch.cat([normal, -(normal * start).sum(1, keepdim=True)], 1)


def _face_planes(positions: Tensor, faces: Tensor) -> Tensor:
    """Homogeneous planes [K,4] of faces [K,3]."""
    a, b, c = (positions[faces[:, k]] for k in range(3))
    normal = torch.linalg.cross(b - a, c - a)
    return torch.cat([normal, -(normal * a).sum(1, keepdim=True)], 1)


def _outward(task: _Task, positions: Tensor, edges: Tensor, plane: Tensor) -> Tensor:
    """[K] the sign of the plane through light and edge on the side where the edge's faces are not."""
    sides = []
    for k in range(2):
        corners = positions[task.faces[task.edges.faces[edges, k]]]  # the edge's own two are in the plane
        signed = (corners * plane[:, None, :3]).sum(2) + plane[:, 3:]
        sides.append(signed.gather(1, signed.abs().argmax(1, keepdim=True))[:, 0])
    exists = task.edges.faces[edges, 1] >= 0
    second = torch.where(exists, sides[1], 0.0)
    return -torch.where(second.abs() > sides[0].abs(), second, sides[0]).sign()


def _cast(
    task: _Task,
    contours: Tensor,
    positions: Tensor,
    screen: Tensor,
    light: Tensor,
    views: Tensor,
    generator: torch.Generator,
) -> _Shadows:
    """Points on shadows' borders that lie within the views' pictures, seen or not."""
    ends = task.edges.ends[contours]
    measure = _seen_length(positions[ends], light)
    drawn = [stratified(measure, task.sampling.samples, generator) for _ in views]
    line, along = (torch.cat(each) for each in zip(*drawn, strict=True))
    start, way = positions[ends[line, 0]], positions[ends[line, 1]] - positions[ends[line, 0]]
    at = start + along[:, None] * way
    plane = _planes(positions, light, ends)
    outward = _outward(task, positions, contours, plane)[line]
    receiver = _receivers(task, positions, light, at, plane[line, :3] * outward[:, None])
    view = views.repeat_interleave(task.sampling.samples)
    face = _face_planes(positions, task.faces[receiver.clamp(min=0)])
    place, speed, before = _shadow_points(screen[view], light, face, at, way)
    height, width = task.size
    inside = ((place >= 0) & (place < place.new_tensor([width, height]))).all(1)
    kept = ((receiver >= 0) & before & inside).nonzero()[:, 0]
    share = speed * measure.sum() / task.sampling.samples / measure[line]
    return _Shadows(view[kept], ends[line[kept]], receiver[kept], outward[kept], place[kept], share[kept])


def _receivers(task: _Task, positions: Tensor, light: Tensor, at: Tensor, outside: Tensor) -> Tensor:
    """The faces [K], -1 for none, that light meets which just passes the edges at points [K,3] on their outer sides."""
    radius = positions.norm(dim=1).max()
    beside = at + PAST * radius * torch.nn.functional.normalize(outside, dim=1)
    if float(light[3]) == 0:
        way = -torch.nn.functional.normalize(light[:3], dim=0).expand_as(beside)
        origin = beside - 3 * radius * way
    else:
        origin, way = light[:3].expand_as(beside), torch.nn.functional.normalize(beside - light[:3], dim=1)
    face, t, _, _ = task.backend.trace(positions, task.faces, origin.contiguous(), way.contiguous())
    return torch.where(t > (beside - origin).norm(dim=1) + PAST * radius, face, -1)


def _shadow_points(
    screen: Tensor, light: Tensor, face: Tensor, at: Tensor, way: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where points [K,3] of edges cast their shadows on planes [K,4], as cameras [K,4,4] see them.

    Returns:
        [K,2] in pixels; [K] by how many pixels a step of the length of `way` [K,3] along the edge moves it; and [K]
        whether it lies before the camera.
    """
    on_edge = (face[:, :3] * at).sum(1, keepdim=True) + face[:, 3:]
    to_light = (face * light).sum(1, keepdim=True)
    step = torch.cat([way, torch.zeros_like(on_edge)], 1)
    shadow = on_edge * light - to_light * torch.cat([at, torch.ones_like(on_edge)], 1)
    moved = (face * step).sum(1, keepdim=True) * light - to_light * step
    point, speed = ((screen @ each[:, :, None])[..., 0] for each in (shadow, moved))
    depth = torch.where(point[:, 3:] == 0, 1, point[:, 3:])
    place = point[:, :2] / depth
    velocity = (speed[:, :2] - place * speed[:, 3:]) / depth
    return place, velocity.norm(dim=1), (point[:, 3] * shadow[:, 3]) > 0


def _seen(task: _Task, positions: Tensor, screen: Tensor, points: _Shadows) -> _Shadows:
    """Those of the points that no face hides from the camera."""
    origin, direction = screen_rays(screen, points.view, points.place)
    face, t, _, _ = task.backend.trace(positions, task.faces, origin.contiguous(), direction.contiguous())
    there = intersect(positions[task.faces[points.receiver]], origin, direction)[0]
    near = t >= there - PAST * positions.norm(dim=1).max()
    kept = ((face == points.receiver) | ((face >= 0) & near)).nonzero()[:, 0]
    return _Shadows(*(each[kept] for each in points))


def _signed(task: _Task, grad: Tensor, positions: Tensor, screen: Tensor, light: Tensor, points: _Shadows) -> Tensor:
    """The sum over the points of (f+ - f-) . grad share distance; see `boundary`."""
    edge, face = _planes(positions, light, points.ends), _face_planes(positions, task.faces[points.receiver])
    from_screen = torch.linalg.inv(screen)
    eye = from_screen[:, :, 2][points.view]
    side = (face * eye).sum(1, keepdim=True)
    through_eye = side * edge - (edge * eye).sum(1, keepdim=True) * face
    line = (from_screen[points.view].transpose(1, 2) @ through_eye[:, :, None])[:, [0, 1, 3], 0]
    with torch.no_grad():
        lit = points.outward * side[:, 0].sign()
        jump = lit[:, None] * _light_there(task, screen, points, grad.shape[-1]).to(line)
        factor = (jump * pixel_values(grad, points.view, points.place).to(jump)).sum(1) * points.share
    total: Tensor = (factor * distance(line, points.place)).sum()
    return total


def _light_there(task: _Task, screen: Tensor, points: _Shadows, channels: int) -> Tensor:
    """What [K,C] of the radiance at the points the light adds where it is not blocked."""
    origin, direction = screen_rays(screen, points.view, points.place)
    found: Tensor = task.contribution(origin + task.centre, direction)
    check_channels(found, len(origin), channels)
    return found
