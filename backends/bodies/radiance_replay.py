"""Bodies of the adjoint of paths of light: each path is walked again with the same random numbers (Vicini et al. 2021,
"Path replay backpropagation"), knowing what it saw in the end.

How the path moves with the ray of the camera (and with refractive indices) is carried along as a derivative `moves`
[6,C]: three rows for the place, three for the direction; a column for each number of the ray and each dielectric.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from invrender.kernels import paths as _paths

from .numbers import (
    BEHIND,
    CLASSIC,
    DEPTH,
    DIELECTRIC,
    DIES,
    EMISSION,
    ENDS,
    GLOSSY,
    INDIRECT,
    IOR,
    LAYER,
    MATERIAL_COLUMNS,
    MIRROR,
    MIRRORED,
    NONE_OF,
    REFLECTED,
    REFRACTED,
    SCATTERED,
    TRANSMISSION,
    UNLIT,
    I,
)
from .packed_tree import hit
from .radiance_laws import (
    COLOUR,
    EYE,
    GRADS,
    METAL,
    NONE,
    NORMAL,
    ROUGH,
    fresnel_slopes,
    reflect,
    reflect_adjoint,
    sine_square,
)
from .radiance_lights import is_there, source_adjoint, sources
from .radiance_moves import arrive, column, turn
from .radiance_onward import onward, optics
from .radiance_path import (
    albedos,
    balance,
    chance_found,
    light_from,
    power_of_two,
    shown,
    stand,
    survival,
)
from .radiance_push import pushed
from .radiance_sky import sky_adjoint, sky_density, sky_slope
from .target import add_at, called, contracted
from .vectors import (
    INF,
    ONE,
    TWO,
    ZERO,
    along,
    dot,
    drawn,
    scaled,
    share,
    three,
    times,
    uniform,
)

F = np.float32
HEAD_ON = F(_paths.HEAD_ON)

Sums = namedtuple("Sums", "materials texels colours lights environment glow")
"""Where gradients are added up: flat; empty where nobody asks, of texels, colours and environment."""

Moves = namedtuple("Moves", "first place found slots")
"""How the path moves: the first column that is asked for, the derivatives [6,C] (C = 0: nobody asks), the gradient [C],
and [M] the column of each material's refractive index, -1 for none."""


@called
def replay(scene, o, d, key, delta, left, stack, grads, moves, sums):
    """The adjoint of `follow`: `delta` is the gradient with what was seen, `left` what was seen."""
    depth, beta, moving = I(scene.settings[DEPTH]), (ONE, ONE, ONE), len(moves.found) > 0
    own, density, cosine, clear = I(-1), INF, INF, ONE
    for bounce in range(depth + 1):
        k, t, u, v = hit(scene, o, d, INF, own, drawn(key, bounce, LAYER), False, stack)
        a = times(delta, beta)
        if k < 0:
            missed_adjoint(scene, d, bounce, density, cosine, clear, a, moves, sums)
            break
        at = stand(scene, k, u, v, d, bounce == depth)
        arrive(at, t, d, moves)
        for number in range(GRADS):
            grads[number] = ZERO
        left = along(left, -ONE, times(beta, shown(scene, at, t, density, bounce == depth)))
        shown_adjoint(scene, at, t, density, bounce == depth, a, grads, sums)
        if at.kind not in (DIELECTRIC, UNLIT):
            seen = direct_adjoint(scene, at, key, bounce, a, moving, stack, grads, sums)
            left = along(left, -ONE, times(beta, seen))
        how = I(ENDS)
        if bounce < depth and at.kind != UNLIT:
            how, o, towards, weight, density, cosine, passed = onward(scene, at, key, bounce)
            if how != ENDS:
                onward_adjoint(scene, at, how, towards, times(delta, left), moving, grads, sums)
        pushed(scene, at, grads, moves, sums)
        if how == ENDS:
            break
        turn(scene, at, how, moves)
        d, beta, own, clear = towards, times(beta, weight), k, clear * passed
        chance = survival(scene, beta, bounce)
        if chance < ONE and not uniform(key, bounce, DIES) < chance:
            break
        beta = scaled(ONE / chance, beta)


