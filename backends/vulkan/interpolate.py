"""Perspective-correct interpolation on a Vulkan device, one thread per pixel, and its adjoint by Slang's autodiff.

Values are float32 whatever the dtype. Gradients are added up atomically, so their last bits differ from run to run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import check_faces
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute, precise
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels import BOTH, NeedsGrad

Tensor = torch.Tensor

SHADER = "interpolate"


def interpolate(vulkan: Vulkan, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """[N,H,W,C] from attributes [V,C] or [N,V,C]; see the torch backend's `interpolate`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    given = _given(vulkan, attributes, faces, face_id, clip)
    shape = (*face_id.shape, attributes.shape[-1])
    image = empty(vulkan, int(np.prod(shape)))
    compute(vulkan, (precise(vulkan, SHADER), "forward"), face_id.numel(), image=image, **given)
    return _down(vulkan, image, attributes, shape)


def interpolate_adjoint(
    vulkan: Vulkan, grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor,
    needs_grad: NeedsGrad = BOTH,
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """d attributes (their shape) and d clip [N,V,4] from d image [N,H,W,C], None where not asked for."""
    given = _given(vulkan, attributes, faces, face_id, clip)
    of_attributes, of_clip = needs_grad
    d_attributes = zeros(vulkan, attributes.numel() if of_attributes else 1)
    d_clip = zeros(vulkan, clip.numel() if of_clip else 1)
    compute(
        vulkan, (precise(vulkan, SHADER), "adjoint"), face_id.numel(), grad=upload(vulkan, grad, np.float32),
        d_attributes=d_attributes, d_clip=d_clip, of_attributes=of_attributes, of_clip=of_clip, **given,
    )  # fmt: skip
    return (
        _down(vulkan, d_attributes, attributes, tuple(attributes.shape)) if of_attributes else None,
        _down(vulkan, d_clip, clip, tuple(clip.shape)) if of_clip else None,
    )


def _given(vulkan: Vulkan, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> dict[str, Any]:
    """What both shaders take."""
    check_faces(faces, clip.shape[1])
    return {
        "attributes": upload(vulkan, attributes, np.float32),
        "clip": upload(vulkan, clip, np.float32),
        "faces": upload(vulkan, faces, np.uint32),
        "face_id": upload(vulkan, face_id, np.int32),
        "rows": face_id.shape[1],
        "columns": face_id.shape[2],
        "channels": attributes.shape[-1],
        "vertices": clip.shape[1],
        "shared": attributes.dim() == 2,
    }


def _down(vulkan: Vulkan, buffer: Any, like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(download(vulkan, buffer, shape)).to(like)
