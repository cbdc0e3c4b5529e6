"""What every backend checks of a mesh: kernels would read beyond their arrays, and torch counts -1 from the end."""

from __future__ import annotations

import torch

from invrender.errors import InputError


def check_faces(faces: torch.Tensor, vertices: int) -> None:
    """
    Raises:
        InputError: one of the faces [F,3] names a vertex that does not exist.
    """
    check_indices(faces, 0, vertices, "a face names a vertex")


def check_indices(indices: torch.Tensor, lowest: int, limit: int, what: str) -> None:
    """
    Raises:
        InputError: an index lies outside [lowest, limit).
    """
    if indices.numel():
        low, high = torch.stack(torch.aminmax(indices)).tolist()
        if low < lowest or high >= limit:
            raise no_such(what)


def no_such(what: str) -> InputError:
    """What to say of an index to something that does not exist; `what` begins the sentence."""
    return InputError(f"{what} that does not exist", "look at the mesh with `invrender inspect`")