@contracted
def missed_adjoint(scene, d, bounce, density, cosine, clear, a, moves, sums):
    """Of `missed`."""
    if bounce == 0 and scene.settings[BEHIND]:
        for channel in range(3):
            add_at(sums.glow, 3 + channel, a[channel])
    elif len(scene.environment) > 0:
        a_sky = scaled(balance(scene, density, sky_density(scene, d, cosine)) if density < INF else ONE, a)
        if len(sums.environment) > 0:
            sky_adjoint(scene, d, a_sky, sums.environment)
        if len(moves.found) > 0:
            slope = sky_slope(scene, d, a_sky)
            for c in range(moves.first, len(moves.found)):
                moves.found[c] += dot(slope, column(moves, c, 3))
    elif bounce > 0:
        for channel in range(3):
            add_at(sums.glow, 3 + channel, clear * a[channel])
    if bounce > 0:
        for channel in range(3):
            add_at(sums.glow, channel, (ONE - clear) * a[channel])


@contracted
def shown_adjoint(scene, at, t, density, last, a, grads, sums):
    """Of `shown`."""
    weight = chance_found(scene, at, t, density)
    for channel in range(3):
        add_at(sums.materials, MATERIAL_COLUMNS * at.row + EMISSION + channel, weight * a[channel])
    if at.kind == UNLIT:
        for channel in range(3):
            grads[COLOUR + channel] += a[channel]
    elif at.kind != DIELECTRIC and not scene.settings[INDIRECT]:
        ambient = three(NONE_OF, NONE_OF, scene.glow)
        if at.kind == CLASSIC:
            for channel in range(3):
                grads[COLOUR + channel] += a[channel] * ambient[channel]
                add_at(sums.glow, channel, a[channel] * at.matter[0][channel])
        else:
            ambient_adjoint(at, last, ambient, a, grads, sums)


@contracted
def ambient_adjoint(at, last, ambient, a, grads, sums):
    """Of `under_constant_light`, times ambient light."""
    colour, rough, metal = at.matter
    c = dot(at.normal, at.eye)
    scale, bias = albedos(rough, c)
    layer, gloss = HEAD_ON * scale + bias, ONE if last else ZERO
    below = (ONE - metal) * (ONE - layer) + gloss * metal * scale
    white, b = gloss * ((ONE - metal) * layer + metal * bias), times(a, ambient)
    for channel in range(3):
        grads[COLOUR + channel] += b[channel] * below
        add_at(sums.glow, channel, a[channel] * (below * colour[channel] + white))
    tinted, whole = dot(b, colour), b[0] + b[1] + b[2]
    grads[METAL] += -(ONE - layer) * tinted + gloss * (scale * tinted + (bias - layer) * whole)
    a_layer = (ONE - metal) * (gloss * whole - tinted)
    a_scale = gloss * metal * tinted + HEAD_ON * a_layer
    a_bias = gloss * metal * whole + a_layer - a_scale
    whole_r, whole_c, bias_r, bias_c = albedo_slopes(rough, c)
    grads[ROUGH] += a_scale * whole_r + a_bias * bias_r
    for axis in range(3):
        slope = a_scale * whole_c + a_bias * bias_c
        grads[NORMAL + axis] += slope * at.eye[axis]
        grads[EYE + axis] += slope * at.normal[axis]


@contracted
def albedo_slopes(r, c):
    """Derivatives of E and B (`albedos`) with roughness and cosine."""
    first, second = F(2.402) - F(6) * c + F(2.682) * c * c, F(-5.399) + F(18.553) * c - F(9.766) * c * c
    third = F(3.169) - F(11.577) * c + F(6.62) * c * c
    whole_r = -r * (TWO * first + r * (F(3) * second + F(4) * r * third))
    slopes = (F(-6) + F(5.364) * c) + r * (F(18.553) - F(19.532) * c) + r * r * (F(-11.577) + F(13.24) * c)
    blurred, grazing = (ONE - r) * (ONE - r), power_of_two(F(-9.28) * c)
    lobe = min(blurred, grazing) * (ONE - r) + F(0.0425) - F(0.0275) * r
    if F(1.04) * lobe + F(0.022) * r - F(0.04) <= ZERO:
        return whole_r, -r * r * slopes, ZERO, ZERO
    by_r, by_c = -F(3) * blurred, ZERO
    if grazing < blurred:
        by_r, by_c = -grazing, F(-9.28 * math.log(2)) * grazing * (ONE - r)
    return whole_r, -r * r * slopes, F(1.04) * (by_r - F(0.0275)) + F(0.022), F(1.04) * by_c


