"""Perspective-correct interpolation of vertex attributes behind every pixel centre, and its adjoint.

With the corners' clip positions c_k moved so that the pixel lies at the origin, p_k = (x_k - X w_k, y_k - Y w_k), the
barycentric weights on the triangle in space are b_k = a_k / sum(a), a_0 = p_1 x p_2 and so on around (Olano and Greer
1997, "Triangle Scan Conversion using 2D Homogeneous Coordinates"). No division by w occurs, so corners behind the eye
are fine. A pixel centre may lie outside the exact triangle by the rasterizer's rounding; its weights are clamped to
[0, 1] and renormalised, so that slivers never extrapolate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.backends.arguments import check_faces
from invrender.kernels import BOTH, NeedsGrad

Tensor = torch.Tensor

_NEXT, _LAST = [1, 2, 0], [2, 0, 1]


@dataclass(frozen=True)
class _Hits:
    """Pixels that hit something.

    Attributes:
        pixel: [P] int64, flat index into [N,H,W].
        view: [P] int64.
        corner: [P,3] int64, vertex ids of the face hit.
        p: [P,3,2] corner positions relative to the pixel.
        ndc: [P,2] the pixel centre.
        raw: [P,3] barycentrics before clamping; 1/3 each on degenerate faces.
        total: [P,1] sum of the areas a_k; 0 on degenerate faces.
        bary: [P,3] barycentrics.
    """

    pixel: Tensor
    view: Tensor
    corner: Tensor
    p: Tensor
    ndc: Tensor
    raw: Tensor
    total: Tensor
    bary: Tensor


def interpolate(attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """Attributes behind every pixel.

    Args:
        attributes: [V,C] or [N,V,C] float.
        faces: [F,3] int64.
        face_id: [N,H,W] int64, -1 for a miss.
        clip: [N,V,4] float, the positions that were rasterized.

    Returns:
        [N,H,W,C] of attributes' dtype, 0 on a miss.
    """
    hits = _hits(faces, face_id, clip)
    values = _corner_values(attributes, hits)
    image = attributes.new_zeros(face_id.numel(), attributes.shape[-1])
    image[hits.pixel] = (hits.bary.to(attributes.dtype)[:, :, None] * values).sum(1)
    return image.reshape(*face_id.shape, attributes.shape[-1])


def interpolate_adjoint(
    grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor, needs_grad: NeedsGrad = BOTH
) -> tuple[Tensor | None, Tensor | None]:
    """d attributes (their shape) and d clip [N,V,4] from d image [N,H,W,C]; None where not asked for."""
    hits = _hits(faces, face_id, clip)
    grad = grad.reshape(-1, grad.shape[-1])[hits.pixel]
    return (
        _attributes_adjoint(grad, attributes, hits) if needs_grad[0] else None,
        _clip_adjoint(grad, attributes, clip, hits) if needs_grad[1] else None,
    )


def _attributes_adjoint(grad: Tensor, attributes: Tensor, hits: _Hits) -> Tensor:
    """d attributes from d image [P,C] behind the pixels that hit something."""
    to_corners = (hits.bary.to(grad.dtype)[:, :, None] * grad[:, None, :]).reshape(-1, grad.shape[-1])
    rows = hits.corner if attributes.dim() == 2 else hits.corner + (hits.view * attributes.shape[1])[:, None]
    d_attributes = torch.zeros_like(attributes).reshape(-1, attributes.shape[-1])
    d_attributes.index_add_(0, rows.reshape(-1), to_corners.to(attributes.dtype))
    return d_attributes.reshape(attributes.shape)


def _clip_adjoint(grad: Tensor, attributes: Tensor, clip: Tensor, hits: _Hits) -> Tensor:
    """d clip [N,V,4] from d image [P,C] behind the pixels that hit something."""
    d_bary = (_corner_values(attributes, hits) * grad[:, None, :]).sum(-1).to(clip.dtype)
    d_clip = torch.zeros_like(clip).reshape(-1, 4)
    rows = hits.corner + (hits.view * clip.shape[1])[:, None]
    d_clip.index_add_(0, rows.reshape(-1), _bary_adjoint(d_bary, hits).reshape(-1, 4))
    return d_clip.reshape(clip.shape)


def _hits(faces: Tensor, face_id: Tensor, clip: Tensor) -> _Hits:
    check_faces(faces, clip.shape[1])
    height, width = face_id.shape[1:]
    flat = face_id.reshape(-1)
    pixel = (flat >= 0).nonzero()[:, 0]
    view = torch.div(pixel, height * width, rounding_mode="floor")
    row, column = torch.div(pixel, width, rounding_mode="floor") % height, pixel % width
    ndc = torch.stack([(column + 0.5) * (2.0 / width) - 1, 1 - (row + 0.5) * (2.0 / height)], 1).to(clip.dtype)
    corner = faces[flat[pixel]]
    position = clip.reshape(-1, 4)[corner + (view * clip.shape[1])[:, None]]
    p = position[..., :2] - ndc[:, None, :] * position[..., 3:]
    area = _cross(p[:, _NEXT], p[:, _LAST])
    total = area.sum(1, keepdim=True)
    raw = torch.where(total == 0, 1 / 3, area / torch.where(total == 0, 1, total))
    clamped = raw.clamp(0, 1)
    return _Hits(pixel, view, corner, p, ndc, raw, total, clamped / clamped.sum(1, keepdim=True))


def _bary_adjoint(grad: Tensor, hits: _Hits) -> Tensor:
    """d corner clip positions [P,3,4] from d barycentrics [P,3]: the adjoint of `_hits`."""
    norm = hits.raw.clamp(0, 1).sum(1, keepdim=True)
    d_clamped = (grad - (grad * hits.bary).sum(1, keepdim=True)) / norm
    d_raw = torch.where((hits.raw >= 0) & (hits.raw <= 1), d_clamped, 0)
    safe = torch.where(hits.total == 0, 1, hits.total)
    d_area = (d_raw - (d_raw * hits.raw).sum(1, keepdim=True)) / safe
    d_area = torch.where(hits.total == 0, 0, d_area)
    # a_k = p_next x p_last, so each p_k appears as `next` in a_last and as `last` in a_next.
    rotated = torch.stack([hits.p[..., 1], -hits.p[..., 0]], -1)  # d (p x q) / d p = (q_y, -q_x)
    d_p = d_area[:, _LAST, None] * rotated[:, _NEXT] - d_area[:, _NEXT, None] * rotated[:, _LAST]
    d_w = -(d_p * hits.ndc[:, None, :]).sum(-1, keepdim=True)
    return torch.cat([d_p, torch.zeros_like(d_w), d_w], -1)


def _corner_values(attributes: Tensor, hits: _Hits) -> Tensor:
    """[P,3,C] attributes at the corners of the faces hit."""
    return attributes[hits.corner] if attributes.dim() == 2 else attributes[hits.view[:, None], hits.corner]


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
