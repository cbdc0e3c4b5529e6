"""Whether posed masks agree with each other: how much of each mask the others leave standing, without making a hull.

Rays through some pixels of every mask are sampled along the object. A sample survives where no other mask contradicts
it; a pixel is explained where a sample of its ray survives. The visual hull lies inside every mask, so the share of
explained pixels is the IoU of the hull with the mask, but for a tolerance of about a pixel. Who contradicts a sample is
kept as a bit, so that leaving views out costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.cameras.rays import rays_through
from invrender.cameras.rigs import evenly
from invrender.geometry.carving import known_object, known_pixels, signed_distances
from invrender.nouns import Cameras
from invrender.nouns.coverage import coverage

Tensor = torch.Tensor

SIZE = 256  # masks are scaled down to this longer side
JUDGES = 32  # masks that samples are held against, at most
RAYS, FEWEST, MOST = 1536, 24, 128  # of all masks, and of each
SAMPLES = 96  # along a ray
REACH = 1.6  # they lie this far before and behind the middle of the object, in half-extents
TOLERANCE = 1.0  # pixels that a silhouette may be off
FAINT = 0.1  # coverage from which a mask contradicts nothing: thin parts cover little of a pixel


@dataclass(frozen=True)
class Silhouettes:
    """Posed masks, small enough to try many things with.

    Attributes:
        masks: [N,H,W] coverage in [0, 1], 0 where nothing is known.
        distances: [N,H,W], signed, of what they cover at all, and of what is unknown; see `signed_distances`.
        cameras: N cameras.
        names: of the views, or none.
        known: [N,H,W] bool, or None where all pixels are known.
    """

    masks: Tensor
    distances: Tensor
    cameras: Cameras
    names: tuple[str, ...] = ()
    known: Tensor | None = None

    def __getitem__(self, index: list[int]) -> Silhouettes:
        """Some of the views."""
        names = tuple(self.names[i] for i in index) if self.names else ()
        known = None if self.known is None else self.known[index]
        return Silhouettes(self.masks[index], self.distances[index], self.cameras[index], names, known)

    def inverted(self) -> Silhouettes:
        """With background for object; what is unknown stays so."""
        if self.known is None:
            return replace(self, masks=1 - self.masks, distances=-self.distances)
        return _silhouettes((1 - self.masks) * self.known, self.cameras, self.names, self.known)


@dataclass(frozen=True)
class Votes:
    """Who contradicts what.

    Attributes:
        against: [N,P,S] int64, for each sample of the rays of each view the judges that contradict it, as bits.
        seen: [N,P,S] bool, whether enough judges see the sample.
        judges: the numbers of the views behind the bits.
    """

    against: Tensor
    seen: Tensor
    judges: tuple[int, ...]

    def explained(self, without: tuple[int, ...] = ()) -> Tensor:
        """[N] float64: the share of each mask that survives the judges but for some views."""
        keep = sum(1 << bit for bit, view in enumerate(self.judges) if view not in without)
        return ((self.against & keep == 0) & self.seen).any(2).double().mean(1)


def small(
    masks: Tensor, cameras: Cameras, names: tuple[str, ...] = (), confidence: Tensor | None = None
) -> Silhouettes:
    """Posed masks [N,H,W], scaled down by averaging to SIZE pixels; with confidence [N,H,W], of known pixels alone."""
    height, width = masks.shape[1:]
    share = SIZE / max(height, width)
    size = (max(1, round(height * share)), max(1, round(width * share))) if share < 1 else (height, width)

    def scaled(picture: Tensor) -> Tensor:
        picture = picture.cpu().float()
        return picture if share >= 1 else torch.nn.functional.interpolate(picture[None, None], size, mode="area")[0, 0]

    # one view at a time: all of them may be large
    rows = range(len(masks))
    shown = [scaled(coverage(known_object(masks[i], None if confidence is None else confidence[i]))) for i in rows]
    # a pixel that is unknown in part contradicts nothing
    known = None if confidence is None else torch.stack([scaled(known_pixels(confidence[i])) == 1 for i in rows])
    return _silhouettes(torch.stack(shown), Cameras(cameras.world_to_camera, cameras.projection, size), names, known)


def _silhouettes(masks: Tensor, cameras: Cameras, names: tuple[str, ...], known: Tensor | None) -> Silhouettes:
    covered = masks > FAINT
    if known is not None:
        covered |= ~known
    return Silhouettes(masks, signed_distances(covered.float()), cameras, names, known)


def votes(views: Silhouettes, rays: int | None = None) -> Votes | None:
    """Hold the masks against each other; None where the cameras do not look at anything in common.

    Args:
        views: posed masks.
        rays: of each view; None: as many as take about a second.
    """
    found = _middle(views.masks, views.cameras)
    if found is None:
        return None
    centre, half = found
    count = rays or min(max(RAYS // len(views.cameras), FEWEST), MOST)
    points = _samples(_pixels(views.masks, count), views.cameras, centre, half)
    judges = evenly(len(views.cameras), JUDGES)
    against = torch.zeros(points.shape[:3], dtype=torch.int64)
    known = torch.zeros(points.shape[:3], dtype=torch.int16)
    for bit, view in enumerate(judges):
        no, says = _judged(points, centre, views.distances[view], views.cameras[[view]], 2 * REACH * half / SAMPLES)
        against |= no.long() << bit
        known += says
    return Votes(against, known >= (len(judges) + 1) // 2, tuple(judges))


def drift(views: Silhouettes) -> tuple[float, float]:
    """How far right of and below what the cameras have in common most masks lie, in sides of the image.

    Around an object what its shape adds cancels out; a principal point that is wrong shifts all masks alike.
    """
    found = _middle(views.masks, views.cameras)
    if found is None:
        return 0.0, 0.0
    clip = views.cameras.clip_from_world @ torch.cat([found[0], torch.ones(1, dtype=torch.float64)])
    height, width = views.cameras.size
    at = torch.stack([(clip[:, 0] / clip[:, 3] + 1) / 2, (1 - clip[:, 1] / clip[:, 3]) / 2], 1)
    away = (_centroids(views.masks) / torch.tensor([width, height]) - at)[clip[:, 3] > 0].median(0).values
    return float(away[0]), float(away[1])


def _pixels(masks: Tensor, count: int) -> Tensor:
    """[N,P,2] positions (x, y) in pixels, evenly among the pixels of each mask."""
    chosen = []
    for mask in masks:
        row, column = (mask >= min(0.5, float(mask.max()))).nonzero(as_tuple=True)
        at = ((torch.arange(count, dtype=torch.float64) + 0.5) * len(row) / count).long()
        chosen.append(torch.stack([column[at], row[at]], 1).double() + 0.5)
    return torch.stack(chosen)


def _middle(masks: Tensor, cameras: Cameras) -> tuple[Tensor, float] | None:
    """The point [3] that the rays through the masks' centroids pass nearest to, and the masks' reach around it.

    Rays that pass it far off count less, for a few views may be wrong.
    """
    eye, direction = (each[:, 0] for each in rays_through(cameras, _centroids(masks)[:, None]))
    direction = torch.nn.functional.normalize(direction, dim=1)
    across = torch.eye(3, dtype=torch.float64) - direction[:, :, None] * direction[:, None, :]
    weight = torch.ones(len(cameras), dtype=torch.float64)
    for _ in range(8):
        weighted = across * weight[:, None, None]
        moment = (weighted @ eye[:, :, None]).sum(0)[:, 0]
        centre: Tensor = torch.linalg.pinv(weighted.sum(0), hermitian=True, rtol=1e-9) @ moment
        miss = (across @ (centre - eye)[:, :, None])[:, :, 0].norm(dim=1)
        weight = 1 / (1 + (miss / (3 * miss.median()).clamp(min=1e-9)) ** 4)
    clip = cameras.clip_from_world @ torch.cat([centre, torch.ones(1, dtype=torch.float64)])
    front = clip[:, 3] > 0
    if int(front.sum()) < max(2, len(cameras) / 2):
        return None
    half = _reach(masks[front], clip[front], cameras.projection[front, 1, 1])
    return (centre, half) if half > 0 else None


def _centroids(masks: Tensor) -> Tensor:
    """[N,2] (x, y) in pixels."""
    weight = masks.double()
    total = weight.sum((1, 2)).clamp(min=1e-9)
    rows, columns = (torch.arange(n, dtype=torch.float64) + 0.5 for n in masks.shape[1:])
    return torch.stack([(weight.sum(1) * columns).sum(1) / total, (weight.sum(2) * rows).sum(1) / total], 1)


def _reach(masks: Tensor, clip: Tensor, focal: Tensor) -> float:
    """How far masks reach from a point that lies at clip positions [N,4] in them, in world units.

    Views that say more than twice what most say do not count.
    """
    height, width = masks.shape[1:]
    x, y = (clip[:, 0] / clip[:, 3] + 1) / 2 * width, (1 - clip[:, 1] / clip[:, 3]) / 2 * height
    found = []
    for view, mask in enumerate(masks):
        row, column = (mask >= min(0.5, float(mask.max()))).nonzero(as_tuple=True)
        away = torch.stack([(column + 0.5 - x[view]).abs().max(), (row + 0.5 - y[view]).abs().max()]).max()
        found.append((away + 0.5) * 2 * clip[view, 3] / (focal[view] * height))
    reach = torch.stack(found)
    return float(torch.minimum(reach.max(), 2 * reach.median()))


def _samples(pixels: Tensor, cameras: Cameras, centre: Tensor, half: float) -> Tensor:
    """[N,P,S,3] float32, relative to the centre: points on the rays through pixels, around the depth of the centre."""
    depth = -(cameras.world_to_camera[:, 2, :3] @ centre + cameras.world_to_camera[:, 2, 3])
    along = ((torch.arange(SAMPLES, dtype=torch.float64) + 0.5) / SAMPLES * 2 - 1) * REACH * half
    at = depth[:, None] + along
    eye, direction = rays_through(cameras, pixels)
    return ((eye - centre)[:, :, None] + at[:, None, :, None] * direction[:, :, None]).float()


def _judged(points: Tensor, centre: Tensor, distance: Tensor, camera: Cameras, step: float) -> tuple[Tensor, Tensor]:
    """Whether one mask contradicts points [...,3] relative to the centre, and whether it says anything about them."""
    matrix = camera.clip_from_world[0, [0, 1, 3]]
    shift = matrix[:, :3] @ centre + matrix[:, 3]
    x, y, w = (points @ matrix[:, :3].T.float() + shift.float()).unbind(-1)
    divisor = torch.where(w > 0, w, torch.ones_like(w))
    ndc = torch.stack([x / divisor, -y / divisor], -1)
    read = torch.nn.functional.grid_sample(
        distance[None, None], ndc.reshape(1, 1, -1, 2), mode="bilinear", padding_mode="border", align_corners=False
    ).reshape(w.shape)
    beyond = (ndc.abs() > 1).any(-1)
    border = torch.cat([distance[0], distance[-1], distance[:, 0], distance[:, -1]])
    known = (w > 0) & ~(beyond & bool((border > 0).any()))
    pixel = w * (2.0 / float(camera.projection[0, 1, 1] * camera.size[0]))
    allowed = TOLERANCE + 0.5 * step / pixel.clamp(min=1e-30)
    return known & ((read < -allowed) | beyond), known
