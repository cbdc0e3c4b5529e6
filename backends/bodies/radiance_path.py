"""Bodies of paths of light: `follow` gives what a ray sees; `radiance_replay` has the adjoint.

The same decisions as `backends.torch.radiance`, for one path at a time.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from invrender.kernels import paths as _paths
from invrender.shading import split_sum as _split_sum

from .numbers import (
    ANGLE,
    AROUND,
    BLOCKS,
    CLASSIC,
    DEPTH,
    DIELECTRIC,
    DIES,
    EMISSION,
    ENDS,
    FIRST_OF,
    GLOSSY,
    INDIRECT,
    IOR,
    KIND,
    LAYER,
    LOBE,
    MIRROR,
    MIRRORED,
    NONE_OF,
    NS,
    REFLECTED,
    REFRACTED,
    ROULETTE,
    SCATTERED,
    SHADOWS,
    TRANSMISSION,
    UNLIT,
    I,
)
from .packed_tree import hit
from .radiance_laws import NONE, fresnel, picked_density, power, reflect, shares, sine_square
from .radiance_lights import is_there, sky, sky_density, source, sources
from .radiance_surface import SMOOTH, bent, facing, leave, matter, place
from .target import contracted
from .vectors import (
    INF,
    ONE,
    TWO,
    ZERO,
    along,
    dot,
    drawn,
    mean,
    minus,
    scaled,
    share,
    three,
    times,
    turned,
    uniform,
    unit,
    visible_half,
)

F = np.float32
BLURRED, NEAREST = F(_split_sum.BLURRED), F(_paths.NEAREST)
LEAST, REACH, SURVIVAL, HEAD_ON = F(_paths.LEAST), F(_paths.REACH), F(_paths.SURVIVAL), F(_paths.HEAD_ON)
Scene = namedtuple(
    "Scene",
    "corners order boxes links normals uv colours rows materials kinds texels textures lights light_kinds environment "
    "turn glow emitters emitters_cumulative emitter_density sky_rows sky_columns sky_density settings",
)
"""A scene for kernels. Faces are rows in the order of the tree's leaves: corners, normals and colours [F,9], uv [F,6],
rows [F] of materials, emitter_density [F]; `order` has their numbers. `glow` [2,3] is ambient and backdrop."""

At = namedtuple("At", "k row kind u v point normal flat side eye matter mirror")
"""A point of the surface that a path has reached; `mirror` is by how much the path may go on mirrored."""


@contracted
def follow(scene, o, d, key, stack):
    """What a ray sees, and whether it meets anything."""
    depth, beta, total, alpha = I(scene.settings[DEPTH]), (ONE, ONE, ONE), NONE, ZERO
    own, density, cosine, clear = I(-1), INF, INF, ONE
    for bounce in range(depth + 1):
        k, t, u, v = hit(scene, o, d, INF, own, drawn(key, bounce, LAYER), False, stack)
        if k < 0:
            total = along(total, ONE, times(beta, missed(scene, d, bounce, density, cosine, clear)))
            break
        alpha = ONE if bounce == 0 else alpha
        at = stand(scene, k, u, v, d, bounce == depth)
        total = along(total, ONE, times(beta, shown(scene, at, t, density, bounce == depth)))
        if at.kind == UNLIT:
            break
        if at.kind != DIELECTRIC:
            total = along(total, ONE, times(beta, direct(scene, at, key, bounce, stack)))
        if bounce == depth:
            break
        how, o, d, weight, density, cosine, clear = onward(scene, at, key, bounce)
        if how == ENDS:
            break
        beta, own = times(beta, weight), k
        chance = survival(scene, beta, bounce)
        if chance < ONE and not uniform(key, bounce, DIES) < chance:
            break
        beta = scaled(ONE / chance, beta)
    return total, alpha


@contracted
def survival(scene, beta, bounce):
    """With what probability a path goes on."""
    if not scene.settings[INDIRECT] or bounce + 1 <= scene.settings[ROULETTE]:
        return ONE
    return min(max(beta[0], beta[1], beta[2], SURVIVAL), ONE)


@contracted
def balance(scene, density, other):
    """The weight of a direction picked with a density, of light looked for with another; inf: not looked for."""
    if density == INF:
        return ONE
    return density / (density + other) if scene.settings[SHADOWS] else ZERO


@contracted
def missed(scene, d, bounce, density, cosine, clear):
    """What a ray sees that meets nothing."""
    light = NONE
    if len(scene.environment) > 0:
        weight = balance(scene, density, sky_density(scene, d, cosine)) if density < INF else ONE
        light = scaled(weight, sky(scene, d))
    elif bounce > 0:
        light = scaled(clear, three(FIRST_OF, NONE_OF, scene.glow))
    if bounce > 0:
        light = along(light, ONE - clear, three(NONE_OF, NONE_OF, scene.glow))
    return light


@contracted
def stand(scene, k, u, v, d, last):
    """The point that a ray has reached."""
    row = I(scene.rows[k])
    kind = I(scene.kinds[row, KIND])
    point, normal, flat, side = place(scene, k, u, v, d)
    eye = scaled(-ONE, d)
    if kind == GLOSSY:
        normal = facing(normal, eye)
    mirror = mean(three(row, MIRROR, scene.materials)) if kind == CLASSIC and not last else ZERO
    return At(k, row, kind, u, v, point, normal, flat, side, eye, matter(scene, k, u, v, row, kind), mirror)


@contracted
def chance_found(scene, at, t, density):
    """The weight of what a face emits, where it is looked for otherwise, too."""
    if density == INF or len(scene.emitters) == 0:
        return ONE
    return balance(scene, density, scene.emitter_density[at.k] * t * t / max(dot(at.flat, at.eye), LEAST))


@contracted
def shown(scene, at, t, density, last):
    """What a point shows by itself: what it emits, unlit colours, and what it reflects of light from everywhere."""
    light = three(at.row, EMISSION, scene.materials)
    if light[0] + light[1] + light[2] > ZERO:
        light = scaled(chance_found(scene, at, t, density), light)
    if at.kind == UNLIT:
        return along(light, ONE, at.matter[0])
    if scene.settings[INDIRECT] or at.kind == DIELECTRIC:
        return light
    ambient = three(NONE_OF, NONE_OF, scene.glow)
    if at.kind == CLASSIC:
        return along(light, ONE, times(at.matter[0], ambient))
    if ambient[0] + ambient[1] + ambient[2] > ZERO:
        light = along(light, ONE, times(under_constant_light(at, last), ambient))
    return light


@contracted
def under_constant_light(at, last):
    """What a glossy point reflects of constant light; the gloss only where no ray sees for it."""
    colour, rough, metal = at.matter
    scale, bias = albedos(rough, dot(at.normal, at.eye))
    layer = HEAD_ON * scale + bias
    below, lobe, tint = (ONE - metal) * (ONE - layer), ZERO, ZERO
    if last:
        lobe, tint = (ONE - metal) * layer + metal * bias, metal * scale
    return along((lobe, lobe, lobe), below + tint, colour)


@contracted
def albedos(rough, c):
    """E - B and B of `shading.split_sum`."""
    lost = (F(2.402) - F(6) * c + F(2.682) * c * c) + rough * (F(-5.399) + F(18.553) * c - F(9.766) * c * c)
    whole = ONE - rough * rough * (lost + rough * rough * (F(3.169) - F(11.577) * c + F(6.62) * c * c))
    lobe = min((ONE - rough) * (ONE - rough), power_of_two(F(-9.28) * c)) * (ONE - rough)
    bias = max(F(1.04) * (lobe + F(0.0425) - F(0.0275) * rough) + F(0.022) * rough - F(0.04), ZERO)
    return whole - bias, bias


@contracted
def power_of_two(x):
    """2^x."""
    return math.exp(x * F(math.log(2)))


@contracted
def direct(scene, at, key, bounce, stack):
    """What a point reflects of lights."""
    total = NONE
    for number in range(sources(scene)):
        if is_there(scene, number):
            found = light_from(scene, at, number, key, bounce, False, stack)
            if found[0]:
                total = along(total, ONE, found[1])
    return total


@contracted
def light_from(scene, at, number, key, bounce, every, stack):
    """Whether light of a source arrives, what is reflected of it, and what that was made of.

    Args:
        every: whether to look for what blocks even light of which nothing is reflected: its gradient is something.

    Returns:
        found, value, then as `source`: towards, colour, factor, distance, row; then n.l, n.v, v.l, sine, the plain part
        and the lobe with their weights.
    """
    towards, colour, factor, density, distance, k = source(scene, number, at.point, at.normal, key, bounce)
    nl, nv, vl = dot(at.normal, towards), dot(at.normal, at.eye), dot(at.eye, towards)
    plain, lobe, value, one, other, sine, found = NONE, NONE, NONE, ONE, ONE, ZERO, False
    if nl > ZERO and factor > ZERO:
        sine = sine_square(at.normal, towards, at.eye) if at.kind == GLOSSY else ZERO
        plain, lobe = reflect(scene, at.row, at.kind, at.matter, nl, nv, vl, sine)
        indirect = scene.settings[INDIRECT] != 0
        looked = density > ZERO and scene.settings[SHADOWS] != 0 and bounce < scene.settings[DEPTH]
        if looked and (indirect or at.kind == GLOSSY):
            other = picked_density(
                scene, at.row, at.kind, at.matter, at.mirror, indirect, nl, nv, vl, sine
            )  # fmt: skip
            other = density / (density + other)
            one = other if indirect else ONE
        value = scaled(factor, times(along(scaled(one, plain), other, lobe), colour))
        if every or value[0] + value[1] + value[2] > ZERO:
            found = arrives(scene, at, number, towards, distance, key, bounce, stack)
    return found, value, towards, colour, factor, distance, k, nl, nv, vl, sine, plain, lobe, one, other


@contracted
def arrives(scene, at, number, towards, distance, key, bounce, stack):
    """Whether nothing blocks light from a source."""
    if not scene.settings[SHADOWS]:
        return True
    start, leaves = leave(scene, at.k, at.u, at.v, at.point, at.flat, towards)
    if not leaves:
        return False
    bits = drawn(np.uint32(key ^ np.uint32(number + 1)), bounce, BLOCKS)
    far = INF
    if distance < INF:
        towards, far = along(minus(at.point, start), distance, towards), REACH
    return hit(scene, start, towards, far, at.k, bits, True, stack)[0] < 0


@contracted
def onward(scene, at, key, bounce):
    """How a path goes on: where from, in which direction, with what weight, density, cosine and clear share."""
    if at.kind == DIELECTRIC:
        return through(scene, at, key, bounce)
    indirect, picks = scene.settings[INDIRECT] != 0, False
    mirror = three(at.row, MIRROR, scene.materials)
    if at.kind == CLASSIC:
        if not indirect:
            picks = max(mirror[0], mirror[1], mirror[2]) > ZERO
            if not picks:
                return ENDS, at.point, at.eye, NONE, INF, INF, ONE
        elif at.mirror > ZERO:
            diffuse, lobe = shares(scene, at.row, at.kind, at.matter, ZERO)
            total = diffuse + lobe + at.mirror
            picks = uniform(key, bounce, LOBE) * total >= total - at.mirror
            mirror = scaled(total / at.mirror, mirror)
    if not picks:
        return scatter(scene, at, key, bounce, indirect)
    towards = bent(along(scaled(-ONE, at.eye), TWO * dot(at.normal, at.eye), at.normal), at.flat)
    start, _ = leave(scene, at.k, at.u, at.v, at.point, at.flat, towards)
    return MIRRORED, start, towards, mirror, INF, INF, ONE


@contracted
def scatter(scene, at, key, bounce, indirect):
    """A direction at random; see `onward`."""
    nv, first, second = dot(at.normal, at.eye), uniform(key, bounce, ANGLE), uniform(key, bounce, AROUND)
    diffuse, lobe = shares(scene, at.row, at.kind, at.matter, nv)
    if indirect and uniform(key, bounce, LOBE) * (diffuse + lobe + at.mirror) < diffuse:
        towards = turned(at.normal, math.sqrt(ONE - first), second)
    else:
        if at.kind == GLOSSY:
            half = visible_half(at.normal, at.eye, at.matter[1] * at.matter[1], first, second)
        else:
            half = turned(at.normal, power(ONE - first, ONE / (scene.materials[at.row, NS] + ONE)), second)
        towards = along(scaled(-ONE, at.eye), TWO * dot(half, at.eye), half)
    nl, vl = dot(at.normal, towards), dot(at.eye, towards)
    start, leaves = leave(scene, at.k, at.u, at.v, at.point, at.flat, towards)
    if not leaves or not nl > ZERO:
        return ENDS, start, towards, NONE, INF, INF, ONE
    sine = sine_square(at.normal, towards, at.eye) if at.kind == GLOSSY else ZERO
    density = picked_density(scene, at.row, at.kind, at.matter, at.mirror, indirect, nl, nv, vl, sine)
    if not density > ZERO:
        return ENDS, start, towards, NONE, INF, INF, ONE
    plain, shine = reflect(scene, at.row, at.kind, at.matter, nl, nv, vl, sine)
    weight = along(plain, ONE, shine) if indirect else shine
    clear = ZERO
    if at.kind == GLOSSY:
        clear = sharp(at.matter[1]) * mean(share(shine, along(weight, NEAREST, (ONE, ONE, ONE))))
    return SCATTERED, start, towards, scaled(ONE / density, weight), density, nl, clear


@contracted
def sharp(rough):
    """The share of gloss that is as good as a mirror's; see `shading.split_sum`."""
    x = min(max((rough - SMOOTH) / (BLURRED - SMOOTH), ZERO), ONE)
    return ONE - x * x * (F(3) - TWO * x)


