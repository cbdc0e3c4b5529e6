"""Silhouettes compared with masks, for backends without a kernel that does all of it at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from invrender import losses
from invrender.kernels import MakeMisfit, SilhouetteAdjoint, SilhouetteMisfit, SilhouetteTaped
from invrender.nouns.coverage import coverage
from invrender.nouns.topology import Topology

Tensor = torch.Tensor


def misfit_by(silhouette_taped: SilhouetteTaped, silhouette_adjoint: SilhouetteAdjoint) -> MakeMisfit:
    """The comparison made of a backend's own silhouettes and their adjoint, in float32 on the device of the masks."""

    def prepare(
        faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor, confidence: Tensor | None = None
    ) -> SilhouetteMisfit:
        del count
        device = masks.device
        faces, edges, share = faces.to(device), topology.to(device), weight.to(device, torch.float32)
        believed = None if confidence is None else coverage(confidence).to(device, torch.float32)

        def compare(
            vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
        ) -> tuple[float, Tensor, Tensor]:
            chosen = slice(None) if views is None else [range(len(masks))[int(view)] for view in views]
            # float32 holds 1e-5 pixels about the origin
            matrix = clip_from_object[chosen].to(device, torch.float32)
            moved = vertices.to(device, torch.float32)
            clip = torch.einsum("nij,vj->nvi", matrix[:, :, :3], moved) + matrix[:, None, :, 3]
            drawn, tape = silhouette_taped(clip, faces, edges, (masks.shape[1], masks.shape[2]))
            pixels = (coverage(masks[chosen]).float(), share[chosen], None if believed is None else believed[chosen])
            misfit = losses.silhouette_misfit(drawn, *pixels)
            d_clip = silhouette_adjoint(losses.silhouette_misfit_gradient(drawn, *pixels), tape)
            gradient = torch.einsum("nij,nvi->vj", matrix[:, :, :3].double(), d_clip.double())
            iou = losses.soft_iou(drawn, pixels[0], pixels[2])
            return float(misfit), gradient.to(vertices), iou.to(vertices)

        return compare

    return prepare
