"""How bright a medium can be under a light."""

from __future__ import annotations

import math

import torch

from invrender.nouns import DirectionalLight, Lights, Scene, Volume

SLACK = 2.0  # light that is scattered several times comes on top, less than once more


def brightest(scene: Scene) -> float:
    """A radiance that pictures of the scene's medium stay below, about; infinite where that cannot be told.

    What is scattered once of parallel light is its irradiance times the phase function, at most; more than the
    environment's brightest radiance cannot come of the environment.
    """
    medium = scene.media[0]
    lights = scene.lights
    if isinstance(lights, Lights) or any(not isinstance(light, DirectionalLight) for light in lights) or scene.meshes:
        return math.inf
    if isinstance(medium.emission, Volume) or bool(torch.as_tensor(medium.emission).any()):
        return math.inf
    value = medium.asymmetry.values if isinstance(medium.asymmetry, Volume) else torch.as_tensor(medium.asymmetry)
    g = float(value.abs().max())
    phase = (1 + g) / (4 * math.pi * (1 - g) ** 2)
    sun = sum(float(torch.as_tensor(light.intensity).max()) for light in lights)
    sky = 0.0
    if scene.environment is not None:
        sky = float(torch.as_tensor(scene.environment.colour).max())
        sky *= 1.0 if scene.environment.picture is None else float(scene.environment.picture.max())
    return SLACK * (sky + sun * phase)
