"""The contour of one view: where its vertices lie on the screen, and the edges at which layers begin or end.

Everything here runs inside a kernel, so arrays may be allocated. See `invrender.backends.torch.crossings` for the idea.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from invrender.backends.bodies.contour import (
    FARTHEST,
    cut_point,
    face_orientation,
    is_in_front,
    orientation,
    screen_x,
    screen_y,
)
from invrender.backends.bodies.target import device

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Signs: TypeAlias = NDArray[np.int8]
Contour: TypeAlias = tuple[Floats, Floats, Ints, Ints, Ints]


@device
def contour(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, height: int, width: int,
    screen: Floats, facing: Signs, chosen: Ints,
) -> Contour:  # fmt: skip
    """Contour segments of one view.

    Args:
        clip: [V,4] float32 or float64.
        faces: [F,3].
        edges, edge_faces, signs: [E,2] vertices, faces (F where there is none) and orientations of the edges.
        height, width: of the image.
        screen [V,2], facing [F+1], chosen [E+1]: see `workspace`.

    Returns:
        x and y [M] in pixels of the V vertices and then of the points cut at the near plane; ends [S,2] and
        coefficient [S] of the segments; parents [M-V,2], the vertices between which each point was cut.
    """
    facing[len(faces)] = 0
    plain = _project(clip, 0.5 * width, 0.5 * height, screen)
    if plain:
        for f in range(len(faces)):
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            facing[f] = orientation(screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1])
    else:
        for f in range(len(faces)):
            facing[f] = face_orientation(clip, faces[f, 0], faces[f, 1], faces[f, 2], 0.5 * width, 0.5 * height)
    number = 0
    for e in range(len(edges)):
        chosen[number] = e
        number += facing[edge_faces[e, 0]] * signs[e, 0] + facing[edge_faces[e, 1]] * signs[e, 1] != 0
    ends, coefficient = np.empty((number, 2), np.int32), np.empty(number, np.int32)
    for s in range(number):
        e = chosen[s]
        ends[s, 0], ends[s, 1] = edges[e, 0], edges[e, 1]
        coefficient[s] = facing[edge_faces[e, 0]] * signs[e, 0] + facing[edge_faces[e, 1]] * signs[e, 1]
    if plain:
        return screen[:, 0], screen[:, 1], ends, coefficient, np.empty((0, 2), np.int32)
    ends, coefficient, parents = _cut(clip, faces, facing, ends, coefficient)
    screen = _with_cut_points(clip, screen, parents, 0.5 * width, 0.5 * height)
    return screen[:, 0], screen[:, 1], ends, coefficient, parents


@register_jitable
def workspace(vertices: int, faces: int, edges: int) -> tuple[Floats, Signs, Ints]:
    """Scratch arrays of `contour`; made once for many views, by kernels or (then uncompiled) by their callers."""
    screen = np.empty((vertices, 2), np.float64)  # x and y side by side: faces fetch both
    return screen, np.empty(faces + 1, np.int8), np.empty(edges + 1, np.int32)


@device
def _project(clip: Floats, half_width: float, half_height: float, screen: Floats) -> bool:
    """Fill screen [V,2]; whether all vertices are finite, before the near plane and before the eye."""
    plain = True
    for i in range(len(clip)):
        w = np.float64(clip[i, 3])
        x, y = screen_x(np.float64(clip[i, 0]), w, half_width), screen_y(np.float64(clip[i, 1]), w, half_height)
        plain &= (w > 0.0) & (clip[i, 2] + w > 0.0) & (abs(x) < FARTHEST) & (abs(y) < FARTHEST)
        screen[i, 0], screen[i, 1] = x, y
    return plain


@device
def _cut(clip: Floats, faces: Ints, facing: Signs, ends: Ints, coefficient: Ints) -> tuple[Ints, Ints, Ints]:
    """Segments cut at the near plane, with one more along it for every face that straddles it."""
    count = len(clip)
    room = len(ends) + len(faces)
    new_ends, new_coefficient = np.empty((room, 2), np.int32), np.empty(room, np.int32)
    parents = np.empty((len(ends) + 2 * len(faces), 2), np.int32)
    kept, cuts = 0, 0
    for s in range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        front_a, front_b = is_in_front(clip, a), is_in_front(clip, b)
        if not (front_a or front_b):
            continue
        new_ends[kept, 0], new_ends[kept, 1], new_coefficient[kept] = a, b, coefficient[s]
        if not (front_a and front_b):
            parents[cuts, 0], parents[cuts, 1] = a, b
            new_ends[kept, 0 if front_b else 1] = count + cuts
            cuts += 1
        kept += 1
    for f in range(len(faces)):
        if facing[f] == 0:
            continue
        inside = int(is_in_front(clip, faces[f, 0])) + int(is_in_front(clip, faces[f, 1]))
        inside += int(is_in_front(clip, faces[f, 2]))
        if inside in (0, 3):
            continue
        # The face's border leaves the visible side on the edge from inside to outside, and enters it on the other one.
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            if is_in_front(clip, a) != is_in_front(clip, b):
                parents[cuts, 0], parents[cuts, 1] = a, b
                new_ends[kept, 0 if is_in_front(clip, a) else 1] = count + cuts
                cuts += 1
        new_coefficient[kept] = facing[f]
        kept += 1
    return new_ends[:kept], new_coefficient[:kept], parents[:cuts]


@device
def _with_cut_points(clip: Floats, screen: Floats, parents: Ints, half_width: float, half_height: float) -> Floats:
    count = len(screen)
    points = np.empty((count + len(parents), 2), np.float64)
    for i in range(count):  # copying slices would compile Numba's error messages too, which takes seconds
        points[i, 0], points[i, 1] = screen[i, 0], screen[i, 1]
    for i in range(len(parents)):
        cx, cy, _, cw = cut_point(clip, parents[i, 0], parents[i, 1])
        points[count + i, 0], points[count + i, 1] = screen_x(cx, cw, half_width), screen_y(cy, cw, half_height)
    return points