@contracted
def optics(scene, at):
    """Ratio of refractive indices and cosine at a dielectric, the share that is reflected, and the refracted cosine."""
    ior = scene.materials[at.row, IOR]
    ratio = ior if at.side > ZERO else ONE / ior
    cosine = max(dot(at.normal, at.eye), LEAST)
    part, inner = fresnel(cosine, ratio)
    return ratio, cosine, part, inner


@contracted
def through(scene, at, key, bounce):
    """Reflection or refraction at a dielectric; see `onward`."""
    ratio, cosine, part, inner = optics(scene, at)
    if uniform(key, bounce, LOBE) < part:
        towards = bent(along(scaled(-ONE, at.eye), TWO * dot(at.normal, at.eye), at.normal), at.flat)
        start, _ = leave(scene, at.k, at.u, at.v, at.point, at.flat, towards)
        return REFLECTED, start, towards, (ONE, ONE, ONE), INF, INF, ONE
    below = scaled(-ONE, at.flat)
    towards = bent(unit(along(scaled(-ONE / ratio, at.eye), cosine / ratio - inner, at.normal)), below)
    start, _ = leave(scene, at.k, at.u, at.v, at.point, below, towards)
    return REFRACTED, start, towards, three(at.row, TRANSMISSION, scene.materials), INF, INF, ONE
