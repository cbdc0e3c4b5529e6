"""Gradients of visibility for traced pictures: silhouettes, borders and creases, by rays on both sides of their edges.

    picture = interior(...) + visibility(interior, surface, cameras, radiance)

Traced pictures take one face per ray, which is discrete: automatic differentiation sees what happens within a face and
not that faces move over each other. `visibility` is zero and has the missing gradient; see `boundary` for the equation.
It takes nothing but a function that tells the radiance along rays, so it works with every backend and all shading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch

from invrender.errors import UsageError
from invrender.nouns import Cameras
from invrender.ops.rays import check_finite
from invrender.render.boundary import Points, alike, boundary, spread_on_lines
from invrender.render.crossings import crossing_lines, crossings
from invrender.render.folds import Edges, contours, edges_of, jumps
from invrender.render.screen import Frame, clipped, eye_points, frame_of, screen_from_frame, screen_rays
from invrender.shading.surface import Surface

Tensor = torch.Tensor

Radiance = Callable[[Tensor, Tensor], Tensor]
"""What is seen along rays: origins and unit directions [R,3] float64 in the world to [R,C]."""

REACH = 3e-4  # pixels between an edge and the rays on its sides, in pictures of up to 500 pixels
_RAYS = 2**18  # that are followed at once


@dataclass(frozen=True)
class EdgeSampling:
    """How closely edges are looked at.

    Attributes:
        samples: about how many points on the edges of each view, two rays each. The noise falls with their number: with
            its root at least, faster where the colours along the edges are smooth.
        seed: of the points' places; equal seeds give equal gradients.
    """

    samples: int = 2**14
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise UsageError(f"{self.samples} samples on edges are impossible", "use at least 1")


DEFAULT = EdgeSampling()


class _Places(NamedTuple):
    """K points on lines across which colours jump.

    Attributes:
        view: [K] int64.
        pair: [K,2] int64, the ids of an edge's two vertices, or of two faces that pass through each other.
        crossing: [K] bool, which of them.
        place: [K,2] in pixels.
        share: [K] pixels that each point stands for.
    """

    view: Tensor
    pair: Tensor
    crossing: Tensor
    place: Tensor
    share: Tensor


class Lines(NamedTuple):
    """The lines of a mesh: its edges, which of them count from everywhere [E], and crossings of faces (`crossings`)."""

    edges: Edges
    always: Tensor
    crossed: Tensor
    ends: Tensor


def lines_of(surface: Surface, frame: Frame) -> Lines:
    """The lines of a mesh, positions in a frame; without gradients."""
    with torch.no_grad():
        edges = edges_of(surface.topology)
        crossed, ends = crossings(frame.local(surface.positions), surface.faces)
        return Lines(edges, jumps(surface, edges), crossed, ends)


def visibility(
    image: Tensor,
    surface: Surface,
    cameras: Cameras,
    radiance: Radiance,
    sampling: EdgeSampling = DEFAULT,
    lights: Tensor | None = None,
) -> Tensor:
    """Zeros [N,H,W,C] that add to a traced picture the gradient of what its edges show and hide.

    Differentiable in the surface's positions and in the cameras. The picture's pixels are means over their squares.
    Time and memory grow with the samples and not with the pixels. Edges count where they are contours or borders as
    the camera sees them, where the surface's normals, colours or texture coordinates are different on both sides, and,
    with `lights`, where they are contours as seen by a light, since what casts a shadow on itself is dark from there
    on. Lines in which faces pass through each other count as edges. Edges that mirrors show have no gradient here.

    Args:
        image: [N,H,W,C] the picture without this; only its shape, dtype and device are used.
        surface: the mesh; its positions are what gradients reach.
        cameras: N of them, perspective or orthographic, with the image's size.
        radiance: linear radiance along rays, background included; called without gradients. Rays start in the eye or,
            where that is far from the mesh, before it: whatever the function knows beyond the surface must be near.
        sampling: how many points on edges.
        lights: [K,4], lights that cast hard shadows: (position, 1), or (direction towards it, 0).

    Raises:
        InputError: a position is not a finite number.
        UsageError: the image is not of these cameras, or the radiance has another number of channels.
    """
    check_image(image, cameras)
    check_finite(surface.positions)
    frame = frame_of(surface)
    task = EdgeTask(surface, frame, cameras.size, radiance, image.shape[-1], sampling, lights)
    return boundary(
        image, partial(edge_points, task), frame.local(surface.positions), screen_from_frame(cameras, frame)
    )


def check_image(image: Tensor, cameras: Cameras) -> None:
    """
    Raises:
        UsageError: the image [N,H,W,C] is not one of N such cameras.
    """
    if image.ndim != 4 or tuple(image.shape[:3]) != (len(cameras), *cameras.size):
        height, width = cameras.size
        raise UsageError(
            f"the picture's shape is {list(image.shape)}, and the cameras take [{len(cameras)}, {height}, {width}, C]",
            "give the picture that these cameras take",
        )


@dataclass(frozen=True)
class EdgeTask:
    """What finding points on edges takes beside the tensors that move; positions are those of `frame`.

    See `visibility`; `channels` has the radiance, and `lines` are those of the surface, or None: found anew.
    """

    surface: Surface
    frame: Frame
    size: tuple[int, int]
    radiance: Radiance
    channels: int
    sampling: EdgeSampling
    lights: Tensor | None
    lines: Lines | None = None


@torch.no_grad()
def edge_points(task: EdgeTask, positions: Tensor, screen: Tensor) -> Iterator[Points]:
    """Points on the edges that views [N,4,4] see, whose lines move with positions and views; see `boundary`."""
    generator = torch.Generator().manual_seed(task.sampling.seed)
    step = max(1, _RAYS // (2 * task.sampling.samples))
    lines = task.lines or lines_of(task.surface, task.frame)
    lines = lines._replace(always=lines.always | _light_folds(task, lines.edges, positions))
    for begin in range(0, len(screen), step):
        views = range(begin, min(begin + step, len(screen)))
        parts = [_points(task, lines, positions, screen, k, generator) for k in views]
        points = _Places(*(torch.cat(each) for each in zip(*parts, strict=True)))
        for first in range(0, len(points.view), _RAYS // 2):
            yield _with_jumps(task, positions, screen, _Places(*(e[first : first + _RAYS // 2] for e in points)))


def _light_folds(task: EdgeTask, edges: Edges, positions: Tensor) -> Tensor:
    """[E] bool: the edges that are contours as seen by one of the lights."""
    found = torch.zeros_like(edges.open)
    for light in () if task.lights is None else task.lights.detach().to(positions):
        found |= contours(edges, positions, task.surface.faces, task.frame.local_point(light))
    return found


def _points(
    task: EdgeTask, lines: Lines, positions: Tensor, screen: Tensor, view: int, generator: torch.Generator
) -> _Places:
    """Points on the lines that one view shows, by their length; at least half of them on contours and crossings."""
    edges = lines.edges
    contour = contours(edges, positions, task.surface.faces, eye_points(screen[[view]])[0])
    chosen = (contour | lines.always).nonzero()[:, 0]
    pair, ends = torch.cat([edges.ends[chosen], lines.crossed]), torch.cat([positions[edges.ends[chosen]], lines.ends])
    crossing = torch.arange(len(pair), device=pair.device) >= len(chosen)
    outline = torch.cat([contour[chosen], crossing[len(chosen) :]])
    parts = clipped(project(screen[view], ends), task.size)
    length = (parts[:, 1] - parts[:, 0]).norm(dim=1)
    seen = length > 0
    pair, crossing, outline, parts, length = (each[seen] for each in (pair, crossing, outline, parts, length))
    if not len(pair):
        return _Places(pair[:, 0], pair, crossing, parts[:, 0], length)
    weight = _weights(length, outline)
    line, along, share = spread_on_lines(length * weight, task.sampling.samples, generator)
    place = parts[line, 0] + along[:, None] * (parts[line, 1] - parts[line, 0])
    return _Places(torch.full_like(line, view), pair[line], crossing[line], place, share / weight[line])


def _weights(length: Tensor, contour: Tensor) -> Tensor:
    """How densely edges [E] are looked at: such that those that are no outlines take half of the points at most."""
    outline = length[contour].sum()
    inside = length[~contour].sum()
    share = outline / inside if bool((outline > 0) & (inside > outline)) else torch.ones_like(outline)
    return torch.where(contour, torch.ones_like(share), share)


def project(screen: Tensor, points: Tensor) -> Tensor:
    """Homogeneous screen positions [...,4] of points [...,3] of the frame."""
    return points @ screen[:, :3].T + screen[:, 3]


def _with_jumps(task: EdgeTask, positions: Tensor, screen: Tensor, points: _Places) -> Points:
    number, row = alike(points.view, points.crossing.long(), points.pair[:, 0], points.pair[:, 1])
    lines = partial(_lines, task.surface.faces, _Places(*(each[row] for each in points)))
    across = torch.nn.functional.normalize(lines(positions, screen)[:, :2], dim=1)[number]
    jump = _jump(task, screen, points, across) * points.share[:, None]
    return Points(points.view, points.place, jump, number, lines)


def _lines(faces: Tensor, points: _Places, positions: Tensor, screen: Tensor) -> Tensor:
    """The lines [K,3] in the pictures that the points lie on; differentiable."""
    edge, face = (~points.crossing).nonzero()[:, 0], points.crossing.nonzero()[:, 0]
    camera, ends = screen[points.view[edge]][:, [0, 1, 3]], positions[points.pair[edge]]
    first, second = ((camera[..., :3] @ ends[:, k, :, None])[..., 0] + camera[..., 3] for k in range(2))
    found = positions.new_zeros(len(points.view), 3).index_put((edge,), torch.linalg.cross(first, second))
    if not len(face):
        return found
    from_screen = torch.linalg.inv(screen)[points.view[face]]
    return found.index_put((face,), crossing_lines(from_screen, positions, faces, points.pair[face]))


def _jump(task: EdgeTask, screen: Tensor, points: _Places, across: Tensor) -> Tensor:
    """How much more radiance [K,C] there is on the + side of the edges."""
    reach = REACH * max(1.0, max(task.size) / 500)  # float32 has so many digits for the whole width of a picture
    sides = torch.cat([points.place + reach * across, points.place - reach * across])
    origin, direction = screen_rays(screen, points.view.repeat(2), sides)
    found: Tensor = task.radiance(task.frame.world(origin), direction).to(across)
    check_channels(found, len(origin), task.channels)
    plus, minus = found.chunk(2)
    return plus - minus


def check_channels(found: Tensor, rays: int, channels: int) -> None:
    """
    Raises:
        UsageError: a function of rays gave another shape than [rays, channels].
    """
    if tuple(found.shape) != (rays, channels):
        raise UsageError(
            f"the radiance of {rays} rays has the shape {list(found.shape)}, and the picture {channels} channels",
            "give a function of [R,3] and [R,3] that returns [R, channels]",
        )
