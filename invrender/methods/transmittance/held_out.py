"""How well a density predicts the views that were held out, where no grid can show them exactly.

Misfits come from three sides: noise, smoothing that is too strong or too weak, and the model: pixels average over their
area where a ray goes through their middle, and a grid is linear between its samples where an object ends sharply.
What the model misses is proportional to second differences of the optical depth (a twenty-fourth of them for the mean
over a pixel, up to an eighth for linear interpolation), so the measured images tell how large it is, pixel by pixel. As
a variance beside that of the noise it keeps the few pixels at sharp edges from deciding alone, which ask for weaker
smoothing than the rest: weighted least squares, with the model's error as a part of the weights (Kaipio and Somersalo,
Statistical and Computational Inverse Problems, 2005, section 5.8, name it the approximation error).

What counts is the density, not its projections, which average what smoothing that is too weak leaves: fine streaks. In
the norm that weighs the power at each frequency of the images by that frequency, projections are as far apart as the
densities (Natterer, The Mathematics of Computerized Tomography, 1986, section II.5: the X-ray transform is continuous
with its inverse between L2 and the Sobolev space of order 1/2). So misfits are summed in this norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.problem import DENSITY, Problem, System

Tensor = torch.Tensor

SHARE = 1 / 10  # of second differences: between those of pixels and of grids


def model_error(depth: Tensor) -> Tensor:
    """[N,H,W]: by how much optical depths [N,H,W] may differ from those of the best grid."""
    padded = torch.nn.functional.pad(depth[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] - 2 * depth
    down = padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1] - 2 * depth
    return SHARE * (across.abs() + down.abs())


@dataclass(frozen=True)
class HeldOut:
    """Views that no trial learns from.

    Attributes:
        problem: what they belong to.
        views: their numbers.
    """

    problem: Problem
    views: Sequence[int]

    @cached_property
    def system(self) -> System:
        """Their rays with their data."""
        return self.problem.system(self.views)

    @cached_property
    def variance(self) -> Tensor:
        """[R]: of noise and model, of each ray; nowhere less than the model's error is on average."""
        rays = self.system.rays
        data: Measurement = self.problem.measurement
        error = model_error(data.depth[list(self.views)]).reshape(-1)[rays.pixels.cpu()].to(self.system.weight.device)
        noise = data.noise.deviation**2 / self.system.weight
        return noise + error.square() + error.mean().square() + torch.finfo(torch.float32).tiny

    def misfit(self, estimate: Tensor) -> float:
        """Mean squared difference over the variance, filtered: about 1 where noise and model explain everything."""
        difference = self.system.residual({DENSITY: estimate}) / self.variance.sqrt()
        data: Measurement = self.problem.measurement
        images = torch.zeros(len(self.views), *data.cameras.size, dtype=difference.dtype, device=difference.device)
        images.view(-1)[self.system.rays.pixels.to(difference.device)] = difference
        return sum(_ramped(image) for image in images) / max(len(difference), 1)


def _ramped(image: Tensor) -> float:
    """The sum over an image's [H,W] frequencies of their power times their size; of white noise, the sum of squares."""
    height, width = (2 * n for n in image.shape)  # with as many zeros around, so that no edge meets the one across
    power = torch.fft.fft2(image.double(), (height, width)).abs().square() / (height * width)
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64, device=image.device) for n in (height, width))
    ramp = torch.hypot(rows[:, None], columns)
    return float((power * ramp).sum() / ramp.mean())
