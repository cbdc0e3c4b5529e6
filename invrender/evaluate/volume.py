"""How near a volume comes to a reference: PSNR, relative L2 and SSIM of the grid, PSNR of unseen views."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.volume_rigs import DISTANCE, FOV, volume_frame
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import auto_extinction, density, optical_depth

Array = NDArray[np.float64]

SIGMA, TRUNCATE = 1.5, 3.5  # of SSIM's Gaussian window, whose radius is 5 samples
K1, K2 = 0.01, 0.03
PHASE = 1.0  # radians, of the unseen cameras' spiral relative to that of --cameras sphere
_SAME_BOX = 1e-3  # of the longest axis


@dataclass(frozen=True)
class VolumeMetrics:
    """A volume against its reference.

    Attributes:
        psnr: dB, over all samples, with the reference's greatest value as the peak; inf where both are equal.
        relative_l2: |difference| / |reference|.
        ssim: mean structural similarity in 3-D (Wang et al. 2004; Gaussian window, sigma 1.5).
        heldout_psnr: dB, of transmittance images from unseen cameras, peak 1; None where values are negative.
        heldout_psnr_worst: of the worst view.
        extinction: the factor on both densities for those images: `auto_extinction` of the reference.
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
    """Compare the first channels of two volumes with the same box in the world.

    Raises:
        InputError: their boxes differ, or the reference is 0 everywhere.
    """
    _check_boxes(result, reference)
    truth = reference.values[0].detach().cpu().double().numpy()
    resampled = result.values.shape[1:] != reference.values.shape[1:]
    found = resample(result, reference) if resampled else result.values[0].detach().cpu().double().numpy()
    peak = float(truth.max())
    if not peak > 0:
        raise InputError("the reference is nowhere above 0", "compare with a volume that holds something")
    error = float(((found - truth) ** 2).mean())
    unseen = _heldout(found, reference, backend, views, size) if min(found.min(), truth.min()) >= 0 else None
    return VolumeMetrics(
        psnr=decibel(peak, error),
        relative_l2=math.sqrt(error * truth.size) / float(np.linalg.norm(truth)),
        ssim=ssim(found, truth, peak),
        heldout_psnr=None if unseen is None else unseen[0],
        heldout_psnr_worst=None if unseen is None else unseen[1],
        extinction=None if unseen is None else unseen[2],
        resampled=resampled,
        least=float(found.min()),
        greatest=float(found.max()),
        reference_greatest=peak,
    )


def decibel(peak: float, mean_square: float) -> float:
    """The peak signal-to-noise ratio in dB; inf where there is no error."""
    return math.inf if mean_square == 0 else 10 * math.log10(peak * peak / mean_square)


def ssim(a: Array, b: Array, peak: float) -> float:
    """Mean structural similarity of two grids with values up to `peak` (Wang et al. 2004)."""

    def mean(values: Array) -> Array:
        return np.asarray(gaussian_filter(values, SIGMA, truncate=TRUNCATE, mode="reflect"))

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    alike = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((alike / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def resample(volume: Volume, like: Volume) -> Array:
    """The first channel [D,H,W] of a volume, trilinear at as many samples as `like` has over the same box."""
    values = volume.values[:1].detach().cpu().double()[None]
    shape = like.values.shape[1:]
    finer = torch.nn.functional.interpolate(values, size=tuple(shape), mode="trilinear", align_corners=True)
    return finer[0, 0].numpy()


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


def _heldout(found: Array, reference: Volume, backend: Backend, views: int, size: int) -> tuple[float, float, float]:
    cameras = heldout_cameras(reference, views, size)
    truth = Volume(density(reference)[None], reference.bounds)
    result = Volume(torch.from_numpy(found).float()[None], reference.bounds)
    expected = optical_depth(truth, cameras, backend)
    extinction = auto_extinction(expected)
    difference = torch.exp(-extinction * optical_depth(result, cameras, backend)) - torch.exp(-extinction * expected)
    errors = difference.double().square().mean((1, 2))
    return decibel(1.0, float(errors.mean())), decibel(1.0, float(errors.max())), extinction


def _check_boxes(result: Volume, reference: Volume) -> None:
    longest = volume_frame(reference)[1]
    away = float((result.bounds.double() - reference.bounds.double()).abs().max())
    if away > _SAME_BOX * longest:
        raise InputError(
            f"the volumes lie in different places: their corners are up to {away:g} apart",
            "write both with the same spacing and origin",
        )
