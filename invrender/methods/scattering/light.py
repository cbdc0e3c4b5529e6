"""The scene that a medium's pictures were taken in: what is known of it, and what a run begins with instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from invrender.errors import InputError, UsageError
from invrender.io.datasets.lighting import LIGHTING, lighting_of
from invrender.io.files.paths import shown
from invrender.io.scenes.read import read_scene
from invrender.methods.inputs import read_asset
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.nouns import Environment, Medium, Scene, Volume
from invrender.parameters.medium_values import ALBEDO, ENVIRONMENT, FREE, LIGHTS, G
from invrender.render.scene_checks import check_scene
from invrender.render.volume_scene import MediumLook, medium_of_volume
from invrender.run.surroundings import SKY, surroundings

Tensor = torch.Tensor

FIRST_ALBEDO, FIRST_G = 0.8, 0.0  # where the search begins for what is not told
TEXELS = (8, 16)  # of an environment that is sought
HALF = 0.5  # of their intensities: where the search for a scene's own lights begins


@dataclass(frozen=True)
class Known:
    """A scene to draw views of.

    Attributes:
        scene: with its medium.
        factor: on the values of a volume file, whose medium this is.
    """

    scene: Scene
    factor: float = 1.0


def check_free(settings: ScatteringSettings) -> None:
    """
    Raises:
        UsageError: something is to be optimised that is not known here.
    """
    for name in settings.optimize:
        if name not in (*FREE, "extinction", "density"):
            raise UsageError(
                f"--optimize names {name!r}", f"use some of {', '.join(FREE)}; the extinction is always sought"
            )


def free_of(settings: ScatteringSettings) -> tuple[str, ...]:
    """What is sought besides extinction."""
    return tuple(name for name in FREE if name in settings.optimize)


def scene_of_file(settings: ScatteringSettings) -> Known:
    """The medium of a scene file, under its light.

    Raises:
        UsageError: the light is given twice.
        InputError: it holds no medium, or one that is empty; or nothing shines.
    """
    scene = read_scene(settings.input)
    if not scene.media:
        raise InputError(f"{shown(settings.input)} has no medium", "add a [medium] to it, or use --method scene")
    for flag, value in (("--lighting", settings.lighting), ("--environment", settings.environment)):
        if value is not None:
            raise UsageError(f"{flag} goes with a dataset, and a scene file tells its own light", "leave it out")
    check_scene(scene)
    _check_filled(scene)
    return Known(replace(scene, background=None))


def scene_of_volume(settings: ScatteringSettings) -> Known:
    """A volume file as a medium under the light of `environment`.

    Raises:
        InputError: it is empty, or no density.
    """
    plain = MediumLook()
    albedo = plain.albedo if settings.albedo is None else _number(settings.albedo)
    g = plain.asymmetry if settings.phase_g is None else settings.phase_g
    medium, factor = medium_of_volume(read_asset(settings), MediumLook(None, albedo, g))
    environment, lights = surroundings(settings.environment or SKY, None)
    scene = Scene(lights=lights, background=None, environment=environment, media=medium)
    check_scene(scene)
    _check_filled(scene)
    return Known(scene, float(factor))


def scene_of_dataset(settings: ScatteringSettings, box: Tensor) -> Scene:
    """What is known of the scene that a dataset shows, its medium empty.

    Args:
        settings: of the run.
        box: [2,3] of the medium, where the light's description does not tell it.

    Raises:
        InputError: nobody says what light there was.
    """
    told = read_scene(settings.lighting) if settings.lighting is not None else lighting_of(settings.input)
    if told is None and settings.environment is None:
        raise InputError(
            f"nothing tells the light in which {shown(settings.input)} was taken",
            f"put a {LIGHTING} beside the pictures, or use --lighting SCENE.toml or --environment FILE.exr",
        )
    scene = told or Scene(lights=(), background=None)
    if settings.environment is not None:
        environment, lights = surroundings(settings.environment, None)
        scene = replace(scene, environment=environment, lights=lights if told is None else told.lights)
    medium = scene.media[0] if scene.media else Medium(emptied(box), FIRST_ALBEDO, FIRST_G)
    scene = replace(scene, background=None, media=(replace(medium, extinction=emptied(medium.extinction.bounds)),))
    check_scene(scene)
    return scene


def guessed(scene: Scene, settings: ScatteringSettings, own: bool, typical: Tensor) -> Scene:
    """The scene that a run begins with: its medium empty, and what is sought somewhere else than it may be known.

    Args:
        scene: what is known.
        settings: of the run.
        own: whether the scene has drawn the views itself: then what is sought is not taken from it.
        typical: [3] mean of the pictures.
    """
    free, medium = free_of(settings), scene.media[0]
    values: dict[str, Any] = {"extinction": emptied(medium.extinction.bounds)}
    if settings.albedo is not None or (own and ALBEDO in free):
        given = settings.albedo or (FIRST_ALBEDO,)
        values["albedo"] = _number(given) if len(given) == 1 else tuple(given)
    if settings.phase_g is not None or (own and G in free):
        values["asymmetry"] = FIRST_G if settings.phase_g is None else settings.phase_g
    lights, environment = scene.lights, scene.environment
    if own and LIGHTS in free and isinstance(lights, tuple):
        lights = tuple(replace(light, intensity=HALF * torch.as_tensor(light.intensity)) for light in lights)
    if ENVIRONMENT in free:
        environment = Environment(picture=typical.float().clamp(min=1e-3).expand(*TEXELS, 3).contiguous())
    return replace(scene, lights=lights, environment=environment, media=(replace(medium, **values),))


def emptied(bounds: Tensor) -> Volume:
    """Nothing, everywhere in a box."""
    return Volume(torch.zeros(1, 2, 2, 2), bounds.double(), "extinction")


def _number(given: tuple[float, ...]) -> float:
    if len(given) != 1:
        raise UsageError(f"--albedo is {', '.join(f'{a:g}' for a in given)}", "give one number for a volume file")
    return given[0]


def _check_filled(scene: Scene) -> None:
    """
    Raises:
        InputError: the medium is nowhere, or its extinction has a colour.
    """
    extinction = scene.media[0].extinction
    if not float(extinction.values.max()) > 0:
        raise InputError("the extinction of the medium is 0 everywhere", "give a medium that is there")
    if len(extinction.values) != 1:
        raise InputError(
            "the extinction of the medium has a colour, and one number at each place is sought here",
            "give an extinction of one channel, and colour by the albedo",
        )
