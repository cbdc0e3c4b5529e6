"""From transmittance images to what a solver needs: optical depths and how much each of them is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.errors import InputError, UsageError
from invrender.nouns import Cameras

Tensor = torch.Tensor

DEEPEST = 13.0  # optical depth of exact images beyond which float32 transmittances have too few digits left
SCATTERED = 1e-3  # share of the pixels up to which odd ones are single bad pixels
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
        masked: how many pixels are left out: saturated, or marked as bad by 0 or NaN.
        names: of the views; empty: they have none.
    """

    cameras: Cameras
    depth: Tensor
    weight: Tensor
    noise: Noise
    masked: int = 0
    names: tuple[str, ...] = ()

    def name(self, view: int) -> str:
        """What to call a view."""
        return self.names[view] if self.names else f"view {view}"

    def some(self, views: slice) -> Measurement:
        """Some of the views, which share memory with all; pixels that are left out are counted as before."""
        return replace(
            self,
            cameras=self.cameras[views],
            depth=self.depth[views],
            weight=self.weight[views],
            names=self.names[views],
        )


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


def measure(
    cameras: Cameras, transmittance: Tensor, noise: Noise, names: tuple[str, ...] = (), hint: str = "poisson:PHOTONS"
) -> Measurement:
    """Optical depths and weights of transmittance images [N,H,W].

    With an error of T of constant size (8 bit), the variance of -ln T is proportional to 1 / T^2; with counted photons
    to 1 / T. Pixels without any light are saturated: they only say "deep", and are left out, as is NaN, which marks bad
    pixels. `hint` is the noise to name where the images look noisy and nothing is said of it.

    Raises:
        InputError: pixels that are infinite, negative or above 1 (beyond what noise explains), or no light anywhere.
    """
    known = ~transmittance.isnan()
    transmittance = torch.where(known, transmittance, 0.0)
    _check(transmittance, noise, names, hint)
    clear = transmittance.clamp(max=1.0) if noise.kind != "poisson" else transmittance
    seen = clear > (math.exp(-DEEPEST) if noise.kind == "float" else 0.0)
    depth = torch.where(seen, -torch.where(seen, clear, 1.0).log(), 0.0)
    power = {"float": 0, "8bit": 2, "poisson": 1}[noise.kind]
    weight = seen * clear.clamp(max=1.0) ** power
    if not bool(seen.any()):
        raise InputError("every pixel is black: no light comes through anywhere", "check the exposure of the images")
    return Measurement(cameras, depth.float(), weight.float(), noise, int((~seen).sum()), names)


def _check(transmittance: Tensor, noise: Noise, names: tuple[str, ...], hint: str) -> None:
    spare = TOLERANCE + 8 * noise.deviation
    for what, bad in (
        ("infinite", ~transmittance.isfinite()),
        ("negative", transmittance < -spare),
        ("above 1", transmittance > 1 + spare),
    ):
        if bool(bad.any()):
            raise InputError(_where(transmittance, bad, what, names), _cure(transmittance, bad, noise, hint))


def _where(transmittance: Tensor, bad: Tensor, what: str, names: tuple[str, ...]) -> str:
    """Which pixels are impossible: the worst by its file and position."""
    off = torch.where(bad, (transmittance - 0.5).abs(), 0.0)
    view, row, column = (int(i) for i in torch.unravel_index(off.argmax(), off.shape))
    name, value = names[view] if names else f"view {view}", float(transmittance[view, row, column])
    return (
        f"{int(bad.sum())} transmittances are {what}: {name} has {value:.4g} (line integral {_depth(value)}) "
        f"in row {row}, column {column}"
    )


def _depth(value: float) -> str:
    return f"{-math.log(value):.4g}" if 0 < value < math.inf else "none"


def _cure(transmittance: Tensor, bad: Tensor, noise: Noise, hint: str) -> str:
    if int(bad.sum()) <= SCATTERED * bad.numel() and not float(transmittance[bad].abs().max()) < 1.5:
        return "mark bad pixels by 0 or NaN: they are then left out"
    if noise.kind != "poisson" and float(transmittance[bad].abs().max()) < 2:
        return f"if that is noise, say how the pixels err: --noise {hint}; or mark bad pixels by 0 or NaN"
    return "transmittance is light behind over light before the object, 0 to 1: divide by the open beam, check the sign"


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
    return Measurement(
        small, mean.contiguous(), total.contiguous(), measurement.noise, measurement.masked, measurement.names
    )
