"""A medium and its light as named tensors of free numbers, and back.

Extinction counts in optical depths of the box's longest side, so that steps mean the same for all sizes; a solver keeps
it at `LEAST` or above. The other numbers are free (`parameters.encodings`): logits of albedo and of the mean cosine,
logarithms of the environment's texels and of the lights' intensities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from invrender.kernels.radiance import INTENSITY, SceneArrays
from invrender.parameters.encodings import Encoding, bounded, positive
from invrender.parameters.neural_field import NeuralField
from invrender.solve.protocol import Params

Tensor = torch.Tensor

EXTINCTION, ALBEDO, G, ENVIRONMENT, LIGHTS = "extinction", "albedo", "g", "environment", "light.intensity"
FREE = (ALBEDO, G, ENVIRONMENT, LIGHTS)
"""What may be free besides extinction."""

LEAST = 1e-3  # optical depth of the longest side: less cannot be told from nothing


def encodings(arrays: SceneArrays, free: tuple[str, ...]) -> dict[str, Encoding]:
    """How the values that are free besides extinction are written, shaped as `values_of` has them."""
    made: dict[str, Callable[[Tensor], Encoding]] = {
        ALBEDO: lambda at: bounded(at, 0.0, 1.0),
        G: lambda at: bounded(at, -1.0, 1.0),
        ENVIRONMENT: positive,
        LIGHTS: positive,
    }
    start = values_of(arrays)
    return {name: made[name](start[name]) for name in free}


def values_of(arrays: SceneArrays) -> dict[str, Tensor]:
    """What may be free of a scene: albedo [3], g [], texels [h,w,3] and intensities [L,3], float64.

    Grids of albedo and g count by their means.
    """
    return {
        ALBEDO: arrays.albedo.double().reshape(-1, 3).mean(0).cpu(),
        G: arrays.asymmetry.double().mean().cpu(),
        ENVIRONMENT: arrays.environment.double().cpu(),
        LIGHTS: arrays.lights[:, INTENSITY : INTENSITY + 3].double().cpu(),
    }


@dataclass(frozen=True)
class MediumValues:
    """What is free of a scene with a medium.

    Attributes:
        base: the scene for kernels, whose medium has any extinction over the same box.
        support: [D,H,W] float, 0 where nothing can be, else 1.
        encoded: how free values besides extinction are written.
        field: a network that extinction per world unit is read from, over the same box; None: it is a grid.
        side: the box's longest side in the world.
    """

    base: SceneArrays
    support: Tensor
    encoded: Mapping[str, Encoding]
    field: NeuralField | None = None
    side: float = 1.0

    @property
    def longest(self) -> float:
        """The box's longest side in the frame."""
        return float((self.base.box[1] - self.base.box[0]).max())

    def initial(self, extinction: Tensor, start: Mapping[str, Tensor]) -> Params:
        """Parameters of optical depths [D,H,W] and of other values."""
        others = {name: encoding.encode(start[name]).float() for name, encoding in self.encoded.items()}
        return {EXTINCTION: extinction, **{name: value.to(extinction.device) for name, value in others.items()}}

    def depth(self, params: Params) -> Tensor:
        """Optical depths [D,H,W] of the longest side, by the extinction at each vertex."""
        if self.field is None:
            return params[EXTINCTION] * self.support
        return self.field.volume(params).values[0] * self.side * self.support

    def arrays(self, params: Params) -> SceneArrays:
        """The scene for kernels; differentiable in the parameters."""
        changed = {"extinction": (self.depth(params) / self.longest)[..., None]}
        found = {name: encoding.decode(params[name]) for name, encoding in self.encoded.items()}
        if ALBEDO in found:
            changed["albedo"] = found[ALBEDO].reshape(1, 1, 1, 3)
        if G in found:
            changed["asymmetry"] = found[G].reshape(1, 1, 1, 1)
        if ENVIRONMENT in found:
            changed["environment"] = found[ENVIRONMENT]
        if LIGHTS in found:
            before, after = self.base.lights[:, :INTENSITY], self.base.lights[:, INTENSITY + 3 :]
            changed["lights"] = torch.cat([before, found[LIGHTS], after], 1)
        return replace(self.base, **changed)

    @torch.no_grad()
    def readable(self, params: Params) -> dict[str, Tensor]:
        """All values on the CPU, by name: optical depths [D,H,W] of the longest side, and the others."""
        there = {name: value.to(self.support.device) for name, value in params.items()}
        others = {name: encoding.decode(there[name]).cpu() for name, encoding in self.encoded.items()}
        return {EXTINCTION: self.depth(there).cpu(), **others}


def resampled(values: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """A grid [d,h,w] at other vertices over the same box, trilinear."""
    finer: Tensor = torch.nn.functional.interpolate(
        values[None, None], size=shape, mode="trilinear", align_corners=True
    )
    return finer[0, 0].contiguous()
