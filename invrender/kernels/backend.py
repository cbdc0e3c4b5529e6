"""The seam between backends: geometric queries as pairs of a kernel and its adjoint.

A backend is a `Backend`: a record of plain functions on tensors, without autograd. `invrender.ops` wraps each pair once
as a differentiable operation; shading, losses and solvers are written on top of those and know nothing of a backend.

Shapes used below: N views, V vertices, F faces, image size (H, W), C channels, R rays. Clip positions are
`(projection @ world_to_camera @ [x, 1])`, homogeneous, with w the depth along the viewing axis of a perspective camera.
A point is visible where -w <= x, y, z <= w. Its pixel coordinates are ((x/w + 1)/2 W, (1 - y/w)/2 H); pixel centres lie
at (column + 0.5, row + 0.5) and row 0 is the top. Faces are int64 vertex indices, two-sided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from invrender.kernels.field import FieldLight, FieldMisfit, RenderField
from invrender.kernels.mesh import (
    Antialias,
    AntialiasAdjoint,
    Interpolate,
    InterpolateAdjoint,
    MakeColourMisfit,
    MakeMisfit,
    Rasterize,
    Silhouette,
    SilhouetteAdjoint,
    SilhouetteTaped,
    Trace,
)
from invrender.kernels.radiance import Radiance, RadianceAdjoint
from invrender.kernels.volume import (
    Backproject,
    Composite,
    CompositeAdjoint,
    LineIntegral,
    LineIntegralAdjoint,
    MakeRays,
    SmoothStep,
)

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Backend:
    """One implementation of every kernel.

    Attributes:
        name: as `--backend` calls it.
        description: one line for people: what it runs on and what fills in for kernels it lacks.
        device: where its tensors live.
        rasterize ... colour_misfit: kernels that draw meshes; see the protocol of each.
        trace: rays through meshes.
        radiance, radiance_adjoint: light transport; radiance_torch: the same in plain torch over the backend's own
            `trace`, in any precision, differentiable by torch in reverse and in forward mode.
        line_integral, joseph_rays, composite: rays through volumes; backproject: pictures back into a volume;
            smooth_step: one step of a solver on a volume.
        field, field_misfit, field_light: rays through radiance fields.
        in_slabs: where several processes work together: the same with `joseph_rays` and `smooth_step` that keep grids
            in slabs, one on each process; results are handles of such grids, which torch's functions take.
        passed_over: where `auto` chose it: which backends should have worked and did not, and why.
    """

    name: str
    description: str
    device: torch.device

    # Meshes.
    rasterize: Rasterize
    interpolate: Interpolate
    interpolate_adjoint: InterpolateAdjoint
    antialias: Antialias
    antialias_adjoint: AntialiasAdjoint
    silhouette: Silhouette
    silhouette_taped: SilhouetteTaped
    silhouette_adjoint: SilhouetteAdjoint
    silhouette_misfit: MakeMisfit
    colour_misfit: MakeColourMisfit

    # Rays.
    trace: Trace
    radiance: Radiance
    radiance_adjoint: RadianceAdjoint
    radiance_torch: Radiance

    # Volumes.
    line_integral: LineIntegral
    line_integral_adjoint: LineIntegralAdjoint
    backproject: Backproject
    joseph_rays: MakeRays
    smooth_step: SmoothStep
    composite: Composite
    composite_adjoint: CompositeAdjoint
    field: RenderField
    field_misfit: FieldMisfit
    field_light: FieldLight

    passed_over: str = ""
    in_slabs: Callable[[], Backend] | None = None


Part = Literal["meshes", "volumes", "scenes"]
"""What a caller needs kernels for."""

PARTS: tuple[Part, ...] = get_args(Part)
