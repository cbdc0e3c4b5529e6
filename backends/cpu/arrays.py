"""Tensors as arrays for the kernels of the cpu backend."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.arguments import no_such
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Indices: TypeAlias = NDArray[Any]
"""Arrays of uint32: unsigned indices need no test for negative ones, which takes a third of the time in Numba."""

Mesh: TypeAlias = tuple[Indices, Indices, Indices, NDArray[np.int8]]


def to_numpy(tensor: torch.Tensor) -> NDArray[Any]:
    """A C-contiguous array over the same memory where possible."""
    return tensor.detach().contiguous().numpy()


def packed_faces(faces: torch.Tensor, vertices: int) -> Indices:
    """Faces [F,3] as uint32.

    Raises:
        InputError: a face names a vertex that does not exist. Kernels would read beyond their arrays.
    """
    return _packed(faces, 0, vertices, "a face names a vertex")


def packed_mesh(faces: torch.Tensor, topology: Topology, vertices: int) -> Mesh:
    """Faces [F,3], edges [E,2] and their faces [E,2] as uint32 (F instead of -1 for none), and signs [E,2] int8.

    Raises:
        InputError: an index names something that does not exist.
    """
    return (
        packed_faces(faces, vertices),
        _packed(topology.edges, 0, vertices, "an edge names a vertex"),
        _packed(topology.faces, -1, len(faces), "an edge names a face"),
        to_numpy(topology.sign),
    )


def _packed(source: torch.Tensor, lowest: int, limit: int, what: str) -> Indices:
    packed = np.empty(tuple(source.shape), np.uint32)
    if not _pack(to_numpy(source).reshape(-1), lowest, limit, packed.reshape(-1)):
        raise no_such(what)
    return packed


@kernel
def _pack(source: NDArray[np.int64], lowest: int, limit: int, target: Indices) -> bool:
    """Narrow indices to 32 bits, halving what the kernels read; -1 becomes `limit`. Whether all are in range."""
    good = True
    for i in range(len(source)):
        good &= (source[i] >= lowest) & (source[i] < limit)
        target[i] = source[i] if source[i] >= 0 else limit
    return good
