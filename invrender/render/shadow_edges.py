"""Gradients of hard shadows in traced pictures: how the borders of shadows move, by rays from the light past edges.

    picture = interior(...) + visibility(...) + sum over lights of shadow_visibility(...)

What casts the border of a shadow is an edge that is a contour as the light sees it. The plane through the light and the
edge meets the plane of the face that the shadow falls on in a line, and the picture of that line follows from the
light, the edge's ends, the face's corners and the camera by algebra (`planes`), which gradients go through. On
its one side the light's share of the radiance is there, on the other it is not: see `boundary`.
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
from invrender.render.boundary import Points, alike, boundary, located, spread
from invrender.render.edges import DEFAULT, EdgeSampling, Radiance, check_channels, check_image
from invrender.render.folds import Edges, contours, edges_of
from invrender.render.planes import edge_planes, face_planes, lines_of_planes, shadow_points
from invrender.render.screen import OUTSIDE, Frame, frame_of, screen_from_frame, screen_rays
from invrender.shading.surface import Surface

Tensor = torch.Tensor

PAST = 3e-6  # of the frame, by which light passes an edge, and up to which two places are the same
_RAYS = 2**18  # that are followed at once
_ANYWHERE = 0.1  # of the points look for shadows where the first look saw none


class _Shadows(NamedTuple):
    """K points on the borders of shadows.

    Attributes:
        view: [K] int64.
        ends: [K,2] vertex ids of the edge that casts it.
        receiver: [K] the face that it falls on.
        outward: [K] the sign of the plane through light and edge (see `edge_planes`) on its lit side.
        place: [K,2] in pixels.
        share: [K] pixels that each point stands for.
        asked: [K] int64, the number of the place on edges that the point comes from.
    """

    view: Tensor
    ends: Tensor
    receiver: Tensor
    outward: Tensor
    place: Tensor
    share: Tensor
    asked: Tensor


@dataclass(frozen=True)
class ShadowTask:
    """What finding points on shadows takes beside the tensors that move; positions are those of `frame`.

    See `shadow_visibility`; `channels` has the contribution.
    """

    backend: Backend
    faces: Tensor
    edges: Edges
    frame: Frame
    size: tuple[int, int]
    contribution: Radiance
    channels: int
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
    frame = frame_of(surface)
    edges, channels = edges_of(surface.topology), image.shape[-1]
    task = ShadowTask(backend, surface.faces, edges, frame, cameras.size, contribution, channels, sampling)
    moving = (frame.local(surface.positions), screen_from_frame(cameras, frame), frame.local_point(light))
    return boundary(image, partial(shadow_edge_points, task), *moving)


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


@torch.no_grad()
def shadow_edge_points(task: ShadowTask, positions: Tensor, screen: Tensor, light: Tensor) -> Iterator[Points]:
    """Points on the borders of a light's shadows, whose lines move with positions, views [N,4,4] and light [4]."""
    generator = torch.Generator().manual_seed(task.sampling.seed)
    casting = _casting(task, positions, light)
    if not len(casting):
        return
    step = max(1, _RAYS // task.sampling.samples)
    for begin in range(0, len(screen), step):
        views = torch.arange(begin, min(begin + step, len(screen)), device=positions.device)
        points = _points(task, casting, positions, screen, light, views, generator)
        for first in range(0, len(points.view), _RAYS):
            part = _Shadows(*(each[first : first + _RAYS] for each in points))
            yield _with_jumps(task, positions, screen, light, part)


def _points(
    task: ShadowTask,
    casting: Tensor,
    positions: Tensor,
    screen: Tensor,
    light: Tensor,
    views: Tensor,
    generator: torch.Generator,
) -> _Shadows:
    """Points on the borders of shadows that views see, dense where a first look finds many pixels of them."""
    cells = max(1, task.sampling.samples // 4)
    first = [spread(positions.new_ones(1), cells, generator) for _ in views]
    found = _seen(task, positions, screen, _cast(task, casting, positions, screen, light, views, first))
    weight = positions.new_zeros(len(views) * cells).index_put((found.asked,), found.share).reshape(-1, cells)
    near = torch.nn.functional.max_pool1d(weight[:, None], 3, 1, 1)[:, 0]
    density = near + _ANYWHERE * near.mean(1, keepdim=True)
    density = torch.where(density > 0, density, 1)
    drawn = [spread(each, task.sampling.samples, generator) for each in density]
    return _seen(task, positions, screen, _cast(task, casting, positions, screen, light, views, drawn))


def _casting(task: ShadowTask, positions: Tensor, light: Tensor) -> Tensor:
    """The edges, int64, that are contours as the light sees them."""
    chosen = contours(task.edges, positions, task.faces, light).nonzero()[:, 0]
    return chosen[_seen_length(positions[task.edges.ends[chosen]], light) > 0]


def _seen_length(ends: Tensor, light: Tensor) -> Tensor:
    """How long edges with ends [E,2,3] are to the light: an angle, or a length across its direction."""
    to_ends = light[:3] - light[3] * ends
    across = torch.linalg.cross(light[:3] - light[3] * ends[:, 0], ends[:, 1] - ends[:, 0]).norm(dim=1)
    length: Tensor = across / to_ends.norm(dim=2).prod(1).clamp(min=torch.finfo(ends.dtype).tiny)
    return length


def _outward(task: ShadowTask, positions: Tensor, edges: Tensor, plane: Tensor) -> Tensor:
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
    task: ShadowTask,
    casting: Tensor,
    positions: Tensor,
    screen: Tensor,
    light: Tensor,
    views: Tensor,
    drawn: list[tuple[Tensor, Tensor]],
) -> _Shadows:
    """Points on shadows' borders that lie within the views' pictures, seen or not; `drawn` on edges by `spread`."""
    ends = task.edges.ends[casting]
    measure = _seen_length(positions[ends], light)
    place, part = (torch.cat(each) for each in zip(*drawn, strict=True))
    line, along = located(measure, place)
    start, way = positions[ends[line, 0]], positions[ends[line, 1]] - positions[ends[line, 0]]
    at = start + along[:, None] * way
    plane = edge_planes(positions, light, ends)
    outward = _outward(task, positions, casting, plane)[line]
    receiver = _receivers(task, positions, light, at, plane[line, :3] * outward[:, None])
    view = views.repeat_interleave(len(place) // len(views))
    face = face_planes(positions, task.faces[receiver.clamp(min=0)])
    pixel, speed, before = shadow_points(screen[view], light, face, at, way)
    height, width = task.size
    inside = ((pixel >= 0) & (pixel < pixel.new_tensor([width, height]))).all(1)
    kept = ((receiver >= 0) & before & inside).nonzero()[:, 0]
    share = part * speed * measure.sum() / measure[line]
    return _Shadows(view[kept], ends[line[kept]], receiver[kept], outward[kept], pixel[kept], share[kept], kept)


def _receivers(task: ShadowTask, positions: Tensor, light: Tensor, at: Tensor, outside: Tensor) -> Tensor:
    """The faces [K], -1 for none, that light meets which just passes the edges at points [K,3] on their outer sides."""
    beside = at + PAST * torch.nn.functional.normalize(outside, dim=1)
    to_light = light[:3] - light[3] * beside
    distance = torch.where(light[3] == 0, OUTSIDE, to_light.norm(dim=1, keepdim=True).clamp(max=OUTSIDE))
    way = -torch.nn.functional.normalize(to_light, dim=1)
    face, t, _, _ = task.backend.trace(positions, task.faces, beside - distance * way, way)
    return torch.where(t > distance[:, 0] + PAST, face, -1)


def _seen(task: ShadowTask, positions: Tensor, screen: Tensor, points: _Shadows) -> _Shadows:
    """Those of the points that no face hides from the camera."""
    origin, direction = screen_rays(screen, points.view, points.place)
    face, t, _, _ = task.backend.trace(positions, task.faces, origin, direction)
    there = intersect(positions[task.faces[points.receiver]], origin, direction)[0]
    near = t >= there - PAST
    kept = ((face == points.receiver) | ((face >= 0) & near)).nonzero()[:, 0]
    return _Shadows(*(each[kept] for each in points))


def _with_jumps(task: ShadowTask, positions: Tensor, screen: Tensor, light: Tensor, points: _Shadows) -> Points:
    number, row = alike(points.view, points.receiver, points.ends[:, 0], points.ends[:, 1])
    different = _Shadows(*(each[row] for each in points))
    lit = points.outward * _lines(task.faces, different, positions, screen, light)[1].sign()[number]
    jump = (lit * points.share)[:, None] * _light_there(task, screen, points).to(lit)

    def lines(*moving: Tensor) -> Tensor:
        return _lines(task.faces, different, *moving)[0]

    return Points(points.view, points.place, jump, number, lines)


def _lines(faces: Tensor, points: _Shadows, positions: Tensor, screen: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
    """The lines [K,3] in the pictures that the points lie on, and their sides [K] (`lines_of_planes`)."""
    edge, face = edge_planes(positions, light, points.ends), face_planes(positions, faces[points.receiver])
    return lines_of_planes(torch.linalg.inv(screen)[points.view], edge, face)


def _light_there(task: ShadowTask, screen: Tensor, points: _Shadows) -> Tensor:
    """What [K,C] of the radiance at the points the light adds where it is not blocked."""
    origin, direction = screen_rays(screen, points.view, points.place)
    found: Tensor = task.contribution(task.frame.world(origin), direction)
    check_channels(found, len(origin), task.channels)
    return found
