"""How near a volume comes to a reference: PSNR, relative L2 and SSIM of the grid, PSNR of unseen views."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.volume_rigs import DISTANCE, FOV, volume_frame
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import transmittance
from invrender.render.emission import VolumeStyle, render_volume

log = logging.getLogger(__name__)
Array = NDArray[np.float64]

SIGMA, TRUNCATE = 1.5, 3.5  # of SSIM's Gaussian window, whose radius is 5 samples
K1, K2 = 0.01, 0.03
PHASE = 1.0  # radians, of the unseen cameras' spiral relative to that of --cameras sphere
COLOURS = 4  # channels: extinction, red, green, blue
_SAME_BOX = 1e-3  # of the longest axis
_TURNED = 1e-4  # between the directions of two grids that count as one


@dataclass(frozen=True)
class VolumeMetrics:
    """A volume against its reference; of four channels (extinction, colours) the grid's measures are of the first.

    Attributes:
        psnr: dB, over all samples and channels; the peak is the reference's greatest value; inf where both are equal.
        relative_l2: |difference| / |reference|.
        ssim: mean structural similarity in 3-D (Wang et al. 2004; Gaussian window, sigma 1.5).
        heldout_psnr: dB, of images from unseen cameras, peak 1: of transmittance, or of four channels in their own
            colours; None where values are negative, or there are two or three channels.
        heldout_psnr_worst: of the worst view.
        extinction: the factor on both densities for images of transmittance: `auto_extinction` of the reference.
        resampled: whether the volume was resampled to the reference's grid.
        least, greatest: values of the volume.
        reference_greatest: greatest value of the reference.
    """

    psnr: float
    relative_l2: float
    ssim: float
    heldout_psnr: float | None
    heldout_psnr_worst: float | None
    extinction: float | None
    resampled: bool
    least: float
    greatest: float
    reference_greatest: float


def volume_metrics(
    result: Volume, reference: Volume, backend: Backend, views: int = 8, size: int = 128
) -> VolumeMetrics:
    """Compare two volumes of the same kind with the same box in the world.

    Raises:
        InputError: their channels or boxes differ, or the reference is 0 everywhere.
    """
    _check_channels(result, reference)
    result = _in_frame_of(result, reference)
    _check_boxes(result, reference)
    resampled = result.values.shape[1:] != reference.values.shape[1:]
    every = resample(result, reference) if resampled else result.values.detach().cpu().double().numpy()
    compared = 1 if len(every) == COLOURS else len(every)
    truth = reference.values[:compared].detach().cpu().double().numpy()
    found = every[:compared]
    peak = float(truth.max())
    if not peak > 0:
        raise InputError("the reference is nowhere above 0", "compare with a volume that holds something")
    error = float(((found - truth) ** 2).mean())
    unseen = _heldout(every, reference, backend, views, size) if min(found.min(), truth.min()) >= 0 else None
    return VolumeMetrics(
        psnr=decibel(peak, error),
        relative_l2=math.sqrt(error * truth.size) / float(np.linalg.norm(truth)),
        ssim=float(np.mean([ssim(a, b, peak) for a, b in zip(found, truth, strict=True)])),
        heldout_psnr=None if unseen is None else unseen[0],
        heldout_psnr_worst=None if unseen is None else unseen[1],
        extinction=None if unseen is None else unseen[2],
        resampled=resampled,
        least=float(found.min()),
        greatest=float(found.max()),
        reference_greatest=peak,
    )


def _in_frame_of(result: Volume, reference: Volume) -> Volume:
    """The result with its box in the frame of the reference's grid; where one has no placement, they share a frame."""
    one, other = result.placement, reference.placement
    if one is None and other is None:
        return result
    if one is None or other is None:
        log.warning("one of both volumes does not say how its grid is turned: compared as if in the frame of the other")
        return result
    if not torch.allclose(one[:, :3], other[:, :3], rtol=0, atol=_TURNED):
        raise InputError(
            "the grids of both volumes are turned against each other",
            "put both upright, which resamples them: invrender convert VOLUME UPRIGHT.nii.gz --upright",
        )
    shift = torch.linalg.solve(other[:, :3], one[:, 3] - other[:, 3])
    return replace(result, bounds=result.bounds + shift)


