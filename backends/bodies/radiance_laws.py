"""Bodies of the reflection laws of `kernels.radiance`, and their adjoints: f cos(n, l) from n.l, n.v and v.l.

A law has a plain part and a lobe: the whole of classic surfaces is plain; of glossy ones the Lambertian part is.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import math

import numpy as np

from invrender.kernels import paths as _paths

from .numbers import GLOSSY, KS, NS
from .target import contracted
from .vectors import HALF, ONE, PI, TWO, ZERO, along, cross, dot, mean, scaled, three

F = np.float32
LEAST, LAYER = F(_paths.LEAST), F(_paths.HEAD_ON)
EIGHT, FEW, FIFTH = F(8), F(1e-7), F(5)
NONE = (ZERO, ZERO, ZERO)

# Places in `grads`, the gradients that are added up at a point of the surface.
COLOUR, SPECULAR, SHININESS, ROUGH, METAL, NORMAL, EYE, POINT, GRADS = 0, 3, 6, 7, 8, 9, 12, 15, 18


@contracted
def half(nl, nv, vl):
    """n.h, and |l + v|, of h half-way between l and v."""
    length = math.sqrt(max(TWO + TWO * vl, LEAST))
    return min((nl + nv) / length, ONE), length


@contracted
def sine_square(n, towards, v):
    """1 - (n.h)^2, without cancellation."""
    h = along(towards, ONE, v)
    c = cross(n, h)
    return dot(c, c) / max(dot(h, h), LEAST)


@contracted
def distribution(square, cosine, sine):
    """GGX from n.h and 1 - (n.h)^2, and its denominator's root."""
    k = sine + square * cosine * cosine
    return square / (PI * k * k), k


@contracted
def smith(cosine, square):
    """The root in Smith's masking."""
    return math.sqrt(cosine * cosine * (ONE - square) + square)


@contracted
def power(cosine, exponent):
    """Of a cosine that may be 0."""
    return math.exp(exponent * math.log(max(cosine, LEAST)))


@contracted
def reflect(scene, row, kind, matter, nl, nv, vl, sine):
    """The plain part and the lobe, for light above the surface (n.l > 0)."""
    colour, rough, metal = matter
    if kind != GLOSSY:
        total, ns = scaled(nl / PI, colour), scene.materials[row, NS]
        specular = three(row, KS, scene.materials)
        if ns > ZERO and mean(specular) > ZERO:
            total = along(total, power(half(nl, nv, vl)[0], ns) / PI, specular)
        return total, NONE
    facets, grazing = facet(rough, nl, nv, vl, sine)
    layer = LAYER + (ONE - LAYER) * grazing
    lobe = (ONE - metal) * layer + metal * grazing
    plain = scaled((ONE - metal) * (ONE - layer) * nl / PI, colour)
    tint = metal * (ONE - grazing) * facets
    return plain, (lobe * facets + tint * colour[0], lobe * facets + tint * colour[1], lobe * facets + tint * colour[2])


@contracted
def facet(rough, nl, nv, vl, sine):
    """D V n.l, and (1 - h.v)^5."""
    square = rough * rough * rough * rough
    cosine, length = half(nl, nv, vl)
    d, _ = distribution(square, max(cosine, ZERO), sine)
    both = nl * smith(nv, square) + nv * smith(nl, square)
    g = max(ONE - HALF * length, ZERO)
    return d * HALF / max(both, FEW) * nl, g * g * g * g * g


@contracted
def lobe_density(scene, row, kind, matter, nl, nv, vl, sine):
    """Per solid angle, of directions picked for the lobe (n.l > 0)."""
    cosine, length = half(nl, nv, vl)
    if kind != GLOSSY:
        ns = scene.materials[row, NS]
        if not ns > ZERO:
            return ZERO
        return (ns + ONE) / (EIGHT * PI) * power(cosine, ns) / (HALF * length)
    rough = matter[1]
    square = rough * rough * rough * rough
    d, _ = distribution(square, max(cosine, ZERO), sine)
    return d / (TWO * (nv + smith(nv, square)))


@contracted
def shares(scene, row, kind, matter, nv):
    """By how much a path goes on diffusely, and in the lobe."""
    colour, _, metal = matter
    tint = mean(colour)
    if kind == GLOSSY:
        g = min(max(ONE - nv, ZERO), ONE)
        layer = LAYER + (ONE - LAYER) * g * g * g * g * g
        return (ONE - metal) * (ONE - layer) * tint, (ONE - metal) * layer + metal * (tint + (ONE - tint) * layer)
    ns = scene.materials[row, NS]
    if not ns > ZERO:
        return tint, ZERO
    return tint, mean(three(row, KS, scene.materials)) * EIGHT / (ns + TWO)


