"""How fair a surface is: its membrane and bending energies by the uniform Laplacian, with their gradients.

    (L v)_i = degree_i v_i - sum over neighbours j of v_j

The energies are those of `invrender.losses`: 1/12 tr(V' L V), and 1/2 sum_i |(L v)_i / degree_i|^2. Both and their
gradients take two passes over the neighbours of each vertex, and so does a step towards the surface that bends least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.connectivity import unique_edges
from invrender.geometry.triples import Triple
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of vertex i are index[start[i] : start[i + 1]]; start [V+1], index [2E], both uint32."""

    start: NDArray[np.uint32]
    index: NDArray[np.uint32]


@dataclass(frozen=True)
class Fairness:
    """What `fairness` finds.

    Attributes:
        membrane, bending: the energies.
        reach: the largest |coordinate|; infinite where one is not finite.
    """

    membrane: float
    bending: float
    reach: float


def neighbours(faces: Ints, vertices: int) -> Neighbours:
    """The neighbours of every vertex of faces [F,3], each once."""
    a, b = unique_edges(faces).T
    one, other = np.concatenate([a, b]), np.concatenate([b, a])
    start = np.concatenate([[0], np.cumsum(np.bincount(one, minlength=vertices))])
    return Neighbours(start.astype(np.uint32), other[np.argsort(one, kind="stable")].astype(np.uint32))


def fairness(vertices: Floats, around: Neighbours, weights: tuple[float, float], gradient: Floats) -> Fairness:
    """The energies of vertices [V,3]; adds the gradient of weights[0] membrane + weights[1] bending to one, [V,3]."""
    laplacian, umbrella = np.empty_like(vertices), np.empty_like(vertices)
    membrane, bending, reach = _energies(vertices, around.start, around.index, laplacian, umbrella)
    _add_gradient(laplacian, umbrella, around.start, around.index, weights[0] / 6, weights[1], gradient)
    return Fairness(membrane / 12, bending / 2, reach)


def least_bent(vertices: Floats, around: Neighbours, weight: Floats) -> Floats:
    """The x [V,3] that minimises bending(x) + 1/2 sum_i weight_i |x_i - vertices_i|^2, all weights [V] above 0.

    By conjugate gradients with a diagonal preconditioner, from the vertices on; until what is left of the gradient is
    1e-6 of what it was.
    """
    x = np.ascontiguousarray(vertices, np.float64).copy()
    _relax(x, weight, around.start, around.index, 1e-6, 1000)
    return x


@kernel
def _relax(
    x: Floats, weight: Floats, start: NDArray[np.uint32], index: NDArray[np.uint32], tolerance: float, most: int
) -> None:
    """Conjugate gradients (Hestenes and Stiefel 1952) on L D^-2 L + diag(weight), a run of its own per coordinate."""
    residual, step, image, umbrella = np.empty_like(x), np.zeros_like(x), np.empty_like(x), np.empty_like(x)
    share = _inverse_diagonal(weight, start, index)
    nothing, every = np.zeros(len(x)), np.ones(len(x))
    _bend(x, nothing, start, index, umbrella, residual)  # at the beginning only bending has a gradient
    for i in range(len(x)):
        for axis in range(3):
            residual[i, axis] = -residual[i, axis]
    begun = _product(residual, residual, share)
    rho = before = begun
    for number in range(most):
        turn = _ratio(rho, before) if number > 0 else (0.0, 0.0, 0.0)
        for i in range(len(x)):
            for axis in range(3):
                step[i, axis] = share[i] * residual[i, axis] + turn[axis] * step[i, axis]
        _bend(step, weight, start, index, umbrella, image)
        length = _ratio(rho, _product(step, image, every))
        for i in range(len(x)):
            for axis in range(3):
                x[i, axis] += length[axis] * step[i, axis]
                residual[i, axis] -= length[axis] * image[i, axis]
        before, rho = rho, _product(residual, residual, share)
        enough = tolerance * tolerance
        if rho[0] <= enough * begun[0] and rho[1] <= enough * begun[1] and rho[2] <= enough * begun[2]:
            break


@body
def _inverse_diagonal(weight: Floats, start: NDArray[np.uint32], index: NDArray[np.uint32]) -> Floats:
    """One over the diagonal of the matrix, [V]."""
    share = np.empty(len(weight))
    for i in range(len(weight)):
        total = weight[i] + (1.0 if start[i + 1] > start[i] else 0.0)
        for k in range(start[i], start[i + 1]):
            degree = np.float64(start[index[k] + 1] - start[index[k]])
            total += 1.0 / (degree * degree)
        share[i] = 1.0 / total
    return share


