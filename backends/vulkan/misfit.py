"""Silhouettes compared with masks on a Vulkan device: projection, drawing, loss and gradient, in doubles.

The mesh's connectivity and the masks stay on the device. Each comparison takes vertices there, and brings back sums of
pixels, and the gradients of vertices on the contour, which are summed in an order that does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from invrender.backends.vulkan.contour import Ends, Mesh, corner_sums, packed_mesh, pixels, visible_ends
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels import Size
from invrender.nouns.coverage import coverage
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

SHADER = "silhouette_misfit"

LANES = 256  # threads per view that add up pixels


@dataclass(frozen=True)
class Misfit:
    """A mesh's connectivity and the masks its silhouettes are compared with; see `invrender.kernels.SilhouetteMisfit`.

    Attributes:
        vulkan: the device.
        mesh: the connectivity.
        size: (H, W).
        weight: [N] float64 of the views.
        compared: masks, confidence and weights as shaders take them.
    """

    vulkan: Vulkan
    mesh: Mesh
    size: Size
    weight: Tensor
    compared: dict[str, Any]

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        """Misfit, its gradient with the vertices [V,3] float64, and IoU [M] float64, of all views or of M of them."""
        every = torch.arange(len(self.weight))
        chosen = every if views is None else every[torch.as_tensor(views, dtype=torch.int64)]
        points = upload(self.vulkan, vertices, np.float64)
        gradient = torch.zeros(vertices.shape, dtype=torch.float64)
        sums = torch.zeros(len(chosen), 3, dtype=torch.float64)
        for part in self.mesh.parts(len(chosen), self.size):
            own = chosen[part]
            matrices = clip_from_object[own.to(clip_from_object.device)]
            sums[part] = self._add_views(points, upload(self.vulkan, matrices, np.float64), own, gradient)
        common, joint = sums[:, 1], sums[:, 2]
        iou = torch.where(joint > 0, common / torch.where(joint > 0, joint, 1), 1.0)
        return float(self.weight[chosen] @ sums[:, 0]), gradient.to(vertices.device), iou.to(vertices.device)

    def _add_views(self, points: Any, matrices: Any, chosen: Tensor, gradient: Tensor) -> Tensor:
        """Sums [M,3] of the pixels of some views; what these say about vertices is added to the gradient [V,3]."""
        vulkan, views = self.vulkan, len(chosen)
        clip = empty(vulkan, 4 * views * self.mesh.count[0], np.float64)
        seen = {"points": points, "matrices": matrices}
        ends = visible_ends(vulkan, self.mesh, clip, views, self.size, (SHADER, "project"), **seen)
        given = ends.given | self.compared | {"matrices": matrices, "chosen": upload(vulkan, chosen, np.uint32)}
        given["change"] = zeros(vulkan, views * self.size[0] * self.size[1], np.int32)
        compute(vulkan, (SHADER, "correct"), ends.count, **given)
        sums = empty(vulkan, 3 * views * LANES, np.float64)
        compute(vulkan, (SHADER, "compare"), views * LANES, sums=sums, lanes=LANES, **given)
        self._add_corners(ends, given, gradient)
        return torch.from_numpy(download(vulkan, sums, (views, LANES, 3), np.float64)).sum(1)

    def _add_corners(self, ends: Ends, given: dict[str, Any], gradient: Tensor) -> None:
        vulkan = self.vulkan
        shown = (pixels(vulkan, ends) >= 0).nonzero()[:, 0]
        count = len(shown)
        corner, d_corner = empty(vulkan, 4 * count, np.int32), empty(vulkan, 12 * count, np.float64)
        drawn = {"shown": upload(vulkan, shown, np.uint32), "corner": corner, "d_corner": d_corner}
        compute(vulkan, (SHADER, "adjoint"), count, **drawn, **given)
        corner_sums(vulkan, corner, d_corner, 4 * count, gradient)


def silhouette_misfit(
    vulkan: Vulkan,
    faces: Tensor,
    topology: Topology,
    count: int,
    masks: Tensor,
    weight: Tensor,
    confidence: Tensor | None = None,
) -> Misfit:
    """Prepare a comparison; see `invrender.kernels.MakeMisfit`.

    Raises:
        InputError: an index names something that does not exist.
    """
    share = weight.detach().double().cpu()
    compared = {
        "masks": upload(vulkan, coverage(masks), np.float32),
        "confidence": upload(vulkan, torch.ones(1) if confidence is None else coverage(confidence), np.float32),
        "believed": confidence is not None,
        "share": upload(vulkan, share, np.float64),
    }
    mesh = packed_mesh(vulkan, faces, topology, count)
    return Misfit(vulkan, mesh, (masks.shape[1], masks.shape[2]), share, compared)
