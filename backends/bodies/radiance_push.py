"""Bodies of the adjoint of light transport: from gradients at a point of the surface to those of the material and its
textures, and, where the path moves, to those of the camera's ray."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from .numbers import (
    CLASSIC,
    EDGE,
    GLOSS,
    GLOSSY,
    KD,
    KS,
    MATERIAL_COLUMNS,
    METALLIC,
    NONE_OF,
    NS,
    OTHER,
    ROUGHNESS,
    TEXTURE,
    I,
)
from .radiance_laws import COLOUR, EYE, METAL, NORMAL, POINT, ROUGH, SHININESS, SPECULAR
from .radiance_surface import SMOOTH, across, between, sampled, slopes, splat
from .target import add_at, contracted
from .vectors import ONE, TINY, ZERO, along, dot, minus, scaled, three, times

F = np.float32
WHITE = (ONE, ONE, ONE)


@contracted
def pushed(scene, at, grads, moves, sums):
    """Add the gradients [18] at a point to the sums, and to those of the ray if the path moves."""
    first = MATERIAL_COLUMNS * at.row
    moving = len(moves.found) > 0
    if scene.materials[at.row, NS] > ZERO and at.kind == CLASSIC:
        for channel in range(3):
            add_at(sums.materials, first + KS + channel, grads[SPECULAR + channel])
        add_at(sums.materials, first + NS, grads[SHININESS])
    a_u, a_v = coloured(scene, at, (grads[COLOUR], grads[COLOUR + 1], grads[COLOUR + 2]), moving, sums)
    if at.kind == GLOSSY:
        by_u, by_v = glossed(scene, at, grads[ROUGH], grads[METAL], moving, sums)
        a_u, a_v = a_u + by_u, a_v + by_v
    if not moving:
        return
    up, over, first_slant, second_slant = slants(scene, at)
    a_normal = grads[NORMAL], grads[NORMAL + 1], grads[NORMAL + 2]
    a_normal = along(a_normal, -dot(a_normal, at.normal), at.normal)
    a_u, a_v = a_u + dot(a_normal, first_slant), a_v + dot(a_normal, second_slant)
    a_point = along(along((grads[POINT], grads[POINT + 1], grads[POINT + 2]), a_u, up), a_v, over)
    place = moves.place
    for c in range(moves.first, len(moves.found)):
        moved = a_point[0] * place[0, c] + a_point[1] * place[1, c] + a_point[2] * place[2, c]
        turned = grads[EYE] * place[3, c] + grads[EYE + 1] * place[4, c] + grads[EYE + 2] * place[5, c]
        moves.found[c] += moved - turned


@contracted
def slants(scene, at):
    """Vectors whose products with a step are those of u and v, and how the normal turns with u and with v."""
    up, over = across(scene, at.k)
    n = scene.normals
    base = three(at.k, NONE_OF, n)
    first, second = minus(three(at.k, EDGE, n), base), minus(three(at.k, OTHER, n), base)
    whole = along(along(base, at.u, first), at.v, second)
    scale = at.side / max(math.sqrt(dot(whole, whole)), TINY)
    return up, over, scaled(scale, first), scaled(scale, second)


@contracted
def coloured(scene, at, grad, moving, sums):
    """From the gradient with Kd at a point to those with the material's, the colours and the texels; with u and v."""
    k, u, v = at.k, at.u, at.v
    plain = three(at.row, KD, scene.materials)
    own, texture, tint = WHITE, I(scene.kinds[at.row, TEXTURE]), WHITE
    if len(scene.colours) > 0:
        own = between(scene.colours, k, u, v)
    textured = texture >= 0 and len(scene.uv) > 0
    if textured:
        tint = sampled(scene, texture, k, u, v)
    for channel in range(3):
        add_at(sums.materials, MATERIAL_COLUMNS * at.row + KD + channel, grad[channel] * own[channel] * tint[channel])
    a_u, a_v = ZERO, ZERO
    if len(scene.colours) > 0:
        a_own = times(grad, times(plain, tint))
        if len(sums.colours) > 0:
            for channel in range(3):
                row = 9 * I(scene.order[k]) + channel
                add_at(sums.colours, row, (ONE - u - v) * a_own[channel])
                add_at(sums.colours, row + 3, u * a_own[channel])
                add_at(sums.colours, row + 6, v * a_own[channel])
        base = three(k, NONE_OF, scene.colours)
        a_u += dot(a_own, minus(three(k, EDGE, scene.colours), base))
        a_v += dot(a_own, minus(three(k, OTHER, scene.colours), base))
    if textured:
        a_tint = times(grad, times(plain, own))
        if len(sums.texels) > 0:
            splat(scene, texture, k, u, v, a_tint, sums.texels)
        if moving:
            by_u, by_v = slopes(scene, texture, k, u, v, a_tint)
            a_u, a_v = a_u + by_u, a_v + by_v
    return a_u, a_v


@contracted
def glossed(scene, at, a_rough, a_metal, moving, sums):
    """From gradients with roughness and metallic at a point to those with the material's and the texels; u and v."""
    first, texture = MATERIAL_COLUMNS * at.row, I(scene.kinds[at.row, GLOSS])
    rough, metal = scene.materials[at.row, ROUGHNESS], scene.materials[at.row, METALLIC]
    textured = texture >= 0 and len(scene.uv) > 0
    tint = sampled(scene, texture, at.k, at.u, at.v) if textured else WHITE
    if not (rough * tint[0] >= SMOOTH and rough * tint[0] <= ONE):
        a_rough = ZERO
    add_at(sums.materials, first + ROUGHNESS, a_rough * tint[0])
    add_at(sums.materials, first + METALLIC, a_metal * tint[1])
    if not textured:
        return ZERO, ZERO
    a_tint = (a_rough * rough, a_metal * metal, ZERO)
    if len(sums.texels) > 0:
        splat(scene, texture, at.k, at.u, at.v, a_tint, sums.texels)
    if not moving:
        return ZERO, ZERO
    return slopes(scene, texture, at.k, at.u, at.v, a_tint)
