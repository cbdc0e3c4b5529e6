"""The settings of recovering a scene's values from pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, ViewsRunSettings

PANEL = "Scenes"

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 30, "starts": 1, "draws": 200, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 400, "spp": 16, "starts": 6, "draws": 2000},
}


@dataclass(frozen=True)
class SceneSettings(ViewsRunSettings):
    """What a run on a scene adds; see `ViewsRunSettings` for the rest. Pictures are as large as the targets.

    Attributes:
        target: pictures of the scene, or folders of them: named after its cameras, or in their order.
        optimize: what is free, by path; see `parameters.scene_paths`.
        alpha: what an alpha channel of the targets means: over: they lie over the scene's background; weigh: how much
            a pixel counts; ignore: nothing.
        mode: how the scene is rendered: Whitted's rays, or path tracing.
        spp: rays of a pixel; none: 1, and 4 where cameras are free, or 16 for paths.
        depth: how often a ray is continued; none: 4, of paths 8.
        shadows: whether things block the light.
        edges: whether derivatives know of outlines and shadows that move.
        solver: lm: Levenberg-Marquardt with forward-mode columns; lbfgs, adam: by the adjoint kernel; auto: lm where
            few numbers are free and rays are not random, else lbfgs; adam for paths.
        iterations: steps of the last phase, at most.
        rate: step length of adam, in free numbers (a tenth: 10 % of what is positive).
        starts: from how many starts the solver sets out, the given one among them; none: 1, or 4 where the place or
            direction of a light is free.
        pixels: how many of each target are compared at most, drawn at random where there are more.
        blur: standard deviations of the blur of a pyramid, in pixels of the pictures; none: 8, 4, 2, 1 where cameras
            are free.
        posterior: whether samples of the posterior are drawn as well.
        draws: samples of each of the chains.
        noise: standard deviation of the targets' linear values; none: estimated from what is left unexplained.
        prior: factor on the standard deviations of the priors, which are wide by themselves: a factor of 20 for what is
            positive, a radian for directions, the scene's size for places.
    """

    method: Literal["scene"] = "scene"
    target: Annotated[
        tuple[str, ...],
        Flag("Pictures of the scene, named after its cameras or in their order.", "FILE|DIR,...", PANEL),
    ] = ()
    optimize: Annotated[
        tuple[str, ...],
        Flag("What is free, such as light.position,light.intensity,camera.pose,material.NAME.Kd.", "PATH,...", PANEL),
    ] = ()
    alpha: Annotated[
        Literal["over", "weigh", "ignore"],
        Flag("Transparent targets: over the scene's background, or weights of pixels.", panel=PANEL),
    ] = "over"
    mode: Annotated[Literal["raytraced", "path"], Flag("How the scene is rendered.", panel=PANEL)] = "raytraced"
    spp: Annotated[int | None, Flag("Rays of a pixel.", panel=PANEL), Range(1, 4096)] = None
    depth: Annotated[int | None, Flag("How often a ray is continued.", panel=PANEL), Range(0, 64)] = None
    shadows: bool = True
    edges: bool = True
    solver: Annotated[Literal["auto", "lm", "lbfgs", "adam"], Flag("What solves for the values.", panel=PANEL)] = "auto"
    iterations: Annotated[int, Flag("Steps of the optimisation."), Range(1, 1_000_000)] = 150
    rate: Annotated[float, Range(1e-6, 10)] = 0.05
    starts: Annotated[int | None, Flag("From how many starts the solver sets out.", panel=PANEL), Range(1, 1000)] = None
    pixels: Annotated[int, Range(100, 1e9)] = 40_000
    blur: Annotated[tuple[float, ...] | None, Range(0.3, 1000)] = None
    posterior: Annotated[bool, Flag("Draw samples of the posterior as well.", panel=PANEL)] = False
    draws: Annotated[int, Range(100, 1_000_000)] = 500
    noise: Annotated[
        float | None, Flag("How the pixels err: standard deviation of linear values.", panel=PANEL), Range(1e-9, 1e9)
    ] = None
    prior: Annotated[float, Range(1e-3, 1e6)] = 1.0


SETTINGS = SceneSettings


def suits(source: Path) -> bool:
    """Whether an input is a scene file of our own."""
    return source.suffix.lower() == ".toml"
