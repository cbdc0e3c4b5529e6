"""How a drawn object must move to fit its photograph: the normal equations of one picture, from one drawing of it.

A pixel's colour and coverage change with the object's motion by their gradients across the picture times the motion of
the surface that the pixel shows (Lucas and Kanade 1981). The gradients are the mean of the drawn picture's and of the
photograph's, which makes the step accurate to second order (efficient second-order minimisation; Benhimane and Malis
2004). At outlines, where the surface turns away and other points of it take over, the exact derivatives of coverage
stand in for that. Unknowns are a twist of the object, see `registration.twisted`, and the logarithm of a factor on the
focal length.

Colours and outlines are two kinds of measurement, and how far either is to be trusted differs: masks may be exact where
a surface has hardly any colours of its own, or off by pixels where it is full of them. What blocks of the picture pull
towards tells: how much farther apart their pulls lie than unit variance would have them is the dispersion of a kind
(errors of neighbouring pixels are alike, which blocks allow for; Liang and Zeger 1986), and weights by the inverse of
dispersions are those of the best estimate.
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
RIDGE = 1e-6  # of the largest entry of the normal equations
BLOCK = 16  # pixels a side, beyond which errors have little to do with one another


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
    """Of N pictures.

    Attributes:
        normal, right: matrices [N,7,7] and right sides [N,7].
        cost: [N] float64, robust sums of squares.
        scatter: [N,7,7], sums over blocks of the pictures of the squares (outer products) of their right sides.
    """

    normal: Tensor
    right: Tensor
    cost: Tensor
    scatter: Tensor

    def __add__(self, other: Equations) -> Equations:
        """Those of both sets of residuals."""
        return Equations(
            self.normal + other.normal,
            self.right + other.right,
            self.cost + other.cost,
            self.scatter + other.scatter,
        )

    def times(self, weight: Tensor) -> Equations:
        """Those of residuals that count so much, weight [N]."""
        return Equations(
            self.normal * weight[:, None, None],
            self.right * weight[:, None],
            self.cost * weight,
            self.scatter * weight[:, None, None] ** 2,
        )

    @property
    def dispersion(self) -> Tensor:
        """[N]: the variance of residuals, as blocks of them pull at the object's motion."""
        found: Tensor = torch.linalg.solve(self._own, self.scatter[:, :6, :6]).diagonal(dim1=1, dim2=2).mean(1)
        return found.clamp(min=1e-12)

    @property
    def variance(self) -> Tensor:
        """[N]: of the object's motion, turn and shift, as far as the equations and their dispersion tell it."""
        found: Tensor = torch.linalg.inv(self._own).diagonal(dim1=1, dim2=2).sum(1) * self.dispersion
        return found

    @property
    def _own(self) -> Tensor:
        """Of motions [N,6,6], with what makes them invertible."""
        own = self.normal[:, :6, :6]
        ridge = RIDGE * own.diagonal(dim1=1, dim2=2).amax(1) + 1e-12
        return own + ridge[:, None, None] * torch.eye(6, dtype=own.dtype)


@dataclass(frozen=True)
class Parts:
    """The equations of colours, and those of outlines."""

    colours: Equations
    outlines: Equations

    @property
    def worth(self) -> Tensor:
        """The weight [N] of outlines that makes up for the dispersions of both kinds, at most 1."""
        return (self.colours.dispersion / self.outlines.dispersion).clamp(max=1)

    @property
    def share(self) -> Tensor:
        """The share [N] of colours in what both kinds tell of the object's motion."""
        return self.outlines.variance / (self.outlines.variance + self.colours.variance)

    def together(self, outline: float | Tensor | None) -> Equations:
        """Of both kinds, under a weight of outlines; None: by what they are worth."""
        weight = self.worth if outline is None else torch.as_tensor(outline, dtype=torch.float64)
        return self.colours + self.outlines.times(weight.expand_as(self.outlines.cost))


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
) -> Parts:  # fmt: skip
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
    colour = Equations(*(torch.stack(parts) for parts in zip(*inside, strict=True)))
    return Parts(colour, _outlines(subject, seen, photos, motions, cameras))


def _outlines(subject: Subject, seen: Outlines, photos: Photos, motions: Tensor, cameras: Tensor) -> Equations:
    """Of coverage: exact on the right side; each stretch of outline counts as if photographs' were beside it."""
    sure = photos.confidence.to(seen.cover.device)
    squares = sure * (seen.cover - photos.masks.to(sure)).square()
    pull, length = (
        torch.autograd.grad(total, seen.clip, retain_graph=True)[0].double().cpu()
        for total in (squares.sum() / 2, (sure * seen.cover).sum())
    )
    normal, right, scatter = [], [], []
    for i in range(len(photos)):
        held = (length[i] != 0).any(1) | (pull[i] != 0).any(1)
        moved = subject.vertices[held] @ motions[i, :3, :3].T + motions[i, :3, 3]
        flow = _flow(moved, cameras[i], photos.principal[i], photos.size)
        scale = seen.clip[i, held, 3:].detach().double().cpu() * torch.tensor([2 / photos.size[1], -2 / photos.size[0]])
        across, drawn = length[i, held, :2] * scale, pull[i, held, :2] * scale  # by pixels right and down
        share = (across[:, None] @ flow)[:, 0] / across.norm(dim=1, keepdim=True).sqrt().clamp(min=1e-6)
        normal.append(share.T @ share)
        pulls = -(drawn[:, None] @ flow)[:, 0]
        right.append(pulls.sum(0))
        at = seen.clip[i, held].detach().double().cpu()
        at = (at[:, :2] / at[:, 3:] * torch.tensor([1.0, -1.0]) + 1) / 2 * torch.tensor(photos.size[::-1])
        scatter.append(_scatter(pulls, at, photos.size))
    cost = squares.detach().sum((1, 2)).double().cpu()
    return Equations(torch.stack(normal), torch.stack(right), cost, torch.stack(scatter))


def _scatter(pulls: Tensor, at: Tensor, size: tuple[int, int]) -> Tensor:
    """Sum [7,7] over blocks of the squares of what they pull together, from pulls [P,7] at pixels [P,2] (x, y)."""
    across, down = (n // BLOCK + 1 for n in size[::-1])
    x, y = (at.T / BLOCK).long()
    blocks = torch.zeros(across * down, UNKNOWNS, dtype=torch.float64)
    blocks.index_add_(0, y.clamp(0, down - 1) * across + x.clamp(0, across - 1), pulls)
    return blocks.T @ blocks


def _inside(
    subject: Subject, seen: Outlines, i: int, colours: Tensor, photos: Photos, motion: Tensor, camera: Tensor,
    backend: Backend,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
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
    known = photos.confidence[i][inside]
    cost = COLOUR**2 * OUTLIER**2 * (known * torch.log1p(squares / OUTLIER**2)).sum()
    pulls = (vector[:, None] @ flow)[:, 0]
    scatter = _scatter(pulls, inside.nonzero().flip(1), photos.size)
    return flat @ (tensor @ flow).reshape(-1, UNKNOWNS), pulls.sum(0), cost.double(), scatter


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
