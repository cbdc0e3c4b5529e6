"""Light transport in plain torch over any backend's `trace`; it is imported when it is first called for."""

from __future__ import annotations

from functools import partial

from invrender.backends.deferred import Deferred
from invrender.kernels.mesh import Trace
from invrender.kernels.radiance import Radiance, RadianceAdjoint

_WHERE = "invrender.backends.torch.radiance"


def radiance_by(trace: Trace) -> Radiance:
    """The reference over a backend's own `trace`."""
    return partial(Deferred(_WHERE, "path_radiance"), trace)


def radiance_adjoint_by(trace: Trace) -> RadianceAdjoint:
    """The reference's adjoint over a backend's own `trace`, by torch's reverse mode: memory grows with depth."""
    return partial(Deferred(_WHERE, "path_adjoint"), trace)
