"""Options of `invrender render` for what a mesh looks like: its light, how it reflects, colours of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from invrender.cli.options import check_choice
from invrender.errors import UsageError
from invrender.render.modes import Mode

if TYPE_CHECKING:
    from invrender.nouns import Mesh
    from invrender.nouns.appearance import Colour
    from invrender.render.ray_radiance import RaySettings
    from invrender.run.relight import Turn
    from invrender.run.render_mesh import MeshShot

TURNS = ("camera", "light", "both")
LIT = ("shaded", "raytraced", "path", "scattering")  # modes with a light
BY_RAYS = ("raytraced", "path", "scattering")
DEEPEST = 64  # how often rays go on at most, but through media
REFLECTIONS = ("material", "lambertian")

LightOption = Annotated[
    str | None,
    typer.Option(
        "--light",
        metavar="X,Y,Z[,INTENSITY]|camera|FILE.json",
        help="Where the light of modes shaded, raytraced and path comes from (camera: over its shoulder).",
    ),
]
TurnOption = Annotated[
    str | None,
    typer.Option("--turn", metavar="|".join(TURNS), help="What goes round on a turntable under a light (camera)."),
]
ReflectionOption = Annotated[
    str | None,
    typer.Option("--reflection", metavar="|".join(REFLECTIONS), help="As the file's material says, or without gloss."),
]
ViewDependentOption = Annotated[
    Path | None,
    typer.Option(
        "--view-dependent",
        metavar="FILE",
        help="Mode color of a run's mesh.ply with its view_dependent.npz: colours that change with the direction.",
    ),
]
DepthOption = Annotated[
    int | None,
    typer.Option(
        "--depth",
        min=0,
        max=2**16,
        help="How often a ray goes on (raytraced 2, scenes 4; path 8; scattering without end).",
    ),
]
ShadowsOption = Annotated[
    bool | None,
    typer.Option("--shadows/--no-shadows", help="Modes raytraced and path: whether things block the light (they do)."),
]
OcclusionOption = Annotated[
    int | None,
    typer.Option(
        "--occlusion",
        metavar="RAYS",
        min=0,
        max=4096,
        help="Ambient occlusion by so many rays a pixel, such as 64; modes shaded and raytraced.",
    ),
]
ReachOption = Annotated[
    float | None,
    typer.Option("--occlusion-reach", metavar="SHARE", help="How far occlusion reaches, of the longest side (0.25)."),
]


@dataclass(frozen=True)
class RayOptions:
    """What the command line says of rays; None where it says nothing."""

    depth: int | None
    shadows: bool | None
    occlusion: int | None
    reach: float | None

    def check(self, mode: Mode) -> None:
        """Refuse what has no effect in a mode, and a reach that is none (UsageError)."""
        for flag, value in (("--depth", self.depth), ("--shadows", self.shadows)):
            if value is not None and mode.name not in BY_RAYS:
                raise UsageError(
                    f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode raytraced or path"
                )
        if self.depth is not None and self.depth > DEEPEST and mode.name != "scattering":
            raise UsageError(
                f"--depth is {self.depth}, and mode {mode.name} takes {DEEPEST} at most", "use a smaller one"
            )
        for flag, given in (("--occlusion", self.occlusion), ("--occlusion-reach", self.reach)):
            if given is not None and mode.name not in ("shaded", "raytraced"):
                raise UsageError(
                    f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode shaded or raytraced"
                )
        if self.reach is not None and not self.occlusion:
            raise UsageError("--occlusion-reach has no effect without --occlusion", "add --occlusion 64")
        if self.reach is not None and not self.reach > 0:  # NaN, too
            raise UsageError(f"--occlusion-reach is {self.reach:g}", "use a share above 0, such as 0.25")

    def settings(self) -> RaySettings:
        """The same for the renderer."""
        from invrender.render.occlusion import Occlusion
        from invrender.render.ray_radiance import RaySettings

        plain = RaySettings()
        occlusion = None
        if self.occlusion:
            occlusion = Occlusion(self.occlusion, Occlusion().reach if self.reach is None else self.reach)
        return RaySettings(
            plain.depth if self.depth is None else self.depth,
            plain.shadows if self.shadows is None else self.shadows,
            occlusion,
        )


@dataclass(frozen=True)
class LookOptions:
    """What the command line says of light and colours; None where it says nothing."""

    light: str | None
    turn: str | None
    reflection: str | None
    view_dependent: Path | None
    rays: RayOptions

    def check(self, mode: Mode, dataset: Path | None) -> None:
        """Refuse what has no effect in a mode, and unknown words (UsageError)."""
        given = {"--light": self.light, "--turn": self.turn, "--reflection": self.reflection}
        for flag, value in given.items():
            if value is not None and mode.name not in LIT:
                raise UsageError(
                    f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode shaded, raytraced or path"
                )
        self.rays.check(mode)
        if self.view_dependent is not None and mode.name != "color":
            raise UsageError(f"--view-dependent has no effect in mode {mode.name}", "leave it out, or use --mode color")
        check_choice("--turn", self.turn or "camera", TURNS)
        check_choice("--reflection", self.reflection or "material", REFLECTIONS)
        if dataset is not None and self.turn not in (None, "camera"):
            raise UsageError(
                f"--turn {self.turn} has no place in a dataset, which knows one light",
                "leave it out, or write one dataset for each --light",
            )

    def shot(self, mode: Mode, background: Colour | None, samples: int) -> MeshShot:
        """What to draw; files of lights and colours are read."""
        from invrender.io.view_dependent import read_view_dependent
        from invrender.run.relight import Relight, parse_light
        from invrender.run.render_mesh import MeshShot

        light = Relight(parse_light(self.light or "camera"), cast("Turn", self.turn or "camera"))
        coefficients = None if self.view_dependent is None else read_view_dependent(self.view_dependent)
        return MeshShot(mode, background, samples, light, coefficients, self.rays.settings())

    def reflecting(self, mesh: Mesh) -> Mesh:
        """The mesh as `--reflection` wants it."""
        from invrender.shading.finish import dull

        return dull(mesh) if self.reflection == "lambertian" else mesh
