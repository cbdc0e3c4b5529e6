"""Where the adjoint of light transport adds up what it finds, and what its callers are given of that.

Sums over rays are taken in a number of tiles that depends on the problem alone, so that they do not depend on the
number of threads.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.medium_replay import Grids
from invrender.backends.bodies.radiance_replay import Sums
from invrender.kernels.radiance import DIELECTRIC, IOR, KIND, RadianceGradient, SceneArrays

Tensor = torch.Tensor

TILES, ROOM = 32, 2**24
"""Most tiles, and numbers that the sums of all of them may hold."""
ROOM_PER_RAY = 256
"""Numbers that the sums of a medium may hold for each ray: to clear them must not take longer than to follow it."""
RAY = 6  # columns for a ray's origin and direction
GRIDS = ("extinction", "albedo", "asymmetry", "emission")


def refractive(scene: SceneArrays, needs: frozenset[str]) -> NDArray[np.int64]:
    """[M] the column of each material's refractive index, by which paths move; -1 where nobody asks."""
    glass = (scene.material_kinds[:, KIND] == DIELECTRIC).cpu().numpy()
    return np.where(glass & ("materials" in needs), RAY - 1 + np.cumsum(glass), -1)


def zeros(scene: SceneArrays, needs: frozenset[str], dtype: Any = np.float64) -> Sums:
    """Where gradients are added up; only textures, colours and the environment are left out where nobody asks."""
    large = {
        name: getattr(scene, name).numel() if name in needs else 0 for name in ("texels", "colours", "environment")
    }
    sizes = {"materials": scene.materials.numel(), "lights": scene.lights.numel(), "glow": 6, **large}
    return Sums(**{name: np.zeros(sizes[name], dtype) for name in Sums._fields})


def tile_count(scene: SceneArrays, needs: frozenset[str]) -> int:
    """The number of tiles, which depends on the problem alone."""
    size = sum(int(part.size) for part in zeros(scene, needs))
    return max(2, min(TILES, ROOM // max(1, size)))


def grids(scene: SceneArrays, needs: frozenset[str]) -> Grids:
    """Where the gradients of a medium are added up; left out where nobody asks."""
    parts = {name: np.zeros(getattr(scene, name).numel() if name in needs else 0, np.float32) for name in GRIDS}
    return Grids(**parts, bends="lights" in needs)


def grid_tile_count(scene: SceneArrays, needs: frozenset[str], rays: int) -> int:
    """The number of tiles where there is a medium."""
    size: int = sum(getattr(scene, name).numel() for name in GRIDS if name in needs)
    return max(2, min(tile_count(scene, needs), ROOM_PER_RAY * rays // max(1, size)))


def added(tiles: list[Any]) -> list[Tensor]:
    """The arrays of all tiles, summed in their order."""
    totals = [part.copy() for part in tiles[0]]
    for tile in tiles[1:]:
        for total, part in zip(totals, tile, strict=True):
            np.add(total, part, out=total)
    return [torch.from_numpy(total) for total in totals]


def gathered(
    scene: SceneArrays, origin: Tensor, needs: frozenset[str], sums: Any, found: Tensor, slots: Tensor, medium: Any = ()
) -> RadianceGradient:
    """The gradients that are asked for, in the shapes and the precision of what they belong to.

    Args:
        medium: those of the medium's grids, flat.
    """
    for row in (slots >= 0).nonzero()[:, 0].tolist():
        at = row * scene.materials.shape[1] + IOR
        sums.materials[at] += found[:, int(slots[row])].to(sums.materials).sum()
    flat = {name: getattr(sums, name) for name in ("materials", "texels", "colours", "lights", "environment")}
    flat |= dict(zip(GRIDS, medium, strict=False))
    every = {name: value.reshape(getattr(scene, name).shape) for name, value in flat.items() if name in needs}
    every |= {"ambient": sums.glow[:3], "backdrop": sums.glow[3:]}
    if {"origin", "direction"} & needs:
        every |= {"origin": found[:, :3], "direction": found[:, 3:RAY]}
    every |= {name: torch.zeros_like(getattr(scene, name)) for name in needs if name not in every}  # there is no medium
    asked = {name: every[name].to(scene.materials.device, origin.dtype) for name in needs}
    return RadianceGradient(**{field.name: asked.get(field.name) for field in fields(RadianceGradient)})
