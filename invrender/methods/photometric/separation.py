"""Light told apart from albedo by pairs of points that lie near each other.

Over the whole of an object the albedo may go with the normals (a dark back, a red front), and then a light from one
side explains the pictures as well. Between points that are a short way apart the normals differ as much as the object
is curved, while most pairs share a material. So the light is fitted to the logarithms of the colours' ratios in such
pairs, robustly: pairs across a border between materials drop out. Edges of the mesh would be too short: what their
normals differ by is mostly noise of the shape, which draws such a fit towards a light without direction. Ratios rather
than differences: a fit to differences of albedo gains by a light that darkens all of them (Land and McCann's Retinex,
1971, with a light that has a model).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from invrender.geometry.vectors import Floats, Ints, unit
from invrender.methods.photometric.appearance import Appearance, neutral
from invrender.shading.spherical_harmonics import COUNT, irradiance_basis

Tensor = torch.Tensor

NEAREST, FARTHEST = 0.1, 0.25  # between the points of a pair, in normalised units
POINTS, PARTNERS = 3000, 6  # at most so many points have so many partners each
RATIO = 0.06  # difference of log albedo at which a pair counts half
RIDGE, CHROMA = 1e-4, 3e-3  # weights of all but the constant coefficient, and of what differs between the channels
DIMMEST = 0.02  # share of the constant light below which irradiance is not told any more
FAINT = 0.1  # share of the mean colour at which a colour counts half
BLACK = 1e-6  # linear radiance
ROUNDS, LEAP = 3, 0.5  # of reweighting, and the most that a coefficient changes in one of them; the constant one is 1


def pairs_of(vertices: Floats, normals: Floats) -> Ints:
    """Pairs [K,2] of vertices [V,3] with normals [V,3] that are a short way apart; the same for the same vertices.

    Partners lie near random places in the tangent planes, so that they are as dense around every point.
    """
    from scipy.spatial import cKDTree

    random = np.random.default_rng(0)
    chosen = random.permutation(len(vertices))[:POINTS].repeat(PARTNERS)
    towards = random.normal(size=(len(chosen), 3))
    towards -= (towards * normals[chosen]).sum(1, keepdims=True) * normals[chosen]
    reach = random.uniform(NEAREST, FARTHEST, len(chosen))[:, None]
    other = cKDTree(vertices).query(vertices[chosen] + reach * unit(towards))[1]
    apart = np.linalg.norm(vertices[other] - vertices[chosen], axis=1)
    near = (apart > NEAREST) & (apart < FARTHEST)
    return np.stack([chosen[near], other[near]], 1)


def separated(look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor, pairs: Ints) -> Appearance:
    """The light under which pairs of vertices have about the same albedo, from the light that is there.

    Args:
        look: what is there; occlusion counts, the albedo only sets the scale.
        normals: [V,3] float64, unit.
        wanted: [V,3] colours that the pictures ask for.
        weight: [V,3], how far they do; 0: not at all.
        pairs: [K,2], see `pairs_of`.
    """
    shown = wanted if look.occlusion is None else wanted / look.occlusion.clamp(min=DIMMEST)
    faint = (FAINT * shown.mean()).clamp(min=BLACK)
    told = shown.clamp(min=0).square() / (shown.square() + faint.square()) * (weight > 0)
    basis = irradiance_basis(normals) / math.pi
    dimmest = DIMMEST * float(basis[0, 0])
    i, j = torch.from_numpy(pairs).unbind(1)
    counts = torch.minimum(told[i], told[j])
    logs = shown.clamp(min=BLACK).log()
    light = look.light / look.light[0].clamp(min=1e-12)
    for _ in range(ROUNDS):
        irradiance = (basis @ light).clamp(min=dimmest)
        albedo = logs - irradiance.log()
        ratio = albedo[i] - albedo[j]
        squares = (counts * ratio.square()).sum(1) / counts.sum(1).clamp(min=1e-9)
        slopes = basis[:, None] / irradiance[..., None]
        step = _step(ratio, counts / (1 + squares / RATIO**2)[:, None], slopes[i] - slopes[j], light)
        light = light + step * min(1.0, LEAP / max(float(step.abs().max()), 1e-12))
    return neutral(replace(look, light=light * look.light[0]))


def _step(ratio: Tensor, counts: Tensor, slopes: Tensor, light: Tensor) -> Tensor:
    """Gauss and Newton's step [9,3] of the light, whose constant coefficients stay.

    Args:
        ratio: [K,3] differences of log albedo.
        counts: [K,3] weights.
        slopes: [K,3,9] by which a ratio falls with the light.
        light: [9,3].
    """
    free = COUNT - 1
    blocks, rights = [], []
    for channel in range(3):
        rows = slopes[:, channel, 1:]
        blocks.append(rows.T @ (counts[:, channel, None] * rows))
        rights.append(rows.T @ (counts[:, channel] * ratio[:, channel]))
    identity, apart = torch.eye(free, dtype=torch.float64), torch.eye(3, dtype=torch.float64) - 1 / 3
    prior = RIDGE * torch.kron(torch.eye(3, dtype=torch.float64), identity) + CHROMA * torch.kron(apart, identity)
    prior = prior * (counts.sum() / 3).clamp(min=BLACK)  # black objects tell no light
    right = torch.cat(rights) - prior @ light[1:].T.reshape(-1)
    step = torch.linalg.solve(torch.block_diag(*blocks) + prior, right).reshape(3, free).T
    return torch.cat([torch.zeros(1, 3, dtype=torch.float64), step])
