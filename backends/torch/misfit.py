"""Silhouettes compared with masks, for backends without a kernel that does all of it at once."""

from __future__ import annotations

import torch

from invrender import losses
from invrender.kernels import MakeMisfit, SilhouetteAdjoint, SilhouetteMisfit, SilhouetteTaped
from invrender.nouns.topology import Topology

Tensor = torch.Tensor


def misfit_by(silhouette_taped: SilhouetteTaped, silhouette_adjoint: SilhouetteAdjoint) -> MakeMisfit:
    """The comparison made of a backend's own silhouettes and their adjoint, in float32 on the device of the masks."""

    def prepare(faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor) -> SilhouetteMisfit:
        del count
        device = masks.device
        faces, edges, share = faces.to(device), topology.to(device), weight.to(masks)

        def compare(vertices: Tensor, clip_from_object: Tensor) -> tuple[float, Tensor, Tensor]:
            matrix = clip_from_object.to(device, torch.float32)  # float32 holds 1e-5 pixels about the origin
            moved = vertices.to(device, torch.float32)
            clip = torch.einsum("nij,vj->nvi", matrix[:, :, :3], moved) + matrix[:, None, :, 3]
            coverage, tape = silhouette_taped(clip, faces, edges, (masks.shape[1], masks.shape[2]))
            misfit = losses.silhouette_misfit(coverage, masks, share)
            d_clip = silhouette_adjoint(2 * share[:, None, None] * (coverage - masks), tape)
            gradient = torch.einsum("nij,nvi->vj", matrix[:, :, :3].double(), d_clip.double())
            return float(misfit), gradient.to(vertices), losses.soft_iou(coverage, masks).to(vertices)

        return compare

    return prepare
