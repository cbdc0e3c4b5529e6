"""How a drawn object must move to fit its photograph: the normal equations of one picture, from one drawing of it.

A pixel's colour and coverage change with the object's motion by their gradients across the picture times the motion of
the surface that the pixel shows (Lucas and Kanade 1981). The gradients are the mean of the drawn picture's and of the
photograph's, which makes the step accurate to second order (efficient second-order minimisation; Benhimane and Malis
2004). At outlines, where the surface turns away and other points of it take over, the exact derivatives of coverage
stand in for that. Unknowns are a twist of the object, see `registration.twisted`, and the logarithm of a factor on the
focal length.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender import ops
from invrender.kernels import Backend
from invrender.nouns.topology import Topology
from invrender.photometry.photos import Photos

Tensor = torch.Tensor

COLOUR = 0.7  # weight of colours (sRGB, 0 to 1) relative to coverage
OUTLIER = 0.1  # difference of colours that counts half: the shape is not perfect, and surfaces shine
WHOLE = 0.99  # coverage and share of known colours from which on a pixel's colour counts
UNKNOWNS = 7


@dataclass(frozen=True)
class Subject:
    """What is drawn: a mesh in the normalised frame with its edges; vertices [V,3] float64, faces [F,3] int64."""

    vertices: Tensor
    faces: Tensor
    edges: Topology


@dataclass(frozen=True)
class Outlines:
    """What is drawn of a mesh at N cameras before its colours.

    Attributes:
        clip: [N,V,4] float32.
        face_id: [N,h,w], -1: nothing.
        cover: [N,h,w] float32, differentiable by `clip`.
    """

    clip: Tensor
    face_id: Tensor
    cover: Tensor


@dataclass(frozen=True)
class Equations:
    """Of N pictures: normal matrices [N,7,7], right sides [N,7], and costs [N] float64 (robust sums of squares)."""

    normal: Tensor
    right: Tensor
    cost: Tensor

    def __add__(self, other: Equations) -> Equations:
        """Those of both sets of residuals."""
        return Equations(self.normal + other.normal, self.right + other.right, self.cost + other.cost)


def outlines(subject: Subject, matrices: Tensor, size: tuple[int, int], backend: Backend) -> Outlines:
    """What cameras [N,4,4] (normalised frame to clip space) see of a mesh in pictures of `size`."""
    homogeneous = torch.cat([subject.vertices, torch.ones_like(subject.vertices[:, :1])], 1)
    clip = (homogeneous @ matrices.transpose(1, 2)).float().to(backend.device)
    face_id = ops.rasterize(backend, clip, subject.faces, size)[0]
    clip.requires_grad_()
    return Outlines(clip, face_id, ops.silhouette(backend, clip, subject.faces, subject.edges, size))


def equations(
    subject: Subject, seen: Outlines, colours: Tensor, known: Tensor, photos: Photos, motions: Tensor, matrices: Tensor,
    backend: Backend,
) -> Equations:  # fmt: skip
    """The normal equations of photographs, linearised where the object is.

    Args:
        subject, seen: the object, and its outlines at the matrices.
        colours: [N,V,3] sRGB, for each photograph; known: [N,V], 1 where they are.
        photos: N of them.
        motions: [N,4,4] by which the object is moved before the photographs' cameras see it.
        matrices: [N,4,4] from the object to clip space, motions included.
        backend: what draws.
    """
    cameras = matrices @ torch.linalg.inv(motions)
    inside = [
        _inside(subject, seen, i, torch.cat([colours[i], known[i, :, None]], 1), photos, motions[i], cameras[i],
                backend)
        for i in range(len(photos))
    ]  # fmt: skip
    along = _outlines(subject, seen, photos, motions, cameras)
    return along + Equations(*(torch.stack(parts) for parts in zip(*inside, strict=True)))


def _outlines(subject: Subject, seen: Outlines, photos: Photos, motions: Tensor, cameras: Tensor) -> Equations:
    """Of coverage: exact on the right side; each stretch of outline counts as if photographs' were beside it."""
    sure = photos.confidence.to(seen.cover.device)
    squares = sure * (seen.cover - photos.masks.to(sure)).square()
    pull, length = (
        torch.autograd.grad(total, seen.clip, retain_graph=True)[0].double().cpu()
        for total in (squares.sum() / 2, (sure * seen.cover).sum())
    )
    normal, right = [], []
    for i in range(len(photos)):
        held = (length[i] != 0).any(1) | (pull[i] != 0).any(1)
        moved = subject.vertices[held] @ motions[i, :3, :3].T + motions[i, :3, 3]
        flow = _flow(moved, cameras[i], photos.principal[i], photos.size)
        scale = seen.clip[i, held, 3:].detach().double().cpu() * torch.tensor([2 / photos.size[1], -2 / photos.size[0]])
        across, drawn = length[i, held, :2] * scale, pull[i, held, :2] * scale  # by pixels right and down
        share = (across[:, None] @ flow)[:, 0] / across.norm(dim=1, keepdim=True).sqrt().clamp(min=1e-6)
        normal.append(share.T @ share)
        right.append(-(drawn[:, None] @ flow)[:, 0].sum(0))
    return Equations(torch.stack(normal), torch.stack(right), squares.detach().sum((1, 2)).double().cpu())


