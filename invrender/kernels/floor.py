"""The smallest scene with a known answer: a floor under a light, to see whether light transport works."""

from __future__ import annotations

import math

import torch

from invrender.kernels.radiance import (
    CLASSIC,
    INTENSITY,
    KD,
    LIGHT_COLUMNS,
    MATERIAL_COLUMNS,
    OPACITY,
    POINT,
    POSITION,
    SceneArrays,
)

Tensor = torch.Tensor


def floor(device: torch.device) -> SceneArrays:
    """A white floor about (0, 0, 0), facing +Z, and a light of intensity pi two units above: 1/4 is seen below it."""
    corners = torch.tensor([[-1.0, -1, 0], [3, -1, 0], [-1, 3, 0]], device=device)
    none, up = corners[:0], torch.tensor([0.0, 0, 1], device=device)
    material = torch.zeros(1, MATERIAL_COLUMNS, device=device)
    material[0, KD : KD + 3], material[0, OPACITY] = 1, 1
    light = torch.zeros(1, LIGHT_COLUMNS, device=device)
    light[0, POSITION : POSITION + 3], light[0, INTENSITY : INTENSITY + 3] = 2 * up, math.pi
    first = torch.zeros(1, dtype=torch.int64, device=device)
    return SceneArrays(
        vertices=corners,
        faces=torch.arange(3, device=device)[None],
        normals=up.expand(1, 3, 3).contiguous(),
        uv=none.reshape(0, 3, 2),
        colours=none.reshape(0, 3, 3),
        face_material=first,
        materials=material,
        material_kinds=torch.tensor([[CLASSIC, -1, -1]], device=device),
        texels=none,
        textures=first.new_zeros(0, 3),
        lights=light,
        light_kinds=first + POINT,
        environment=none.reshape(0, 0, 3),
        turn=torch.eye(3, device=device),
        ambient=0 * up,
        backdrop=0 * up,
    )
