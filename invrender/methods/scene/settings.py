"""The settings of recovering a scene's values from pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import Flag, Key, Range, ViewsRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 30, "starts": 1, "draws": 200, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 400, "spp": 16, "starts": 6, "draws": 2000},
}


@dataclass(frozen=True)
class SceneSettings(ViewsRunSettings):
    """What a run on a scene adds. Pictures are as large as the targets."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    UNUSED: ClassVar[tuple[str, ...]] = ("views", "cameras", "elevation", "distance", "fov", "ortho")
    UNSET: ClassVar[Mapping[str, str]] = {
        "size": "as the targets are",
        "spp": "1; where cameras are free 4, for paths 16",
        "depth": "4, of paths 8",
        "starts": "1; where the place or direction of a light is free 4",
        "blur": "8, 4, 2, 1 where cameras are free, else none",
        "noise": "estimated from what is left unexplained",
    }

    method: Annotated[Literal["scene"], Key("What to learn from.")] = "scene"
    target: Annotated[
        tuple[str, ...],
        Flag("Pictures of the scene, named after its cameras or in their order.", "FILE|DIR,..."),
    ] = ()
    optimize: Annotated[
        tuple[str, ...],
        Flag(
            "What is free, with commas between: light.position, light.intensity, camera.pose, material.NAME.Kd, ...",
            "PATH,...",
        ),
    ] = ()
    alpha: Annotated[
        Literal["over", "weigh", "ignore"],
        Flag("Transparent targets: over the scene's background, weights of pixels, or nothing."),
    ] = "over"
    mode: Annotated[
        Literal["raytraced", "path"], Flag("How the scene is rendered: by Whitted's rays, or by path tracing.")
    ] = "raytraced"
    spp: Annotated[int | None, Flag("Rays of a pixel."), Range(1, 4096)] = None
    depth: Annotated[int | None, Flag("How often a ray is continued."), Range(0, 64)] = None
    shadows: Annotated[bool, Key("Whether things block the light.")] = True
    edges: Annotated[bool, Key("Whether derivatives know of outlines and shadows that move.")] = True
    solver: Annotated[
        Literal["auto", "lm", "lbfgs", "adam"],
        Flag(
            "What solves for the values. lm: Levenberg-Marquardt; auto: lm where few numbers are free and rays are not "
            "random, else lbfgs; adam for paths."
        ),
    ] = "auto"
    iterations: Annotated[int, Flag("Steps of the last phase, at most."), Range(1, 1_000_000)] = 150
    rate: Annotated[
        float, Key("Step length of adam, in free numbers (a tenth: 10 % of what is positive)."), Range(1e-6, 10)
    ] = 0.05
    starts: Annotated[
        int | None, Flag("From how many starts the solver sets out, the given one among them."), Range(1, 1000)
    ] = None
    pixels: Annotated[
        int, Key("How many pixels of each target are compared at most, drawn at random."), Range(100, 1e9)
    ] = 40_000
    blur: Annotated[
        tuple[float, ...] | None,
        Key("Standard deviations of the blur of a pyramid, in pixels of the pictures.", "PIXELS,..."),
        Range(0.3, 1000),
    ] = None
    posterior: Annotated[bool, Flag("Draw samples of the posterior as well.")] = False
    draws: Annotated[int, Key("Samples of each chain of the posterior."), Range(100, 1_000_000)] = 500
    noise: Annotated[
        float | None, Flag("How the pixels err: standard deviation of linear values."), Range(1e-9, 1e9)
    ] = None
    prior: Annotated[
        float,
        Key(
            "Factor on the standard deviations of the priors, which are wide: a factor of 20 for what is positive, a "
            "radian for directions, the scene's size for places."
        ),
        Range(1e-3, 1e6),
    ] = 1.0


SETTINGS = SceneSettings


def suits(source: Path) -> bool:
    """Whether an input is a scene file of our own."""
    return source.suffix.lower() == ".toml"
