"""Bodies of how paths go on from a surface: mirrored, in a direction at random, or through a dielectric."""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths
from invrender.shading import split_sum as _split_sum

from .numbers import (
    ANGLE,
    AROUND,
    CLASSIC,
    DIELECTRIC,
    ENDS,
    GLOSSY,
    INDIRECT,
    IOR,
    LOBE,
    MIRROR,
    MIRRORED,
    NS,
    REFLECTED,
    REFRACTED,
    SCATTERED,
    TRANSMISSION,
)  # fmt: skip
from .radiance_laws import NONE, fresnel, picked_density, power, reflect, shares, sine_square
from .radiance_surface import SMOOTH, bent, leave
from .target import contracted
from .vectors import (
    INF,
    ONE,
    TWO,
    ZERO,
    along,
    dot,
    mean,
    scaled,
    share,
    three,
    turned,
    uniform,
    unit,
    visible_half,
)  # fmt: skip

F = np.float32
BLURRED, NEAREST, LEAST = F(_split_sum.BLURRED), F(_paths.NEAREST), F(_paths.LEAST)


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