@body
def _product(a: Floats, b: Floats, share: Floats) -> Triple:
    """Weighted scalar products of the columns of a and b, both [V,3]."""
    x, y, z = 0.0, 0.0, 0.0
    for i in range(len(a)):
        x += share[i] * a[i, 0] * b[i, 0]
        y += share[i] * a[i, 1] * b[i, 1]
        z += share[i] * a[i, 2] * b[i, 2]
    return x, y, z


@body
def _ratio(a: Triple, b: Triple) -> Triple:
    """Entry by entry; 0 where nothing is left."""
    return a[0] / max(b[0], 1e-300), a[1] / max(b[1], 1e-300), a[2] / max(b[2], 1e-300)


@body
def _bend(
    x: Floats, weight: Floats, start: NDArray[np.uint32], index: NDArray[np.uint32], umbrella: Floats, result: Floats
) -> None:
    """result = (L D^-2 L + diag(weight)) x; `umbrella` is scratch."""
    for i in range(len(x)):
        degree = np.float64(start[i + 1] - start[i])
        a, b, c = degree * x[i, 0], degree * x[i, 1], degree * x[i, 2]
        for k in range(start[i], start[i + 1]):
            j = index[k]
            a, b, c = a - x[j, 0], b - x[j, 1], c - x[j, 2]
        share = 1.0 / (degree * degree) if degree > 0.0 else 0.0
        umbrella[i, 0], umbrella[i, 1], umbrella[i, 2] = share * a, share * b, share * c
    for i in range(len(x)):
        degree = np.float64(start[i + 1] - start[i])
        a, b, c = degree * umbrella[i, 0], degree * umbrella[i, 1], degree * umbrella[i, 2]
        for k in range(start[i], start[i + 1]):
            j = index[k]
            a, b, c = a - umbrella[j, 0], b - umbrella[j, 1], c - umbrella[j, 2]
        result[i, 0], result[i, 1], result[i, 2] = (
            a + weight[i] * x[i, 0], b + weight[i] * x[i, 1], c + weight[i] * x[i, 2]
        )  # fmt: skip


@kernel
def _energies(
    v: Floats, start: NDArray[np.uint32], index: NDArray[np.uint32], laplacian: Floats, umbrella: Floats
) -> tuple[float, float, float]:
    """v' L v, the sum of squares of L v / degree, and the largest |coordinate|; fills L v and L v / degree^2."""
    membrane, bending, reach = 0.0, 0.0, 0.0
    for i in range(len(v)):
        x, y, z = 0.0, 0.0, 0.0
        for k in range(start[i], start[i + 1]):
            j = index[k]
            x, y, z = x + v[j, 0], y + v[j, 1], z + v[j, 2]
        degree = np.float64(start[i + 1] - start[i])
        x, y, z = degree * v[i, 0] - x, degree * v[i, 1] - y, degree * v[i, 2] - z
        membrane += v[i, 0] * x + v[i, 1] * y + v[i, 2] * z
        share = 1.0 / (degree * degree) if degree > 0.0 else 0.0
        bending += share * (x * x + y * y + z * z)
        laplacian[i, 0], laplacian[i, 1], laplacian[i, 2] = x, y, z
        umbrella[i, 0], umbrella[i, 1], umbrella[i, 2] = share * x, share * y, share * z
        largest = max(abs(v[i, 0]), abs(v[i, 1]), abs(v[i, 2]))
        reach = max(reach, largest if largest == largest else np.inf)  # noqa: PLR0124 - a NaN is not itself
    return membrane, bending, reach if np.isfinite(membrane) else np.inf


@kernel
def _add_gradient(
    laplacian: Floats, umbrella: Floats, start: NDArray[np.uint32], index: NDArray[np.uint32], of_membrane: float,
    of_bending: float, gradient: Floats,
) -> None:  # fmt: skip
    for i in range(len(laplacian)):
        degree = np.float64(start[i + 1] - start[i])
        x, y, z = degree * umbrella[i, 0], degree * umbrella[i, 1], degree * umbrella[i, 2]
        for k in range(start[i], start[i + 1]):
            j = index[k]
            x, y, z = x - umbrella[j, 0], y - umbrella[j, 1], z - umbrella[j, 2]
        gradient[i, 0] += of_membrane * laplacian[i, 0] + of_bending * x
        gradient[i, 1] += of_membrane * laplacian[i, 1] + of_bending * y
        gradient[i, 2] += of_membrane * laplacian[i, 2] + of_bending * z
