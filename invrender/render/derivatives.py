"""Whether derivatives are asked for with a tensor: of reverse mode, or of forward mode by dual numbers."""

from __future__ import annotations

import torch
from torch.autograd import forward_ad

Tensor = torch.Tensor


def asked_for(*values: object) -> bool:
    """Whether one of some values is a tensor with which a derivative of any mode is asked for."""
    return any(isinstance(value, Tensor) and (_taped(value) or is_dual(value)) for value in values)


def is_dual(value: Tensor) -> bool:
    """Whether a tensor carries a tangent, of forward mode."""
    return forward_ad.unpack_dual(value).tangent is not None


def _taped(value: Tensor) -> bool:
    return value.requires_grad and torch.is_grad_enabled()