def decibel(peak: float, mean_square: float) -> float:
    """The peak signal-to-noise ratio in dB; inf where there is no error."""
    return math.inf if mean_square == 0 else 10 * math.log10(peak * peak / mean_square)


def ssim(a: Array, b: Array, peak: float) -> float:
    """Mean structural similarity of two grids with values up to `peak` (Wang et al. 2004)."""
    from scipy.ndimage import gaussian_filter

    def mean(values: Array) -> Array:
        return np.asarray(gaussian_filter(values, SIGMA, truncate=TRUNCATE, mode="reflect"))

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    alike = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((alike / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def resample(volume: Volume, like: Volume) -> Array:
    """A volume's values [C,D,H,W], trilinear at as many samples as `like` has over the same box."""
    values = volume.values.detach().cpu().double()[None]
    shape = like.values.shape[1:]
    finer = torch.nn.functional.interpolate(values, size=tuple(shape), mode="trilinear", align_corners=True)
    return finer[0].numpy()


def heldout_cameras(volume: Volume, views: int, size: int) -> Cameras:
    """Cameras on a Fibonacci sphere about the z axis, between those of `--cameras sphere`, which is about y."""
    i = np.arange(views) + 0.5
    z = 1 - 2 * i / views
    radius, azimuth = np.sqrt(1 - z * z), i * math.pi * (3 - math.sqrt(5)) + PHASE
    direction = torch.from_numpy(np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], 1))
    centre, longest = volume_frame(volume)
    projection = perspective(FOV, (size, size), 0.02 * longest, 4 * longest).repeat(views, 1, 1)
    world_to_camera = look_at(centre + DISTANCE * longest * direction, centre, up=(0.0, 0.0, 1.0))
    return Cameras(world_to_camera, projection, (size, size))


def _heldout(
    found: Array, reference: Volume, backend: Backend, views: int, size: int
) -> tuple[float, float, float | None] | None:
    cameras = heldout_cameras(reference, views, size)
    result = Volume(torch.from_numpy(found).float(), reference.bounds)
    extinction = None
    if len(found) == COLOURS:
        style = VolumeStyle(None, None)
        one, other = (render_volume(volume, cameras, style, backend).cpu() for volume in (result, reference))
    elif len(found) == 1:
        other, factor = transmittance(reference, cameras, backend)
        one, extinction = transmittance(result, cameras, backend, factor)[0], float(factor)
    else:
        return None
    errors = (one - other).double().square().flatten(1).mean(1)
    return decibel(1.0, float(errors.mean())), decibel(1.0, float(errors.max())), extinction


def _check_channels(result: Volume, reference: Volume) -> None:
    kinds = [_kind(len(volume.values)) for volume in (result, reference)]
    if kinds[0] != kinds[1]:
        raise InputError(
            f"the result holds {kinds[0]}, and the reference {kinds[1]}: these cannot be compared sample by sample",
            "compare two volumes of one kind; a run from colours has the PSNR of its unseen views in metrics.json",
        )


def _kind(channels: int) -> str:
    named = {1: "one value per sample", COLOURS: "extinction and colours"}
    return named.get(channels, f"{channels} channels")


def _check_boxes(result: Volume, reference: Volume) -> None:
    longest = volume_frame(reference)[1]
    away = float((result.bounds.double() - reference.bounds.double()).abs().max())
    if away <= _SAME_BOX * longest:
        return
    low = torch.maximum(result.bounds[0].double(), reference.bounds[0].double())
    high = torch.minimum(result.bounds[1].double(), reference.bounds[1].double())
    apart = "" if bool((low < high).all()) else " and do not overlap"
    raise InputError(
        f"the volumes lie in different places{apart}: {_box(result)} and {_box(reference)}",
        "write both with the same spacing and origin (in the same units, and both with the same patient directions)",
    )


def _box(volume: Volume) -> str:
    low, high = ("(" + ", ".join(f"{x:.6g}" for x in corner.tolist()) + ")" for corner in volume.bounds)
    return f"{low} to {high}"
