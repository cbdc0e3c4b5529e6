"""What a run on a scattering medium forms: the medium's values, by name, and the scene for kernels with them in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from invrender.kernels.radiance import SceneArrays
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.task import Task
from invrender.parameters.medium_values import EXTINCTION, MediumValues, encodings

Tensor = torch.Tensor
Found = Mapping[str, NDArray[Any]]


def arrays(found: Mapping[str, Tensor]) -> Found:
    """An estimate as named arrays."""
    return {name.replace(".", "_"): value.float().numpy() for name, value in found.items()}


def shown_by(renderer: Renderer, task: Task, found: Found) -> SceneArrays:
    """The scene for kernels with an estimate in it."""
    grid = torch.from_numpy(found[EXTINCTION]).to(renderer.base.vertices)
    encoded = encodings(renderer.base, task.free)
    values = MediumValues(renderer.base, torch.ones_like(grid), encoded)
    given = {name: torch.from_numpy(found[name.replace(".", "_")]).double() for name in encoded}
    return values.arrays(values.initial(grid, given))
