"""What a run on a scene ends with."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.methods.scene.certainty import Certainty
from invrender.methods.scene.posterior import Sampled
from invrender.nouns import Scene
from invrender.parameters.scene_values import SceneValues
from invrender.solve.protocol import Params

Tensor = torch.Tensor


@dataclass(frozen=True)
class Result:
    """Values that were found, and how.

    Attributes:
        values: what was free.
        params: the free numbers that explain the targets best.
        certainty: of them; None where it was not computed: the pictures have noise, or too many numbers are free.
        solver: its name; `steps` it took in all phases, and `evaluations` of the pictures.
        loss: what is left unexplained (`misfit`).
        shown: the pictures [H,W,3] linear that the scene shows with them, of the targets in their order.
        own_noise: what pictures with other random numbers differ by, as a share of the targets' root mean square; 0
            where light is followed without chance.
        sampled: draws from the posterior, if they were asked for.
    """

    values: SceneValues
    params: Params
    certainty: Certainty | None
    solver: str
    steps: int
    evaluations: int
    loss: float
    shown: tuple[Tensor, ...]
    own_noise: float
    sampled: Sampled | None = None

    @property
    def scene(self) -> Scene:
        """The scene with the values."""
        return self.values.decode(self.params)