@contracted
def picked_density(scene, row, kind, matter, mirror, indirect, nl, nv, vl, sine):
    """Per solid angle, of directions in which paths go on that light is looked for in, too."""
    if not indirect:
        return lobe_density(scene, row, kind, matter, nl, nv, vl, sine)
    diffuse, lobe = shares(scene, row, kind, matter, nv)
    total = diffuse * nl / PI
    if lobe > ZERO:
        total += lobe * lobe_density(scene, row, kind, matter, nl, nv, vl, sine)
    return total / max(diffuse + lobe + mirror, F(1e-20))


@contracted
def reflect_adjoint(scene, row, kind, matter, nl, nv, vl, sine, plain, lobe, grads):
    """Gradients with the plain part and the lobe: those with the material are added to `grads`.

    Returns:
        the gradients with n.l, n.v and v.l.
    """
    if kind == GLOSSY:
        return glossy_adjoint(matter, nl, nv, vl, sine, plain, lobe, grads)
    colour, ns, specular = matter[0], scene.materials[row, NS], three(row, KS, scene.materials)
    for channel in range(3):
        grads[COLOUR + channel] += plain[channel] * nl / PI
    a_nl = dot(plain, colour) / PI
    if not ns > ZERO:
        return a_nl, ZERO, ZERO
    cosine, length = half(nl, nv, vl)
    value = power(cosine, ns) / PI
    for channel in range(3):
        grads[SPECULAR + channel] += plain[channel] * value
    value *= dot(plain, specular)
    grads[SHININESS] += value * math.log(max(cosine, LEAST))
    if cosine <= LEAST:
        return a_nl, ZERO, ZERO
    slope = value * ns / cosine
    return a_nl + slope / length, slope / length, -slope * cosine / (length * length)


@contracted
def glossy_adjoint(matter, nl, nv, vl, sine, plain, lobe, grads):
    """See `reflect_adjoint`."""
    colour, rough, metal = matter
    facets, g = facet(rough, nl, nv, vl, sine)
    layer = LAYER + (ONE - LAYER) * g
    under, tinted, white = dot(plain, colour), dot(lobe, colour), lobe[0] + lobe[1] + lobe[2]
    for channel in range(3):
        own = plain[channel] * (ONE - metal) * (ONE - layer) * nl / PI + lobe[channel] * metal * (ONE - g) * facets
        grads[COLOUR + channel] += own
    mirrors = tinted + (white - tinted) * g
    grads[METAL] += -under * (ONE - layer) * nl / PI + facets * (mirrors - white * layer)
    a_nl = under * (ONE - metal) * (ONE - layer) / PI
    a_layer = -under * (ONE - metal) * nl / PI + white * (ONE - metal) * facets
    a_g = a_layer * (ONE - LAYER) + metal * (white - tinted) * facets
    a_facets = (ONE - metal) * layer * white + metal * mirrors
    # facets = D V n.l: by its logarithm.
    square, scale = rough * rough * rough * rough, a_facets * facets
    cosine, length = half(nl, nv, vl)
    cosine = max(cosine, ZERO)
    _, k = distribution(square, cosine, sine)
    eye, light = smith(nv, square), smith(nl, square)
    both = max(nl * eye + nv * light, FEW)
    by_square = ONE / square - TWO * cosine * cosine / k
    by_square -= (nl * (ONE - nv * nv) / (TWO * eye) + nv * (ONE - nl * nl) / (TWO * light)) / both
    grads[ROUGH] += scale * by_square * F(4) * rough * rough * rough
    a_half = scale * -F(4) * cosine * (square - ONE) / k
    a_nl += scale * (ONE / nl - (eye + nv * nl * (ONE - square) / light) / both) + a_half / length
    a_nv = -scale * (light + nl * nv * (ONE - square) / eye) / both + a_half / length
    near = max(ONE - HALF * length, ZERO)
    a_length = -a_half * cosine / length - a_g * FIFTH * near * near * near * near * HALF
    return a_nl, a_nv, a_length / length


@contracted
def fresnel(cosine, ratio):
    """The share that a dielectric reflects, and the cosine of the refracted ray, 0 where there is none."""
    square = ONE - (ONE - cosine * cosine) / (ratio * ratio)
    if not square > ZERO:
        return ONE, ZERO
    inner = math.sqrt(square)
    a, b = (cosine - ratio * inner) / (cosine + ratio * inner), (ratio * cosine - inner) / (ratio * cosine + inner)
    return HALF * (a * a + b * b), inner


@contracted
def fresnel_slopes(cosine, ratio, inner):
    """Derivatives of the share with cosine and ratio; the ray is refracted (inner > 0)."""
    p, q = cosine + ratio * inner, ratio * cosine + inner
    a, b = (cosine - ratio * inner) / p, (ratio * cosine - inner) / q
    # By cosine, ratio and inner.
    da = TWO * a / (p * p)
    db = TWO * b / (q * q)
    by_inner = -da * ratio * cosine - db * ratio * cosine
    by_cosine = da * ratio * inner + db * ratio * inner + by_inner * cosine / (ratio * ratio * inner)
    by_ratio = -da * inner * cosine + db * cosine * inner
    return by_cosine, by_ratio + by_inner * (ONE - cosine * cosine) / (ratio * ratio * ratio * inner)
