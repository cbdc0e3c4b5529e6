"""Bodies of light transport: the surface where a path meets it, what it is made of there, and how rays leave it."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths
from invrender.shading.split_sum import SMOOTHEST

from .numbers import EDGE, GLOSS, GLOSSY, KD, METALLIC, NONE_OF, OTHER, ROUGHNESS, TEXTURE, I
from .target import add_at, contracted
from .vectors import HALF, ONE, TINY, ZERO, along, cross, dot, minus, scaled, three, unit

F = np.float32
LIFT, GRAZING, FLAT = F(_paths.LIFT), F(_paths.GRAZING), F(_paths.FLAT)
FACING, ABOVE, LEAST = F(_paths.FACING), F(_paths.ABOVE), F(_paths.LEAST)
SMOOTH = F(SMOOTHEST)


@contracted
def between(cells, k, u, v):
    """Three numbers between those at the corners of a face, [F,9]."""
    a = three(k, NONE_OF, cells)
    return along(along(a, u, minus(three(k, EDGE, cells), a)), v, minus(three(k, OTHER, cells), a))


@contracted
def place(scene, k, u, v, d):
    """The point, the smooth surface's and the face's normal on the side that a ray sees, and 1 if that is its front."""
    edge, other = three(k, EDGE, scene.corners), three(k, OTHER, scene.corners)
    point = along(along(three(k, NONE_OF, scene.corners), u, edge), v, other)
    flat = unit(cross(edge, other))
    side = -ONE if dot(flat, d) > ZERO else ONE
    return point, scaled(side, unit(between(scene.normals, k, u, v))), scaled(side, flat), side


@contracted
def facing(n, v):
    """A normal of a glossy surface, bent where it faces away from the eye."""
    nv = dot(n, v)
    return n if nv >= FACING else unit(along(n, FACING - nv, v))


@contracted
def matter(scene, k, u, v, row, kind):
    """Kd, roughness and metallic at a point."""
    colour = three(row, KD, scene.materials)
    rough, metal = scene.materials[row, ROUGHNESS], scene.materials[row, METALLIC]
    if len(scene.colours) > 0:
        own = between(scene.colours, k, u, v)
        colour = (colour[0] * own[0], colour[1] * own[1], colour[2] * own[2])
    if scene.kinds[row, TEXTURE] >= 0 and len(scene.uv) > 0:
        own = sampled(scene, I(scene.kinds[row, TEXTURE]), k, u, v)
        colour = (colour[0] * own[0], colour[1] * own[1], colour[2] * own[2])
    if kind == GLOSSY:
        if scene.kinds[row, GLOSS] >= 0 and len(scene.uv) > 0:
            own = sampled(scene, I(scene.kinds[row, GLOSS]), k, u, v)
            rough, metal = rough * own[0], metal * own[1]
        rough = min(max(rough, SMOOTH), ONE)
    return colour, rough, metal


@contracted
def coordinates(scene, k, u, v):
    """Texture coordinates of a point."""
    t = scene.uv
    x = t[k, 0] + u * (t[k, 2] - t[k, 0]) + v * (t[k, 4] - t[k, 0])
    return x, t[k, 1] + u * (t[k, 3] - t[k, 1]) + v * (t[k, 5] - t[k, 1])


@contracted
def texel(scene, texture, k, u, v):
    """Column and row of the texel above and left of a point, and the shares of those beyond."""
    x, y = coordinates(scene, k, u, v)
    x, y = x * F(scene.textures[texture, 2]) - HALF, (ONE - y) * F(scene.textures[texture, 1]) - HALF
    left, top = math.floor(x), math.floor(y)
    return I(left), I(top), x - F(left), y - F(top)


@contracted
def corner(scene, texture, left, top, fx, fy, number):
    """Row in `texels` and weight of one of the four texels around a point."""
    height, width = scene.textures[texture, 1], scene.textures[texture, 2]
    column, row = (left + number % 2) % width, (top + number // 2) % height
    weight = (fx if number % 2 == 1 else ONE - fx) * (fy if number >= 2 else ONE - fy)
    return scene.textures[texture, 0] + row * width + column, weight


@contracted
def sampled(scene, texture, k, u, v):
    """A texture at a point, bilinear and repeated."""
    left, top, fx, fy = texel(scene, texture, k, u, v)
    total = (ZERO, ZERO, ZERO)
    for number in range(4):
        at, weight = corner(scene, texture, left, top, fx, fy, number)
        total = along(total, weight, three(I(at), NONE_OF, scene.texels))
    return total


@contracted
def splat(scene, texture, k, u, v, grad, d_texels):
    """Add a gradient with a texture's value at a point to its texels."""
    left, top, fx, fy = texel(scene, texture, k, u, v)
    for number in range(4):
        at, weight = corner(scene, texture, left, top, fx, fy, number)
        for channel in range(3):
            add_at(d_texels, 3 * at + channel, weight * grad[channel])


@contracted
def slopes(scene, texture, k, u, v, grad):
    """Gradient with u and v from that with a texture's value."""
    left, top, fx, fy = texel(scene, texture, k, u, v)
    ax, ay = ZERO, ZERO
    for number in range(4):
        at, _ = corner(scene, texture, left, top, fx, fy, number)
        value = dot(grad, three(I(at), NONE_OF, scene.texels))
        ax += (value if number % 2 == 1 else -value) * (fy if number >= 2 else ONE - fy)
        ay += (value if number >= 2 else -value) * (fx if number % 2 == 1 else ONE - fx)
    ax, ay = ax * F(scene.textures[texture, 2]), -ay * F(scene.textures[texture, 1])
    t = scene.uv
    along_u = ax * (t[k, 2] - t[k, 0]) + ay * (t[k, 3] - t[k, 1])
    return along_u, ax * (t[k, 4] - t[k, 0]) + ay * (t[k, 5] - t[k, 1])


@contracted
def leave(scene, k, u, v, point, flat, towards):
    """Where a ray along a unit vector starts, and whether it leaves the face at all; `flat` is on its side.

    See `render.rays.start`.
    """
    cosine = dot(flat, towards)
    start = along(point, LIFT, flat)
    if cosine >= GRAZING:
        return start, True
    edge, other = three(k, EDGE, scene.corners), three(k, OTHER, scene.corners)
    side = ONE if dot(cross(edge, other), flat) >= ZERO else -ONE
    share = min(max(ONE - cosine / GRAZING, ZERO), ONE)
    curved = False
    for number in range(3):
        base = three(k, NONE_OF, scene.corners)
        weight = ONE - u - v
        if number > 0:
            base, weight = along(base, ONE, edge if number == 1 else other), u if number == 1 else v
        normal = scaled(side, three(k, I(3 * number), scene.normals))
        away = minus(point, base)
        below = min(dot(away, normal), ZERO)
        curved = curved or -below > FLAT * math.sqrt(dot(away, away))
        start = along(start, -share * weight * below, normal)
    return start, cosine > ZERO or curved


@contracted
def bent(d, flat):
    """A unit vector that does not enter the face."""
    into = dot(d, flat)
    return d if into >= ZERO else unit(along(d, ABOVE - into, flat))


@contracted
def across(scene, k):
    """Two vectors whose products with a step on the face are those of u and v."""
    edge, other = three(k, EDGE, scene.corners), three(k, OTHER, scene.corners)
    up = cross(edge, other)
    inverse = ONE / max(dot(up, up), TINY * TINY)
    return scaled(inverse, cross(other, up)), scaled(inverse, cross(up, edge))
