"""From colour views to a volume: density and colour on a grid, or the transfer function of a volume that is known.

Both descend on the squared difference between the views and what compositing shows, by Adam on random rays, through the
kernels' hand-written adjoint. The grid goes from coarse to fine; where a view sees the background alone it stays empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_frame
from invrender.errors import DivergedError, InputError
from invrender.kernels import VolumeKernels
from invrender.kernels.walks import Rules, Walk
from invrender.nouns import Cameras, Views, Volume
from invrender.nouns.transfer import REFERENCE, TransferFunction
from invrender.ops import composite
from invrender.render.emission import step_length
from invrender.render.walk import walk

Tensor = torch.Tensor

LEVELS = ((4, 0.25), (2, 0.3), (1, 0.45))  # how much coarser than the result, and the share of the iterations
SHARPEST = 20.0  # extinction per longest axis of a raw value of 1
FIRST = -3.0  # raw extinction to start from: a faint fog
ROWS = 64  # of the transfer function's table
NOTHING = 0.5 / 255  # coverage that counts as background
COARSEST = 12  # samples along the shortest axis, at least


@dataclass(frozen=True)
class Settings:
    """How to descend.

    Attributes:
        iterations: steps of Adam.
        rays: how many each step looks along.
        rate: Adam's step for raw values (before softplus and sigmoid).
        smoothing: weight of the grid's total variation, or of the table's bending.
        samples: per voxel along a ray.
        seed: of the choice of rays.
    """

    iterations: int = 400
    rays: int = 12288
    rate: float = 0.12
    smoothing: float = 1.0
    samples: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """One step: what it is out of how many, the loss, and the estimate on demand (a volume or transfer function)."""

    index: int
    total: int
    terms: dict[str, float]
    volume: Callable[[], Volume]
    transfer: Callable[[], TransferFunction] | None = None


@dataclass(frozen=True)
class _Sight:
    """The rays that meet the box, cut into samples, and what they should show ([R,4] RGB over black, transmittance)."""

    steps: Walk
    target: Tensor


def recover_colour(
    views: Views, bounds: Tensor, shape: tuple[int, int, int], settings: Settings, kernels: VolumeKernels
) -> Iterator[Step]:
    """Density and colour from views with alpha: volumes of four channels (extinction per world unit, linear RGB).

    Args:
        views: images with straight alpha in `masks`.
        bounds: [2,3] the box of the grid.
        shape: samples of the grid along z, y, x.
        settings: how to descend.
        kernels: what composites.

    Raises:
        InputError: the views hold no colours, or nothing can be where they say.
        DivergedError: the loss is no longer finite.
    """
    done = 0
    raw: Tensor | None = None
    for coarser, share in LEVELS:
        size = _coarse(shape, coarser)
        last = coarser == 1
        count = settings.iterations - done if last else round(share * settings.iterations)
        sight = _sight(views, Volume(torch.zeros(1, *size), bounds), settings, kernels)
        support = _support(views, bounds, size).to(kernels.device)
        raw = _first(size) if raw is None else _finer(raw, size)
        raw = raw.to(kernels.device).requires_grad_(True)
        for step in _descend(_Grid(raw, support, bounds), sight, replace(settings, iterations=count), kernels):
            yield replace(step, index=done + step.index, total=settings.iterations)
        raw = raw.detach()
        done += count


def recover_transfer(
    views: Views, volume: Volume, settings: Settings, kernels: VolumeKernels, window: tuple[float, float]
) -> Iterator[Step]:
    """The transfer function under which a known volume shows the views (unlit), over a window of values.

    Raises:
        InputError: the views hold no colours.
        DivergedError: the loss is no longer finite.
    """
    raw = torch.zeros(ROWS, 4)
    raw[:, 3] = FIRST
    raw = raw.to(kernels.device).requires_grad_(True)
    sight = _sight(views, volume, settings, kernels)
    yield from _descend(_Table(raw, volume, window), sight, settings, kernels)


@dataclass(frozen=True)
class _Grid:
    """Density and colour as raw numbers [D,H,W,4]: softplus and sigmoid make them what they are."""

    raw: Tensor
    support: Tensor
    bounds: Tensor

    def scene(self) -> tuple[Tensor, Tensor | None, Rules]:
        scale = SHARPEST / float((self.bounds[1] - self.bounds[0]).max())
        sigma = torch.nn.functional.softplus(self.raw[..., :1]) * scale * self.support[..., None]
        return torch.cat([sigma, torch.sigmoid(self.raw[..., 1:])], -1), None, Rules("early-termination")

    def roughness(self) -> Tensor:
        """Total variation of what shows: extinction times colour, and extinction, per sample."""
        sigma = torch.nn.functional.softplus(self.raw[..., :1]) * self.support[..., None]
        shown = torch.cat([sigma, sigma * torch.sigmoid(self.raw[..., 1:])], -1)
        total = sum(shown.diff(dim=axis).abs().mean() for axis in range(3))
        return 1e-3 * torch.as_tensor(total)

    def volume(self) -> Volume:
        """The estimate so far."""
        with torch.no_grad():
            grid, _, _ = self.scene()
        return Volume(grid.permute(3, 0, 1, 2).contiguous().cpu(), self.bounds)

    def step(self, index: int, total: int, terms: dict[str, float]) -> Step:
        """A report on the estimate."""
        return Step(index, total, terms, self.volume)


@dataclass(frozen=True)
class _Table:
    """A transfer function as raw numbers [K,4] over a known volume."""

    raw: Tensor
    known: Volume
    window: tuple[float, float]

    def scene(self) -> tuple[Tensor, Tensor | None, Rules]:
        grid = self.known.values.permute(1, 2, 3, 0).contiguous().to(self.raw)
        sigma = torch.nn.functional.softplus(self.raw[:, 3:]) * SHARPEST / volume_frame(self.known)[1]
        return grid, torch.cat([torch.sigmoid(self.raw[:, :3]), sigma], 1), Rules("early-termination", *self.window)

    def roughness(self) -> Tensor:
        """How much the raw curves bend."""
        return 1e-5 * self.raw.diff(n=2, dim=0).square().sum()

    def transfer(self) -> TransferFunction:
        """The estimate so far."""
        with torch.no_grad():
            _, table, _ = self.scene()
        assert table is not None
        opacity = 1 - torch.exp(-table[:, 3] * REFERENCE * volume_frame(self.known)[1])
        return TransferFunction(table[:, :3].cpu(), opacity.cpu(), *self.window)

    def step(self, index: int, total: int, terms: dict[str, float]) -> Step:
        """A report on the estimate."""
        return Step(index, total, terms, lambda: self.known, self.transfer)


def _descend(unknown: _Grid | _Table, sight: _Sight, settings: Settings, kernels: VolumeKernels) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(settings.seed)
    adam = torch.optim.Adam([unknown.raw], lr=settings.rate, betas=(0.9, 0.95))
    for index in range(settings.iterations):
        cooling = 1 - 0.8 * index / settings.iterations
        for group in adam.param_groups:
            group["lr"] = settings.rate * cooling
        chosen = torch.randint(len(sight.target), (min(settings.rays, len(sight.target)),), generator=generator)
        chosen = chosen.sort().values.to(sight.target.device)  # neighbours share memory
        adam.zero_grad()
        grid, table, rules = unknown.scene()
        shown = composite(kernels, grid, _part(sight.steps, chosen), table, rules)
        misfit = (shown - sight.target[chosen]).square().mean()
        loss = misfit + settings.smoothing * unknown.roughness()
        if not bool(torch.isfinite(loss)):
            raise DivergedError(f"the loss turned NaN in step {index}", "lower the rate (--set rate=0.05)")
        loss.backward()
        adam.step()
        yield unknown.step(index, settings.iterations, {"loss": float(loss.detach()), "misfit": float(misfit.detach())})


def _sight(views: Views, volume: Volume, settings: Settings, kernels: VolumeKernels) -> _Sight:
    if views.images is None:
        raise InputError("the views hold no colours", "use a dataset of RGBA images, or --method silhouette")
    alpha = views.masks[..., None]
    target = torch.cat([views.images * alpha, 1 - alpha], -1).reshape(-1, 4).float()
    depth, height, width = volume.values.shape[1:]
    step = step_length(volume, settings.samples)
    steps = walk(camera_rays(views.cameras), volume.bounds, (depth, height, width), step, torch.float32)
    hit = torch.nonzero(steps.count > 0)[:, 0]
    if not len(hit):
        raise InputError("no camera sees the box of the grid", "check --bounds against the cameras")
    part = _part(steps, hit)
    on_device = Walk(*(values.to(kernels.device) for values in (part.start, part.step, part.length, part.count)))
    return _Sight(on_device, target[hit].to(kernels.device))


def _part(steps: Walk, chosen: Tensor) -> Walk:
    return Walk(steps.start[chosen], steps.step[chosen], steps.length[chosen], steps.count[chosen])


def _first(size: tuple[int, int, int]) -> Tensor:
    raw = torch.zeros(*size, 4)
    raw[..., 0] = FIRST
    return raw


def _finer(raw: Tensor, size: tuple[int, int, int]) -> Tensor:
    old = raw.permute(3, 0, 1, 2)[None]
    new = torch.nn.functional.interpolate(old, size=size, mode="trilinear", align_corners=True)
    return new[0].permute(1, 2, 3, 0).contiguous()


def _coarse(shape: tuple[int, int, int], factor: int) -> tuple[int, int, int]:
    factor = max(1, min(factor, min(shape) // COARSEST))
    depth, height, width = ((n - 1) // factor + 1 for n in shape)
    return depth, height, width


def _support(views: Views, bounds: Tensor, size: tuple[int, int, int]) -> Tensor:
    """[D,H,W] float: 0 where some view shows nothing at all around the sample, else 1."""
    lines = [torch.linspace(float(bounds[0, a]), float(bounds[1, a]), n, dtype=torch.float64)
             for a, n in zip((2, 1, 0), size, strict=True)]  # fmt: skip
    z, y, x = torch.meshgrid(*lines, indexing="ij")
    points = torch.stack([x, y, z, torch.ones_like(x)], -1).reshape(-1, 4)
    filled = torch.ones(len(points), dtype=torch.bool)
    for i in range(len(views.cameras)):
        filled &= ~_sees_nothing(views.masks[i], views.cameras[[i]], points, bounds, size)
    if not bool(filled.any()):
        raise InputError("some views show nothing where others show the object", "check the poses and the alpha")
    return filled.reshape(size).float()


def _sees_nothing(mask: Tensor, camera: Cameras, points: Tensor, bounds: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Which points [P] lie in the picture where it is empty for as far as one cell of the grid reaches."""
    height, width = camera.size
    clip = points @ camera.clip_from_world[0].T
    depth = clip[:, 3]
    column = ((clip[:, 0] / depth + 1) / 2 * width).floor()
    row = ((1 - clip[:, 1] / depth) / 2 * height).floor()
    inside = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = float(((bounds[1] - bounds[0]) / (torch.tensor(size).flip(0) - 1)).norm())
    nearest = float(depth[depth > 0].min()) if bool((depth > 0).any()) else 1.0
    reach = int(cell * float(camera.projection[0, 1, 1]) * height / 2 / max(nearest, 1e-9)) + 1
    grown = torch.nn.functional.max_pool2d(mask[None, None], 2 * reach + 1, 1, reach)[0, 0]
    at = grown[row.clamp(0, height - 1).long(), column.clamp(0, width - 1).long()]
    return inside & (at < NOTHING)
