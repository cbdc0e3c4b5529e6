"""How well a surface explains photographs: each is predicted from the colours that all others show on the surface.

No colours of the surface are fitted, and a photograph never predicts itself, so that a surface that follows the noise
of single photographs gains nothing. A schedule keeps a stage only where this says that it helped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from invrender import ops
from invrender.cameras.rigs import evenly
from invrender.geometry.vectors import Floats, Ints, vertex_normals
from invrender.kernels import Backend
from invrender.losses import soft_iou
from invrender.nouns.topology import topology
from invrender.photometry.blend import blended
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import depth_buffer, look_at_points

Tensor = torch.Tensor

SHARED = 0.99  # coverage and mask from which on a pixel is wholly the object's
MOST_JUDGED, MOST_OTHERS = 16, 16  # photographs that are predicted, and from how many others at most
TRUSTED = 0.15  # cosine from which on another photograph tells a colour


@dataclass(frozen=True)
class Prediction:
    """Means over the photographs. NaN where there is nothing to compare.

    Attributes:
        psnr: over pixels that mask and surface share and another photograph shows, dB, sRGB in [0, 1].
        ssim: structural similarity over the mask's pixels; what no other photograph shows is taken as right.
        iou: of the silhouettes with the masks.
    """

    psnr: float
    ssim: float
    iou: float

    @property
    def value(self) -> float:
        """One number to compare surfaces by: a dB of PSNR counts like .04 of SSIM, or .02 of IoU."""
        return self.psnr + 25 * self.ssim + 50 * self.iou


def predicted(vertices: Floats, faces: Ints, photos: Photos, backend: Backend) -> Prediction:
    """The score of a surface [V,3], [F,3] in the photographs' frame."""
    points, triangles = torch.from_numpy(vertices), torch.from_numpy(faces)
    clip = _clip(points, photos.clip_from_object)
    edges = topology(triangles)
    cover = ops.silhouette(backend, clip.to(backend.device), triangles, edges, photos.size).cpu()
    known = photos.confidence
    iou = float(soft_iou(cover * known, photos.masks * known).mean())
    depth = depth_buffer(points, triangles, photos.clip_from_object, photos.size, backend)
    attributes = torch.cat([points, torch.from_numpy(vertex_normals(vertices, faces))], 1).float()
    judged = evenly(len(photos), min(MOST_JUDGED, len(photos)))
    rows = [_of_view(view, attributes, clip, triangles, photos, cover[view], depth, backend) for view in judged]
    psnr, ssim = (float(np.nanmean(column)) if np.isfinite(column).any() else math.nan for column in np.transpose(rows))
    return Prediction(psnr, ssim, iou)


def _of_view(
    view: int, attributes: Tensor, clip: Tensor, faces: Tensor, photos: Photos, cover: Tensor, depth: Tensor,
    backend: Backend,
) -> tuple[float, float]:  # fmt: skip
    """PSNR and SSIM of one photograph as the others predict it."""
    projected = clip[[view]].to(backend.device)
    face_id, _ = ops.rasterize(backend, projected, faces, photos.size)
    hit = (face_id[0] >= 0).cpu()
    if not bool(hit.any()) or len(photos) == 1:
        return math.nan, math.nan
    there = ops.interpolate(backend, attributes.to(projected.device), faces, face_id, projected)[0].cpu()[hit].double()
    others = _nearest(photos, view)
    normals = torch.nn.functional.normalize(there[:, 3:], dim=1)
    samples = look_at_points(there[:, :3].contiguous(), normals, photos, depth, others)
    told = torch.zeros_like(hit)
    told[hit] = samples.weight.amax(0) > TRUSTED
    target = photos.images[view] * photos.masks[view][..., None]
    estimate = torch.zeros_like(target)
    estimate[hit] = blended(samples)
    estimate = torch.where(hit[..., None] & ~told[..., None], target, estimate)
    return _compared(estimate, target, photos.masks[view], cover, told, photos.confidence[view])


def _nearest(photos: Photos, view: int) -> list[int]:
    """The photographs taken from nearest by, but for the one itself."""
    direction = torch.nn.functional.normalize(photos.eye, dim=1)
    order = (direction @ direction[view]).argsort(descending=True).tolist()
    return [other for other in order if other != view][:MOST_OTHERS]


def _compared(
    estimate: Tensor, target: Tensor, mask: Tensor, cover: Tensor, told: Tensor, known: Tensor
) -> tuple[float, float]:
    """PSNR and SSIM of pictures [H,W,3]."""
    from skimage.metrics import structural_similarity

    shared = (mask > SHARED) & (cover > SHARED) & told & (known > 0)
    inside = (mask > 0.5) & (known > 0)
    if not bool(shared.any()):
        return math.nan, math.nan
    error = float(((estimate - target) ** 2)[shared].mean())
    rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    similar = structural_similarity(
        _padded(target[box]), _padded(estimate[box]), channel_axis=-1, data_range=1.0, full=True
    )[1].mean(-1)[PAD:-PAD, PAD:-PAD]
    return -10 * math.log10(max(error, 1e-12)), float(similar[inside[box].numpy()].mean())


PAD = 3  # half of SSIM's window


def _padded(picture: Tensor) -> Floats:
    return np.pad(picture.double().numpy(), ((PAD, PAD), (PAD, PAD), (0, 0)))


def _clip(points: Tensor, matrices: Tensor) -> Tensor:
    return (torch.cat([points, torch.ones_like(points[:, :1])], 1) @ matrices.transpose(1, 2)).float()
