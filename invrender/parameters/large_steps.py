"""Large Steps: vertices moved through a diffusion, so that gradients at the silhouette move the surface around it, too.

Nicolet, Jacobson, Jakob 2021, "Large Steps in Inverse Rendering of Geometry": optimise u = (I + lambda_ L) v instead of
v. A gradient step in u is a step in v preconditioned twice by the inverse diffusion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from invrender.parameters.laplacian import factorised, product

Tensor = torch.Tensor


@dataclass(frozen=True)
class LargeSteps:
    """The map between vertices v and their diffused coordinates u.

    Attributes:
        encode: vertices [V,3] float64 -> u = (I + lambda_ L) v.
        decode: u [V,3] float64 -> v, differentiable; factorised once.
        decode_adjoint: d v [V,3] float64 -> d u. The map is symmetric, so this is `decode` again.
    """

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]

    @property
    def decode_adjoint(self) -> Callable[[Tensor], Tensor]:
        """See the class."""
        return self.decode


def large_steps(laplacian: Tensor, lambda_: float) -> LargeSteps:
    """The parameterisation for a mesh with the given uniform Laplacian [V,V]."""
    count = len(laplacian)
    every = torch.arange(count)
    identity = torch.sparse_coo_tensor(
        torch.stack([every, every]), torch.ones(count, dtype=torch.float64), (count, count), check_invariants=True
    )
    operator = (identity + lambda_ * laplacian).coalesce()
    return LargeSteps(product(operator), factorised(operator))
