"""Pictures of volumes: emission and absorption with a transfer function, or the volume's own colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_frame
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.kernels.compositing import Compositing, Rules, Shade
from invrender.nouns import Cameras, Rays, Volume
from invrender.nouns.transfer import TransferFunction
from invrender.ops import composite
from invrender.render.apart import apart
from invrender.render.images import average, enlarge
from invrender.render.sampling import sample_rays
from invrender.render.scale import exponent, lengths_exponent, scaled, scaled_cameras, scaled_volume
from invrender.shading.density_gradient import Lighting, shades, steepest, value_gradient

Tensor = torch.Tensor

_OPAQUE = 1e15  # extinction per longest axis: nothing is more opaque in a picture


@dataclass(frozen=True)
class Quality:
    """How finely a picture is computed: samples along a ray per voxel, and rays on each side of a pixel."""

    samples: float
    supersample: int


QUALITY: Mapping[str, Quality] = {"draft": Quality(0.7, 1), "standard": Quality(1.5, 1), "fine": Quality(3.0, 2)}


@dataclass(frozen=True)
class VolumeStyle:
    """How a volume is shown.

    Attributes:
        transfer: colour and opacity of its values; None for a volume of four channels, which brings its own
            (extinction per world unit and linear RGB).
        lighting: or None for none.
        compositing: see `kernels.compositing.Rules`.
        quality: see `Quality`.
    """

    transfer: TransferFunction | None = None
    lighting: Lighting | None = field(default_factory=Lighting)
    compositing: Compositing = "early-termination"
    quality: Quality = QUALITY["standard"]


def render_volume(volume: Volume, cameras: Cameras, style: VolumeStyle, backend: Backend) -> Tensor:
    """Premultiplied linear RGB and alpha [N,H,W,4] from N cameras, in the dtype of the volume's values.

    Differentiable in the values and in the transfer function's colours and opacity. Its window and the scale of the
    lighting are taken as constant, even where they were read off the volume.

    Raises:
        InputError: a volume with several channels but not four, or four and a transfer function.
        BackendError: the cameras require a gradient: compositing has none with the rays.
    """
    if (style.transfer is None) != (len(volume.values) == 4) or len(volume.values) not in (1, 4):
        raise InputError(
            f"a volume of {len(volume.values)} channels cannot be drawn like this",
            "use one channel and a transfer function, or four: extinction, red, green, blue; "
            "of channels in an array's first or last axis --frame N takes one",
        )
    volume, cameras, style = _in_own_units(volume, cameras, style)
    values = volume.values.to(backend.device)
    lit = style.lighting is not None and style.transfer is not None
    grid = values.permute(1, 2, 3, 0)
    if lit:
        grid = torch.cat([grid, value_gradient(values[0], volume.bounds)], -1)
    grid = grid.contiguous()
    steep = steepest(volume) if lit else 0.0
    table = None if style.transfer is None else style.transfer.table(volume_frame(volume)[1]).to(values)
    factor = style.quality.supersample
    large = enlarge(cameras, factor)
    given = (volume, grid, table, style, steep, backend)
    free = any(value is not None and value.requires_grad for value in (grid, table, cameras.world_to_camera))
    return _views(*given, large) if free else apart(_views, given, large)


def _views(
    volume: Volume, grid: Tensor, table: Tensor | None, style: VolumeStyle, steep: float, backend: Backend,
    cameras: Cameras,
) -> Tensor:  # fmt: skip
    """Pictures [N,H,W,4] of cameras that are as large as the quality asks for."""
    views = [_view(volume, grid, table, cameras[[i]], style, steep, backend) for i in range(len(cameras))]
    return average(torch.stack(views), style.quality.supersample)


def check_colours(volume: Volume) -> None:
    """Refuse four channels that are not extinction and linear RGB, but perhaps moments in time, or bytes.

    Raises:
        InputError: an extinction is negative, or a colour is not in [0, 1].
    """
    if len(volume.values) != 4:
        return
    least, most = float(volume.values.detach().min()), float(volume.values[1:].detach().max())
    if least < 0 or most > 1:
        raise InputError(
            f"the four channels are not extinction and linear RGB: values from {least:g}, colours up to {most:g}",
            "colours lie from 0 to 1; if these are four volumes (over time), choose one with --frame N",
        )


def _in_own_units(volume: Volume, cameras: Cameras, style: VolumeStyle) -> tuple[Volume, Cameras, VolumeStyle]:
    """The same picture in units of value and length in which float32 computes without overflow."""
    lengths = lengths_exponent(volume)
    cameras = scaled_cameras(cameras, lengths)
    if style.transfer is None:  # extinction per length
        own = scaled_volume(volume, 0, lengths)
        values = torch.cat([scaled(own.values[:1], lengths).clamp(max=_OPAQUE), own.values[1:]])
        return Volume(values, own.bounds), cameras, style
    window = style.transfer
    power = exponent(max(abs(window.low), abs(window.high)))
    own_window = replace(window, low=math.ldexp(window.low, -power), high=math.ldexp(window.high, -power))
    return scaled_volume(volume, power, lengths), cameras, replace(style, transfer=own_window)


def step_length(volume: Volume, samples: float) -> float:
    """The distance between samples, in world units, for that many per voxel (across its shortest side)."""
    counts = torch.tensor(volume.values.shape[:0:-1], dtype=torch.float64) - 1
    return float(((volume.bounds[1] - volume.bounds[0]).cpu() / counts).min()) / samples


def _view(
    volume: Volume,
    grid: Tensor,
    table: Tensor | None,
    camera: Cameras,
    style: VolumeStyle,
    steep: float,
    backend: Backend,
) -> Tensor:
    rays = camera_rays(camera)
    rays = replace(rays, origin=rays.origin.to(backend.device), direction=rays.direction.to(backend.device))
    steps = _ray_steps(rays, volume, style.quality.samples)
    samples = sample_rays(rays, volume.bounds, _shape(volume), steps, grid.dtype)
    window = (0.0, 1.0) if style.transfer is None else (style.transfer.low, style.transfer.high)

    def seen(lights: Shade | None) -> Tensor:
        return composite(backend, grid, samples, table, Rules(style.compositing, *window, lights))

    if not steep or style.lighting is None:
        result = seen(None)
    else:
        (first, share), *others = shades(style.lighting, rays, camera, steep, grid.dtype)
        result = seen(first)
        if others:
            result = share * result + sum(part * seen(other) for other, part in others)
    height, width = camera.size
    return torch.cat([result[:, :3], 1 - result[:, 3:]], 1).reshape(height, width, 4)


def _ray_steps(rays: Rays, volume: Volume, samples: float) -> Tensor:
    """The distances [R] between samples for that many per voxel, the voxels counted along each ray."""
    spacing = volume.spacing.to(rays.direction)
    per_length: Tensor = (rays.direction / spacing).norm(dim=1)
    return 1 / (samples * per_length)


def _shape(volume: Volume) -> tuple[int, int, int]:
    depth, height, width = volume.values.shape[1:]
    return depth, height, width
