"""Fairing: creases and ridges that no silhouette asks for are smoothed away before a stage begins.

Where the view cones of a visual hull cross, they leave sharp creases, and triangles that do not follow a crease make a
zigzag of it. Large Steps cannot remove that: its diffusion makes progress on waves as short as an edge ten thousand
times slower. So the bending energy is minimised by itself instead, as a linear system:

    min_v  1/2 sum_i |(L v)_i / degree_i|^2  +  1/2 sum_i weight_i |v_i - before_i|^2

A small weight everywhere is a low-pass filter that keeps long waves, and a large one holds vertices on contours, which
the silhouettes determine. The object lies inside its hull: moving inwards is safe, and moving outwards is a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from invrender.geometry.fairness import least_bent, neighbours
from invrender.geometry.vectors import Bools, Floats, Ints, dot, vertex_normals


@dataclass(frozen=True)
class Fairing:
    """How to smooth where silhouettes do not determine the surface.

    Attributes:
        wavelength: in edges; waves as long as this are halved, shorter ones go, longer ones stay.
        hold: weight of vertices on contours; the bending energy's own diagonal is about 1.2.
        outward: share of the motion that is kept where it leads out of the shape, 0 to 1.
    """

    wavelength: float
    hold: float
    outward: float


def faired(vertices: Floats, faces: Ints, held: Bools, fairing: Fairing) -> Floats:
    """Vertices [V,3] of a closed mesh with short waves smoothed away.

    Args:
        vertices: [V,3] of an isotropic mesh.
        faces: [F,3], outward.
        held: [V], vertices on contours.
    """
    # A wave of W edges has the umbrella (pi / W)^2 on regular triangles; the low pass halves it where that squared is
    # the weight.
    weight: Floats = (math.pi / fairing.wavelength) ** 4 + np.float64(fairing.hold) * held
    move = least_bent(vertices, neighbours(faces, len(vertices)), weight) - vertices
    normal = vertex_normals(vertices, faces)
    out = dot(move, normal).clip(min=0.0)
    moved: Floats = vertices + move - ((1 - fairing.outward) * out)[:, None] * normal
    return moved
