"""Views that cut the object off: a grid that is wider than what they see, and a mask of what all of them see.

What lies beyond the detectors' borders still dims rays. Where a grid ends with the field of view, that has nowhere to
be but at its rim; so the grid goes on as far as ellipses through the rows of the views say that the object does.
"""

from __future__ import annotations

import dataclasses
import math

import torch

from invrender.errors import InputError, MemoryLimitError
from invrender.kernels import Backend
from invrender.methods.transmittance.doubts import cut_off
from invrender.methods.transmittance.report import FIELD_OF_VIEW
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Shape, Task, check_task_memory
from invrender.radiography.beyond import cut_ends, cut_sides, reach
from invrender.radiography.filtered import filled
from invrender.radiography.rows import Rows, upright_rows
from invrender.radiography.seen import seen_everywhere

Tensor = torch.Tensor

LARGEST = 2.5  # times the field of view
SHOWN_VIEWS = 24  # of which the object's extent is read


def widened(task: Task, settings: TransmittanceSettings, backend: Backend) -> Task:
    """The task with a grid that holds what the views cut off, and with its field of view; the same where none do."""
    data = task.measurement
    if task.reference is not None or not cut_off(data):
        return task
    try:
        rows = upright_rows(data.cameras)
    except InputError:  # nothing is known of how the object goes on
        inside = seen_everywhere(data.cameras, task.shape, task.bounds, backend)
        return dataclasses.replace(task, field_of_view=inside)
    picked = torch.linspace(0, len(rows.order) - 1, min(SHOWN_VIEWS, len(rows.order))).round().long()
    depth = filled(data.depth, data.weight > 0)
    lines = torch.cat([rows.views(depth, slice(int(n), int(n) + 1)) for n in picked])
    sides = cut_sides(lines)
    short = rows.lacks(sides)
    asked = settings.grid is not None or settings.bounds is not None
    alone = settings.solver == "fdk" and not settings.compare  # which makes rows go on instead
    shape, bounds, log = task.shape, task.bounds, task.log
    if not asked and not alone:
        try:
            shape, bounds = _around(task, rows, lines, sides)
            check_task_memory(shape, data.depth.numel())
        except MemoryLimitError:
            shape, bounds = task.shape, task.bounds
    if shape != task.shape:
        log = (
            *log,
            f"the views cut the object off: the grid goes on beyond what they see, to {shape[2]} x {shape[1]} x "
            f"{shape[0]} samples; {FIELD_OF_VIEW} says where all of them see",
        )
    inside = seen_everywhere(data.cameras, shape, bounds, backend, mirrored=short is not None)
    return dataclasses.replace(task, shape=shape, bounds=bounds, log=log, field_of_view=inside)


def _around(task: Task, rows: Rows, lines: Tensor, sides: tuple[bool, bool]) -> tuple[Shape, Tensor]:
    """The grid with as many cells more on each side as the object needs, of the same size."""
    orbit, short = rows.orbit, rows.lacks(sides)
    ends = [float(rows.columns[0].abs()), float(rows.columns[-1].abs())]
    seen = max(ends) if short is not None else min(ends)
    wide = max(
        end + (reach(lines, side) * abs(rows.pitch[0]) if sides[side] and side != short else 0.0)
        for side, end in enumerate(ends)
    )
    wide = min(wide, LARGEST * seen)
    high = float(rows.rows.abs().max())
    # Rays of a cone that climb meet what lies above the axis's last visible height.
    steep = 0.0 if orbit.parallel or rows.fan or not any(cut_ends(lines)) else high * wide / orbit.radius
    low, top = task.bounds.double().clone()
    counts = torch.tensor(task.shape[::-1])
    cell = (top - low) / (counts - 1)
    for i, share in enumerate(orbit.axis.abs().tolist()):
        across = math.sqrt(max(0.0, 1 - share * share))
        if across > 0.5 and any(sides):
            below, above = orbit.centre[i] - wide * across, orbit.centre[i] + wide * across
        elif share > 0.5:
            below, above = low[i] - steep, top[i] + steep
        else:
            continue
        before, after = (max(0, math.ceil(float(d / cell[i]) - 1e-6)) for d in (low[i] - below, above - top[i]))
        low[i], top[i] = low[i] - before * cell[i], top[i] + after * cell[i]
        counts[i] += before + after
    width, height, depth = (int(n) for n in counts)
    return (depth, height, width), torch.stack([low, top])
