"""What a run that tells albedo and light apart knows, seeks and starts from, from its settings."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.methods.photometric.appearance import plain
from invrender.methods.photometric.objective import SOFTNESS_OF_SHADOWS, Unknowns, pictures_of
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.shaded import CHUNKS, SHADOWED_STAGES, STAGES, Shading
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns import Lights, Views
from invrender.shading.spherical_harmonics import ambient, directional

Tensor = torch.Tensor

CONSTANT = "constant"


def shading_of(
    begin: Shape, target: Target, views: Views, settings: PhotometricSettings, lights: Lights | None, backend: Backend
) -> Shading:
    """The schedule from a shape, such as a hull."""
    assert views.images is not None
    images, inside = views.images.float(), views.masks > 0.99
    brightness = float(images[inside].mean()) if bool(inside.any()) else 0.5
    look = plain(len(begin.vertices), brightness)
    if lights is not None:
        look = replace(look, light=harmonics_of(lights))
    given = albedo_of(settings.albedo)
    if isinstance(given, Tensor):
        look = replace(look, albedo=given.expand_as(look.albedo).clone())
    unknowns = Unknowns(
        "known" if isinstance(given, Tensor) else "constant" if given == CONSTANT else "free",
        "free" if lights is None else "known",
    )
    pictures = pictures_of(target, images.to(backend.device), views.confidence)
    if settings.shadows:
        pictures = replace(pictures, softness=SOFTNESS_OF_SHADOWS)
    whole = SHADOWED_STAGES if settings.shadows else STAGES
    stages = [replace(stage, iterations=max(CHUNKS, round(stage.iterations * settings.effort))) for stage in whole]
    return Shading(begin, look, pictures, unknowns, backend, settings.shadows, stages)


def shading_phases(settings: PhotometricSettings) -> int:
    """How many phases the schedule has."""
    return len(STAGES) * (CHUNKS if settings.shadows else 1)


def albedo_of(text: str | None) -> Tensor | str | None:
    """What the setting `albedo` means: a known one [3] float64, 'constant', or None where each point has its own.

    Raises:
        UsageError: it is none of them.
    """
    if text is None or text == CONSTANT:
        return text
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3) or not all(0 < number <= 1 for number in numbers):
        raise UsageError(f"albedo is {text!r}", "give constant, one number such as 0.7, or r,g,b between 0 and 1")
    return torch.tensor(numbers, dtype=torch.float64).expand(3).clone()


def harmonics_of(lights: Lights) -> Tensor:
    """Lights as spherical harmonics of order 2, [9,3] float64 radiance.

    Raises:
        UsageError: they move with the camera.
    """
    total = torch.zeros(9, 3, dtype=torch.float64)
    if lights.sh is not None:
        total = total + lights.sh.double()
    total = total + ambient(torch.as_tensor(lights.ambient, dtype=torch.float64).expand(3))
    intensity = torch.as_tensor(lights.intensity, dtype=torch.float64)
    if lights.direction is None:
        if bool((intensity != 0).any()):
            raise UsageError("a light that moves with the camera cannot be known", "give --light X,Y,Z or a file")
        return total
    directions = torch.as_tensor(lights.direction, dtype=torch.float64).reshape(-1, 3)
    strengths = intensity.reshape(-1, intensity.shape[-1] if intensity.dim() else 1).expand(len(directions), -1)
    for direction, strength in zip(directions, strengths, strict=True):
        total = total + directional(direction, strength.expand(3))
    return total
