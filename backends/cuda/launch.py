"""Launching kernels over torch tensors, on torch's current stream and without copies.

Under Numba's simulator (NUMBA_ENABLE_CUDASIM=1) the same drivers run on tensors in main memory: that is how machines
without a GPU test them.
"""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda
from numba.cuda.cudadrv.driver import CudaAPIError

from invrender.backends.arguments import check_faces, check_indices
from invrender.backends.cuda.target import SIMULATED, setting
from invrender.errors import MemoryLimitError, RetryError
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

THREADS = 128  # per block

LOST = ("unspecified launch failure", "device lost", "ecc", "context is destroyed", "unknown error", "assert")


def launch(kernel: Any, threads: int, *arguments: Any) -> None:
    """Run a kernel with at least that many threads, numbered by `cuda.grid(1)`.

    Raises:
        MemoryLimitError: the GPU is out of memory.
        RetryError: the GPU was lost.
    """
    if threads <= 0:
        return
    given = [_array(value) if isinstance(value, Tensor) else value for value in arguments]
    blocks = -(-threads // THREADS)
    if SIMULATED:
        kernel[blocks, THREADS](*given)
        return
    try:
        stream = cuda.external_stream(torch.cuda.current_stream().cuda_stream)
        with setting("CUDA_LOW_OCCUPANCY_WARNINGS", 0):  # small scenes are no mistake
            configured = kernel[blocks, THREADS, stream]
        configured(*given)
    except CudaAPIError as error:
        raise translated(error) from error


def translated(error: Exception) -> Exception:
    """What an error of the CUDA driver means to a user; itself where that is not known."""
    text = str(error).lower()
    if "out of memory" in text or "out_of_memory" in text:
        return MemoryLimitError("the GPU is out of memory", "use fewer or smaller views, or --backend cpu")
    if any(sign in text for sign in LOST):
        return RetryError(f"the GPU was lost: {error}", "run the same command again")
    return error


def _array(tensor: Tensor) -> Any:
    tensor = tensor.detach()
    return tensor.numpy() if SIMULATED else cuda.as_cuda_array(tensor, sync=False)


def packed_faces(faces: Tensor, vertices: int) -> Tensor:
    """Faces as contiguous int32.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    check_faces(faces, vertices)
    return faces.to(torch.int32).contiguous()


def packed_mesh(faces: Tensor, topology: Topology, vertices: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Faces, edges, the edges' faces (F for none) and signs, as the bodies take them.

    Raises:
        InputError: an index names something that does not exist.
    """
    check_indices(topology.edges, 0, vertices, "an edge names a vertex")
    check_indices(topology.faces, -1, len(faces), "an edge names a face")
    edge_faces = torch.where(topology.faces < 0, len(faces), topology.faces)
    return (
        packed_faces(faces, vertices),
        topology.edges.to(torch.int32).contiguous(),
        edge_faces.to(torch.int32).contiguous(),
        topology.sign.to(torch.int8).contiguous(),
    )
