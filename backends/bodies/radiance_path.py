"""Bodies of paths of light: `follow` gives what a ray sees; `radiance_replay` has the adjoint.

The same decisions as `backends.torch.radiance`, for one path at a time.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from invrender.kernels import paths as _paths

from .numbers import (
    BEHIND,
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
    KIND,
    LAYER,
    MIRROR,
    NONE_OF,
    ROULETTE,
    SHADOWS,
    UNLIT,
    I,
)
from .packed_tree import hit
from .radiance_laws import NONE, picked_density, reflect, sine_square
from .radiance_lights import is_there, source, sources
from .radiance_onward import onward
from .radiance_sky import sky, sky_density
from .radiance_surface import facing, leave, matter, place
from .target import contracted
from .vectors import (
    INF,
    ONE,
    ZERO,
    along,
    dot,
    drawn,
    mean,
    minus,
    scaled,
    three,
    times,
    uniform,
)

F = np.float32
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
        how, o, d, weight, density, cosine, passed = onward(scene, at, key, bounce)
        if how == ENDS:
            break
        beta, own, clear = times(beta, weight), k, clear * passed
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
    if bounce == 0 and scene.settings[BEHIND]:
        light = three(FIRST_OF, NONE_OF, scene.glow)
    elif len(scene.environment) > 0:
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
