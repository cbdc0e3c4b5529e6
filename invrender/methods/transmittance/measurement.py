"""From transmittance images to what a solver needs: optical depths and how much each of them is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras

Tensor = torch.Tensor

DEEPEST = 13.0  # optical depth of exact images beyond which float32 transmittances have too few digits left
TOLERANCE = 1e-3  # by which exact transmittances may lie outside [0, 1]


@dataclass(frozen=True)
class Noise:
    """How the pixels of transmittance images err.

    Attributes:
        kind: float (exact), 8bit (rounded to 1/255) or poisson (counted photons).
        photons: per pixel without an object; poisson's alone.
    """

    kind: str = "float"
    photons: float = 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of a transmittance near 1; 0 for exact images."""
        if self.kind == "poisson":
            return 1 / math.sqrt(self.photons)
        return 1 / 255 / math.sqrt(12) if self.kind == "8bit" else 0.0


@dataclass(frozen=True)
class Measurement:
    """Optical depths of N views.

    Attributes:
        cameras: N cameras.
        depth: [N,H,W] float32, -ln T; 0 where masked.
        weight: [N,H,W] float32, inverse variances up to a common factor; 0: masked.
        noise: what the weights come from.
        masked: how many pixels are saturated and left out.
    """

    cameras: Cameras
    depth: Tensor
    weight: Tensor
    noise: Noise
    masked: int = 0


def parse_noise(text: str) -> Noise:
    """`float`, `8bit` or `poisson:PHOTONS` as a `Noise`.

    Raises:
        UsageError: it is none of these.
    """
    kind, colon, count = text.partition(":")
    if kind in ("float", "8bit") and not colon:
        return Noise(kind)
    if kind == "poisson":
        try:
            photons = float(count)
        except ValueError:
            photons = 0.0
        if 1 <= photons < math.inf:
            return Noise("poisson", photons)
    raise UsageError(f"--noise is {text!r}", "use float, 8bit, or poisson:PHOTONS such as poisson:10000")


def exposed(transmittance: Tensor, noise: Noise, seed: int) -> Tensor:
    """Exact transmittances as a camera with this noise would record them."""
    if noise.kind == "8bit":
        return torch.round(transmittance * 255) / 255
    if noise.kind == "poisson":
        counts = np.random.default_rng(seed).poisson(transmittance.double().numpy() * noise.photons)
        return torch.from_numpy((counts / noise.photons).astype(np.float32))
    return transmittance


def measure(cameras: Cameras, transmittance: Tensor, noise: Noise, names: tuple[str, ...] = ()) -> Measurement:
    """Optical depths and weights of transmittance images [N,H,W].

    With an error of T of constant size (8 bit), the variance of -ln T is proportional to 1 / T^2; with counted photons
    to 1 / T. Pixels without any light are saturated: they only say "deep", and are left out.

    Raises:
        InputError: pixels that are NaN, negative or above 1 (beyond what the noise explains), or no light anywhere.
    """
    _check(transmittance, noise, names)
    clear = transmittance.clamp(max=1.0) if noise.kind != "poisson" else transmittance
    seen = clear > (math.exp(-DEEPEST) if noise.kind == "float" else 0.0)
    depth = torch.where(seen, -torch.where(seen, clear, 1.0).log(), 0.0)
    power = {"float": 0, "8bit": 2, "poisson": 1}[noise.kind]
    weight = seen * clear.clamp(max=1.0) ** power
    if not bool(seen.any()):
        raise InputError("every pixel is black: no light comes through anywhere", "check the exposure of the images")
    return Measurement(cameras, depth.float(), weight.float(), noise, int((~seen).sum()))


def _check(transmittance: Tensor, noise: Noise, names: tuple[str, ...]) -> None:
    allowed = 1 + TOLERANCE + 8 * noise.deviation
    for what, bad in (
        ("NaN or infinite", ~transmittance.isfinite()),
        ("negative", transmittance < -TOLERANCE),
        ("above 1", transmittance > allowed),
    ):
        if bool(bad.any()):
            view = int(bad.flatten(1).any(1).nonzero()[0])
            name = names[view] if names else f"view {view}"
            raise InputError(
                f"{name} has {int(bad[view].sum())} transmittances that are {what}",
                "transmittance is light behind over light before the object: 0 to 1, 1 where nothing is",
            )


def binned(measurement: Measurement) -> Measurement:
    """The same views at half the resolution: blocks of 2 x 2 depths, averaged by their weights."""
    cameras = measurement.cameras
    height, width = cameras.size[0] // 2 * 2, cameras.size[1] // 2 * 2
    depth, weight = (image[:, :height, :width] for image in (measurement.depth, measurement.weight))
    total = torch.nn.functional.avg_pool2d(weight[:, None], 2)[:, 0]
    mean = torch.nn.functional.avg_pool2d((weight * depth)[:, None], 2)[:, 0] / total.clamp(min=1e-12)
    projection = cameras.projection.clone()
    for axis, (full, cut, sign) in enumerate(((cameras.size[1], width, 1.0), (cameras.size[0], height, -1.0))):
        # pixel = (ndc + 1) / 2 * full (x) keeps its place when the image loses its last column
        projection[:, axis] = cameras.projection[:, axis] * (full / cut)
        projection[:, axis] = projection[:, axis] + sign * (full / cut - 1) * cameras.projection[:, 3]
    small = Cameras(cameras.world_to_camera, projection, (height // 2, width // 2))
    return Measurement(small, mean.contiguous(), total.contiguous(), measurement.noise, measurement.masked)