def _inside(
    subject: Subject, seen: Outlines, i: int, colours: Tensor, photos: Photos, motion: Tensor, camera: Tensor,
    backend: Backend,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Of colours."""
    attributes = torch.cat([subject.vertices.float(), colours.float()], 1).to(backend.device)
    clip, face_id = seen.clip[i : i + 1].detach(), seen.face_id[i : i + 1]
    drawn = ops.interpolate(backend, attributes, subject.faces, face_id, clip)[0].cpu()
    image = photos.images[i]
    inside = _shrunk((face_id[0].cpu() >= 0) & (photos.masks[i] > WHOLE) & (drawn[..., 6] > WHOLE))
    apart = (drawn[..., 3:6] - image)[inside]
    squares = apart.square().sum(-1)
    weight = COLOUR**2 * photos.confidence[i][inside] / (1 + squares / OUTLIER**2)
    gradient = _gradient((drawn[..., 3:6] + image) / 2)[inside]
    tensor = (gradient @ gradient.transpose(1, 2) * weight[:, None, None]).double()
    vector = ((gradient @ apart[..., None])[..., 0] * weight[:, None]).double()
    moved = drawn[..., :3][inside].double() @ motion[:3, :3].T + motion[:3, 3]
    flow = _flow(moved, camera, photos.principal[i], photos.size)
    flat = flow.reshape(-1, UNKNOWNS).T
    cost = COLOUR**2 * OUTLIER**2 * (photos.confidence[i][inside] * torch.log1p(squares / OUTLIER**2)).sum()
    return flat @ (tensor @ flow).reshape(-1, UNKNOWNS), flat @ vector.reshape(-1), cost.double()


def _shrunk(inside: Tensor) -> Tensor:
    """Pixels [h,w] whose neighbours are inside too."""
    kept: Tensor = torch.nn.functional.max_pool2d(1 - inside[None].float(), 3, 1, 1)[0] == 0
    return kept


def _gradient(picture: Tensor) -> Tensor:
    """Differences [h,w,2,C] of a picture [h,w,C] per pixel to the right and down."""
    padded = torch.nn.functional.pad(picture.permute(2, 0, 1)[None], (1, 1, 1, 1), mode="replicate")[0]
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    return torch.stack([across, down], -1).permute(1, 2, 3, 0) / 2


def _flow(points: Tensor, camera: Tensor, principal: Tensor, size: tuple[int, int]) -> Tensor:
    """Derivatives [P,2,7] of pixel coordinates (right, down) by twist and log focal length, at points [P,3]."""
    clip = points @ camera[:, :3].T + camera[:, 3]
    at, w = clip[:, :2] / clip[:, 3:], clip[:, 3]
    along = (camera[None, :2, :3] - at[..., None] * camera[None, 3:, :3]) / w[:, None, None]
    turned = torch.linalg.cross(points[:, None].expand(-1, 2, -1), along, dim=-1)
    longer = (at - principal)[..., None]
    pixels = torch.tensor([size[1] / 2, -size[0] / 2], dtype=torch.float64)
    return torch.cat([turned, along, longer], -1) * pixels[:, None]
