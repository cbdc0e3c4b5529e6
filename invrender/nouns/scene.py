"""What is rendered."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from invrender.nouns.appearance import Colour, Lights
from invrender.nouns.mesh import Mesh

Tensor = torch.Tensor


@dataclass(frozen=True)
class Scene:
    """A mesh under lights.

    Attributes:
        mesh: what is seen.
        lights: that fall on it.
        background: linear RGB where nothing is hit, as three numbers or a tensor [3].
    """

    mesh: Mesh
    lights: Lights = field(default_factory=Lights)
    background: Colour | Tensor = (1.0, 1.0, 1.0)
