"""Options of `invrender render` for scenes by rays and paths, and whether a file is drawn as a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from invrender.cli.look_options import BY_RAYS, RIGS, LookOptions
from invrender.cli.options import a_number, check_choice
from invrender.errors import UsageError
from invrender.render.modes import Mode

if TYPE_CHECKING:
    from invrender.nouns.scene import Scene
    from invrender.run.render_scene import SceneShot

SPP = {"raytraced": 16, "path": 64, "scattering": 64}
CURVES = ("clip", "filmic")
_PANEL = "Rays and paths"

SppOption = Annotated[
    int | None,
    typer.Option(
        "--spp",
        min=1,
        max=2**20,
        rich_help_panel=_PANEL,
        help="Rays a pixel, spread over it.",
        show_default="16, of paths 64, with --noise-target up to 4096",
    ),
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        "--noise-target",
        metavar="SHARE",
        callback=a_number("--noise-target"),
        rich_help_panel=_PANEL,
        help="Stop when the pixels' standard error is below this share of the mean luminance, such as 0.02.",
    ),
]
ExposureOption = Annotated[
    float | None,
    typer.Option(
        "--exposure",
        metavar="STOPS",
        min=-32.0,
        max=32.0,
        callback=a_number("--exposure"),
        rich_help_panel=_PANEL,
        help="Brightens .png, .gif and .mp4; each stop doubles.",
        show_default="0",
    ),
]
TonemapOption = Annotated[
    str | None,
    typer.Option(
        "--tonemap",
        metavar="CURVE",
        rich_help_panel=_PANEL,
        help="What is brighter than white: clip (it is white) or filmic (compressed).",
        show_default="clip",
    ),
]


@dataclass(frozen=True)
class SceneOptions:
    """What the command line says of scenes; None where it says nothing."""

    spp: int | None
    seed: int
    noise: float | None
    camera: str | None
    exposure: float | None
    tonemap: str | None

    @property
    def given(self) -> dict[str, object]:
        """The options that only scenes have, by their flags, as far as they are given."""
        flags = {"--spp": self.spp, "--noise-target": self.noise, "--camera": self.camera}
        flags |= {"--exposure": self.exposure, "--tonemap": self.tonemap}
        return {flag: value for flag, value in flags.items() if value is not None}

    def check(self, mode: Mode, scene: bool, output: Path | None, by_chance: bool = False) -> None:
        """Refuse what has no effect in a mode or for an output, and unknown words (UsageError).

        Args:
            mode: of the picture.
            scene: whether the file is a scene by its name, whose cameras all modes take.
            output: the picture.
            by_chance: whether transmittance is estimated by chance, with --spp.
        """
        for flag in self.given:
            own = (scene and flag == "--camera") or (by_chance and flag == "--spp")
            if mode.name not in BY_RAYS and not own:
                raise UsageError(
                    f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode raytraced or path"
                )
        if self.noise is not None and not self.noise > 0:
            raise UsageError(f"--noise-target is {self.noise:g}", "use a share above 0, such as 0.02")
        check_choice("--tonemap", self.tonemap or "clip", CURVES)
        if output is not None and output.suffix.lower() == ".exr" and (self.exposure or self.tonemap):
            raise UsageError(
                "--exposure and --tonemap have no effect on .exr, which holds the radiance as it is", "leave them out"
            )

    def shot(self, mode: Mode, look: LookOptions, transparent: bool) -> SceneShot:
        """What to draw."""
        from invrender.render.scene_view import Kind
        from invrender.render.scenes import Shot
        from invrender.render.tone_mapping import Curve, Tone
        from invrender.run.render_scene import MOST, SceneShot

        most = SPP[mode.name] if self.noise is None else MOST
        shadows = True if look.rays.shadows is None else look.rays.shadows
        shot = Shot(cast("Kind", mode.name), look.rays.depth, self.spp or most, self.seed, shadows)
        tone = Tone(self.exposure or 0.0, cast("Curve", self.tonemap or "clip"))
        return SceneShot(mode, shot, transparent, self.noise, tone)


def check_look(look: LookOptions, samples: int | None) -> None:
    """Refuse what scenes by rays and paths have no use for (UsageError)."""
    others = {
        "--turn": look.turn if look.turn != "camera" else None,
        "--occlusion": look.rays.occlusion,
        "--view-dependent": look.view_dependent,
        "--samples": samples,
    }
    for flag, value in others.items():
        if value is not None:
            hint = "use --spp" if flag == "--samples" else "leave it out"
            raise UsageError(f"{flag} has no effect on scenes by rays and paths", hint)


def is_for_rays(scene: Scene) -> bool:
    """Whether a mesh file holds what plain ray tracing does not know: lights, cameras, see-through materials."""
    from invrender.nouns import Lights, Material

    def clear(material: Material) -> bool:
        return material.refracts or not isinstance(material.opacity, int | float) or material.opacity < 1

    lamps = not isinstance(scene.lights, Lights)
    return lamps or bool(scene.cameras) or any(clear(mesh.material) for mesh in scene.meshes)


def dressed(scene: Scene, look: LookOptions, background: tuple[float, float, float] | None) -> Scene:
    """The scene as `--light`, `--reflection` and `--background` want it."""
    from invrender.run.relight import parse_light

    if look.light is not None:
        if look.light in RIGS:
            raise UsageError(
                f"--light {look.light} lights meshes in mode shaded and raytraced, and this is followed as a scene",
                "use --mode shaded, or give the light as X,Y,Z or a file",
            )
        scene = replace(scene, lights=parse_light(look.light))
    if look.reflection == "lambertian":
        scene = replace(scene, meshes=tuple(look.reflecting(mesh) for mesh in scene.meshes))
    return scene if background is None else replace(scene, background=background)
