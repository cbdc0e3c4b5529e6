"""Normal equations of colours on vertices under the pixels that see them, a block per face: pixels are not kept.

A pixel's row has 3 K entries, the K functions of direction at the corners of the face that it sees. So the products of
rows fall into one block of 3 K x 3 K numbers per face, whose size depends on the mesh alone, however many photographs
there are. Pixels are seen again for each new set of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Floats, Ints
from invrender.jit import kernel

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Pixels:
    """P pixels of a photograph that see a mesh.

    Attributes:
        face: [P] int64.
        share: [P,3] float32, barycentrics.
        basis: [P,K] float32, the functions of direction.
        wanted: [P,3] float32, their colours.
    """

    face: Ints
    share: Floats32
    basis: Floats32
    wanted: Floats32


@dataclass(frozen=True)
class NormalEquations:
    """Sums over weighted pixels; they grow in place.

    Attributes:
        faces: [F,3] int64.
        blocks: [F,3K(3K+1)/2] float64, lower triangles row by row of the sums of products of rows.
        right: [F,3K,3] float64, the sums of rows times colours.
    """

    faces: Ints
    blocks: Floats
    right: Floats

    @staticmethod
    def empty(faces: Ints, functions: int) -> NormalEquations:
        """Those of no pixels, for K functions."""
        size = 3 * functions
        return NormalEquations(faces, np.zeros((len(faces), size * (size + 1) // 2)), np.zeros((len(faces), size, 3)))

    def add(self, pixels: Pixels, x: Floats, outlier: float) -> int:
        """Add pixels, weighted by how far they are from what coefficients say, and tell how many they are.

        Args:
            pixels: of one photograph.
            x: [VK,3] float64, vertex by vertex.
            outlier: the distance at which a pixel counts half; infinite: all of them count fully.
        """
        _add(pixels.face, pixels.share, pixels.basis, pixels.wanted, self.faces, x, outlier**2, self.blocks, self.right)
        return len(pixels.face)

    def times(self, x: Floats) -> Floats:
        """The sum of products of rows, times coefficients [VK,3]."""
        product = np.zeros_like(x)
        _times(self.faces, self.blocks, x, product)
        return product

    def sides(self, unknowns: int) -> tuple[Floats, Floats]:
        """The right side [VK,3] and the diagonal [VK,1] for VK unknowns."""
        right, diagonal = np.zeros((unknowns, 3)), np.zeros((unknowns, 1))
        _gather(self.faces, self.blocks, self.right, right, diagonal)
        return right, diagonal


@kernel
def _add(
    face: Ints, share: Floats32, basis: Floats32, wanted: Floats32, faces: Ints, x: Floats, spread: float,
    blocks: Floats, right: Floats,
) -> None:  # fmt: skip
    functions = basis.shape[1]
    size = 3 * functions
    row, at = np.empty(size), np.empty(size, np.int64)
    for p in range(len(face)):
        f = face[p]
        for corner in range(3):
            for k in range(functions):
                row[corner * functions + k] = share[p, corner] * basis[p, k]
                at[corner * functions + k] = faces[f, corner] * functions + k
        apart = 0.0
        for c in range(3):
            off = -float(wanted[p, c])
            for i in range(size):
                off += row[i] * x[at[i], c]
            apart += off * off
        weight, entry = 1 / (1 + apart / spread), 0
        for i in range(size):
            scaled = weight * row[i]
            for j in range(i + 1):
                blocks[f, entry] += scaled * row[j]
                entry += 1
            for c in range(3):
                right[f, i, c] += scaled * wanted[p, c]


@kernel
def _times(faces: Ints, blocks: Floats, x: Floats, product: Floats) -> None:
    size = int((np.sqrt(8 * blocks.shape[1] + 1) - 1) / 2)
    functions = size // 3
    for f in range(len(faces)):
        entry = 0
        for i in range(size):
            one = faces[f, i // functions] * functions + i % functions
            for j in range(i + 1):
                other, factor = faces[f, j // functions] * functions + j % functions, blocks[f, entry]
                entry += 1
                for c in range(3):
                    product[one, c] += factor * x[other, c]
                    if j < i:
                        product[other, c] += factor * x[one, c]


@kernel
def _gather(faces: Ints, blocks: Floats, parts: Floats, right: Floats, diagonal: Floats) -> None:
    size = parts.shape[1]
    functions = size // 3
    for f in range(len(faces)):
        entry = -1
        for i in range(size):
            at = faces[f, i // functions] * functions + i % functions
            entry += i + 1
            diagonal[at, 0] += blocks[f, entry]
            for c in range(3):
                right[at, c] += parts[f, i, c]
