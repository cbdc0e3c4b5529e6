"""The nouns of the library: frozen dataclasses that every part speaks in, with shapes and units.

Conventions (also in the README): world coordinates are the user's own. Cameras follow OpenGL: +X right, +Y up, looking
down -Z. Pixel centres lie at (column + 0.5, row + 0.5); row 0 is the top. Images are linear floats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from invrender.nouns.looks import Lights
from invrender.nouns.mesh import Mesh

if TYPE_CHECKING:
    pass

Tensor = torch.Tensor


@dataclass(frozen=True)
class Scene:
    """What is rendered: a mesh, lights and a background (linear RGB)."""

    mesh: Mesh
    lights: Lights = field(default_factory=Lights)
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