@contracted
def direct_adjoint(scene, at, key, bounce, a, moving, stack, grads, sums):
    """Of `direct`, whose value it gives."""
    total = NONE
    for number in range(sources(scene)):
        if not is_there(scene, number):
            continue
        found = light_from(scene, at, number, key, bounce, True, stack)
        if not found[0]:
            continue
        total = along(total, ONE, found[1])
        arrived_adjoint(scene, at, number, found, a, moving, grads, sums)
    return total


@contracted
def arrived_adjoint(scene, at, number, found, a, moving, grads, sums):
    """Of what is reflected of one source, as `light_from` found it."""
    _, _, towards, colour, factor, distance, k, nl, nv, vl, sine, plain, lobe, one, other = found
    b = scaled(factor, times(a, colour))
    a_nl, a_nv, a_vl = reflect_adjoint(
        scene, at.row, at.kind, at.matter, nl, nv, vl, sine, scaled(one, b), scaled(other, b), grads
    )  # fmt: skip
    if moving:
        bend(at, towards, a_nl, a_nv, a_vl, grads)
    a_light = times(a, along(scaled(one, plain), other, lobe))
    a_towards = along(scaled(a_nl, at.normal), a_vl, at.eye)
    source_adjoint(scene, number, k, towards, colour, factor, distance, a_light, a_towards, grads, sums)


@contracted
def bend(at, towards, a_nl, a_nv, a_vl, grads):
    """Add gradients with the cosines to those with the normal and the direction to the eye."""
    for axis in range(3):
        grads[NORMAL + axis] += a_nl * towards[axis] + a_nv * at.eye[axis]
        grads[EYE + axis] += a_nv * at.normal[axis] + a_vl * towards[axis]


@contracted
def onward_adjoint(scene, at, how, towards, seen, moving, grads, sums):
    """Of `onward`: `seen` is the gradient times what the path sees from here on, times its weight."""
    first = MATERIAL_COLUMNS * at.row
    if how == SCATTERED:
        nl, nv, vl = dot(at.normal, towards), dot(at.normal, at.eye), dot(at.eye, towards)
        sine = sine_square(at.normal, towards, at.eye) if at.kind == GLOSSY else ZERO
        plain, lobe = reflect(scene, at.row, at.kind, at.matter, nl, nv, vl, sine)
        a_plain, a_lobe = NONE, share(seen, lobe)
        if scene.settings[INDIRECT]:
            a_plain = share(seen, along(plain, ONE, lobe))
            a_lobe = a_plain
        a_nl, a_nv, a_vl = reflect_adjoint(
            scene, at.row, at.kind, at.matter, nl, nv, vl, sine, a_plain, a_lobe, grads
        )  # fmt: skip
        if moving:
            bend(at, towards, a_nl, a_nv, a_vl, grads)
    elif how == MIRRORED:
        a_mirror = share(seen, three(at.row, MIRROR, scene.materials))
        for channel in range(3):
            add_at(sums.materials, first + MIRROR + channel, a_mirror[channel])
    else:
        ratio, cosine, part, inner = optics(scene, at)
        whole = seen[0] + seen[1] + seen[2]
        if how == REFRACTED:
            a_tint = share(seen, three(at.row, TRANSMISSION, scene.materials))
            for channel in range(3):
                add_at(sums.materials, first + TRANSMISSION + channel, a_tint[channel])
        if inner > ZERO:
            by_cosine, by_ratio = fresnel_slopes(cosine, ratio, inner)
            a_part = whole / part if how == REFLECTED else -whole / (ONE - part)
            by_ior = ONE if at.side > ZERO else -ratio * ratio
            add_at(sums.materials, first + IOR, a_part * by_ratio * by_ior)
            for axis in range(3):
                grads[NORMAL + axis] += a_part * by_cosine * at.eye[axis]
                grads[EYE + axis] += a_part * by_cosine * at.normal[axis]
