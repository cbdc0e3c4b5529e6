"""What looks wrong in views or in the density found from them: cut-off objects, misfits that no density explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch

from invrender.evaluate.alike import alike_findings
from invrender.evaluate.thumbnails import thumbnails
from invrender.findings import Finding
from invrender.io.datasets.transmittance import TransmittanceViews
from invrender.io.files.paths import listing
from invrender.kernels import Backend
from invrender.methods.transmittance.directions import direction_findings
from invrender.methods.transmittance.measurement import Measurement, Noise
from invrender.methods.transmittance.task import Task, measured, pixel_grid
from invrender.nouns import Cameras, Views

Tensor = torch.Tensor

CUT = 0.05  # share of the deepest optical depth that counts as the object, on a border
LONG = 0.1  # share of a border that it takes
UNEXPLAINED = 0.05  # of the optical depths; sharp edges, noise, 8 bits and few angles leave 0.02 at most
ODD, ODD_LEAST = 3.0, 0.03  # times the median of all views, and share, from which a view stands out


def cut_off(data: Measurement) -> list[str]:
    """The views on whose left or right, upper or lower border the object goes on.

    Where each row of pixels sees a slice of its own, what lies above and below is none of its business.
    """
    noise = 8 * data.noise.deviation
    sliced = _in_slices(data.cameras)
    found = []
    for i, depth in enumerate(data.depth):
        object_there = (depth > max(CUT * float(depth.max()), noise)).double()
        borders = [object_there[:, 0], object_there[:, -1]]
        if not sliced:
            borders += [object_there[0], object_there[-1]]
        if max(float(border.mean()) for border in borders) > LONG:
            found.append(data.name(i))
    return found


def _in_slices(cameras: Cameras) -> bool:
    """Whether the cameras are of one row of pixels each, or parallel ones around an axis that their rows lie across."""
    up = cameras.world_to_camera[:, 1, :3]
    return cameras.size[0] == 1 or bool(cameras.parallel.all() and torch.allclose(up, up[:1].expand_as(up), atol=1e-3))


def check(task: Task, backend: Backend) -> Sequence[Finding]:
    """What looks wrong in a dataset; the views of an asset are right."""
    del backend
    return () if task.reference is not None else (*task.findings, *_findings(task.measurement, task.bounds))


def dataset_findings(views: TransmittanceViews, noise: Noise | None = None) -> Sequence[Finding]:
    """The same for views that are only looked at; where they do not say where the box is, there is nothing to say.

    Raises:
        InputError: what makes a reconstruction refuse them.
    """
    box = views.bounds
    if box is None:
        return ()
    return _findings(measured(views, box, views.grid or pixel_grid(views.cameras, box), noise), box)


def _findings(data: Measurement, box: Tensor) -> Sequence[Finding]:
    return (*_cut_off_findings(data), *direction_findings(data.cameras, box), *_alike(data))


def _alike(data: Measurement) -> Sequence[Finding]:
    """Views of which one would do: the same shadow from the same place."""
    names = tuple(data.name(i) for i in range(len(data.cameras)))
    shadows = Views(data.cameras, 1 - torch.exp(-data.depth.float()))
    return alike_findings(data.cameras, names, thumbnails(shadows), coloured=False)


def _cut_off_findings(data: Measurement) -> Sequence[Finding]:
    cut = cut_off(data)
    if not cut:
        return ()
    return (
        Finding(
            f"the object goes on beyond the border of {len(cut)} of {len(data.cameras)} views: {listing(cut)}",
            "what some views do not show is uncertain, in value and place: use images that hold all of the object",
            tuple(cut),
        ),
    )


def doubt(task: Task, metrics: Mapping[str, Any]) -> Sequence[Finding]:
    """What looks wrong in a result from a dataset: views that the density does not explain."""
    residuals: dict[str, float] = metrics["view_residuals"]
    if task.reference is not None:
        return ()
    usual = median(residuals.values())
    worst = sorted(residuals, key=residuals.__getitem__, reverse=True)
    if usual > UNEXPLAINED:
        return (
            Finding(
                f"no density explains the views: {usual:.1%} of their optical depths are off, "
                f"{residuals[worst[0]]:.1%} in {worst[0]}",
                "check the axis of rotation (--calibrate axis), the poses and their order, the direction of rotation, "
                "--bounds, and that the images are transmittances; or give it more iterations",
                tuple(worst),
            ),
        )
    odd = tuple(name for name in worst if residuals[name] > max(ODD * usual, ODD_LEAST))
    if not odd:
        return ()
    return (
        Finding(
            f"{len(odd)} of {len(residuals)} views do not agree with the rest ({residuals[odd[0]]:.1%} off, usually "
            f"{usual:.1%}): {listing(odd)}",
            "check their poses and files, or leave them out",
            odd,
        ),
    )
