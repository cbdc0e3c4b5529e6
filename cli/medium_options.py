"""Options of `invrender render --mode scattering` for volume files: what they scatter, and the light around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import a_number
from invrender.errors import UsageError
from invrender.render.modes import Mode

if TYPE_CHECKING:
    from invrender.nouns import Scene, Volume

_PANEL = "Media (mode scattering)"

AlbedoOption = Annotated[
    float | None,
    typer.Option(
        "--albedo",
        min=0.0,
        max=1.0,
        callback=a_number("--albedo"),
        rich_help_panel=_PANEL,
        help="Share of the light that is scattered, not absorbed.",
        show_default="0.95",
    ),
]
PhaseOption = Annotated[
    float | None,
    typer.Option(
        "--phase-g",
        callback=a_number("--phase-g"),
        rich_help_panel=_PANEL,
        help="Mean cosine of the scattering angle, between -1 and 1; 0: to all sides alike.",
        show_default="0.5",
    ),
]
EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        metavar="LIGHT",
        rich_help_panel=_PANEL,
        help="Light from far away: sky (with a sun), grey, #RRGGBB, or a FILE.exr or FILE.hdr.",
        show_default="sky",
    ),
]
SunOption = Annotated[
    str | None,
    typer.Option(
        "--sun",
        metavar="X,Y,Z",
        rich_help_panel=_PANEL,
        help="Direction towards the sun.",
        show_default="0.4,0.6,0.5",
    ),
]


@dataclass(frozen=True)
class MediumOptions:
    """What the command line says of a volume as a medium; None where it says nothing."""

    albedo: float | None
    phase_g: float | None
    environment: str | None
    sun: str | None

    def check(self, mode: Mode) -> None:
        """Refuse what has no effect in a mode or for a scene, and numbers out of range (UsageError)."""
        given = {
            "--albedo": self.albedo,
            "--phase-g": self.phase_g,
            "--environment": self.environment,
            "--sun": self.sun,
        }
        for flag, value in given.items():
            if value is not None and mode.subject != "volume":
                raise UsageError(
                    f"{flag} goes with volume files; a scene says it in its [medium], [environment] and [[light]]",
                    "leave it out, and edit the scene",
                )
            if value is not None and mode.name != "scattering":
                raise UsageError(f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode scattering")
        if self.phase_g is not None and not -1 < self.phase_g < 1:
            raise UsageError(f"--phase-g is {self.phase_g:g}", "use a number between -1 and 1, such as 0.5")

    def scene(self, volume: Volume, extinction: float | None) -> tuple[Scene, float]:
        """The volume as a medium under its light, and the factor on its values; `extinction`: None chooses it."""
        from invrender.nouns import Scene
        from invrender.render.volume_scene import MediumLook, medium_of_volume
        from invrender.run.surroundings import SKY, surroundings

        plain = MediumLook()
        albedo = plain.albedo if self.albedo is None else self.albedo
        asymmetry = plain.asymmetry if self.phase_g is None else self.phase_g
        medium, factor = medium_of_volume(volume, MediumLook(extinction, albedo, asymmetry))
        environment, lights = surroundings(self.environment or SKY, self.sun)
        return Scene(lights=lights, background=None, environment=environment, media=medium), float(factor)
