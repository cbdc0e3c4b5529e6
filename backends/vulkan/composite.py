"""Compositing along rays on a Vulkan device, one thread per ray; the adjoint traverses them a second time.

The adjoint adds up atomically, so its last bits differ from run to run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.backends.arguments import plain_rules
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels.compositing import MIP_RAMP, OPAQUE, RaySamples, Rules

Tensor = torch.Tensor

COPIES = 64  # of the table's gradient: every sample of every ray adds to some of its few rows, and would have to queue


def composite(vulkan: Vulkan, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
    """Colour and transmittance [R,4] of grid [D,H,W,C]; see the reference."""
    rays = len(samples.count)
    result = empty(vulkan, 4 * rays)
    given = _given(vulkan, grid, samples, table, rules)
    compute(vulkan, ("composite", "forward"), rays, result=result, **given)
    return torch.from_numpy(download(vulkan, result, (rays, 4))).to(grid.device)


def composite_adjoint(
    vulkan: Vulkan,
    grad: Tensor,
    result: Tensor,
    grid: Tensor,
    samples: RaySamples,
    table: Tensor | None,
    rules: Rules,
) -> tuple[Tensor, Tensor | None]:
    """Gradients of grid and table; see the reference."""
    d_grid = zeros(vulkan, grid.numel())
    shape = (COPIES, 2, 4) if table is None else (COPIES, *table.shape)
    d_table = zeros(vulkan, int(np.prod(shape)))
    compute(
        vulkan, ("composite", "adjoint"), len(samples.count), d_grid=d_grid, d_table=d_table, copies=COPIES,
        grad=upload(vulkan, grad, np.float32), result=upload(vulkan, result, np.float32),
        **_given(vulkan, grid, samples, table, rules),
    )  # fmt: skip
    spread = torch.from_numpy(download(vulkan, d_grid, tuple(grid.shape))).to(grid.device)
    if table is None:
        return spread, None
    rows = download(vulkan, d_table, shape).sum(0, dtype=np.float64).astype(np.float32)
    return spread, torch.from_numpy(rows).to(grid.device)


def _given(vulkan: Vulkan, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> dict[str, Any]:
    """What both shaders take."""
    (low, scale), numbers, (kind, mip, early) = plain_rules(rules, None if table is None else len(table))
    ambient, diffuse, specular, shininess, soft = map(float, numbers)
    along = torch.cat([samples.start, samples.step, samples.length[:, None]], 1)
    none = torch.zeros(1)
    return {
        "grid": upload(vulkan, grid, np.float32),
        "samples": upload(vulkan, along, np.float32),
        "count": upload(vulkan, samples.count, np.int32),
        "table": upload(vulkan, none if table is None else table, np.float32),
        "lights": upload(vulkan, none if rules.shade is None else rules.shade.lights, np.float32),
        "size": list(grid.shape[2::-1]),
        "channels": grid.shape[3],
        "rows": 2 if table is None else len(table),
        "low": float(low),
        "scale": float(scale),
        "ambient": ambient,
        "diffuse": diffuse,
        "specular": specular,
        "shininess": shininess,
        "soft": soft,
        "opaque": OPAQUE,
        "ramp": MIP_RAMP,
        "kind": kind,
        "mip": mip,
        "early": early,
    }
