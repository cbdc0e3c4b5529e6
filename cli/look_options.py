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
    from invrender.render.studio import Studio
    from invrender.run.relight import Turn
    from invrender.run.render_mesh import MeshShot

TURNS = ("camera", "light", "both")
LIT = ("shaded", "raytraced", "path", "scattering")  # modes with a light
BY_RAYS = ("raytraced", "path", "scattering")
DEEPEST = 64  # how often rays go on at most, but through media
REFLECTIONS = ("material", "lambertian")
RIGS = ("studio", "three-point")  # lights by name that go with the camera
PANEL, RAYS = "Light and look", "Rays and paths"

LightOption = Annotated[
    str | None,
    typer.Option(
        "--light",
        metavar="LIGHT",
        rich_help_panel=PANEL,
        help="studio (a soft key light and a fill that go with the camera, and ambient occlusion), three-point (with a "
        "rim light), camera (one light over its shoulder), a direction X,Y,Z or X,Y,Z,INTENSITY, or a FILE.json. "
        "Datasets have one light, which a method may be told, unless asked otherwise.",
        show_default="shaded pictures studio, datasets and rays camera",
    ),
]
GroundOption = Annotated[
    bool,
    typer.Option(
        "--ground/--no-ground",
        rich_help_panel=PANEL,
        help="A soft shadow on the ground below, also over a transparent background; with the lights studio and "
        "three-point.",
    ),
]
TurnOption = Annotated[
    str | None,
    typer.Option(
        "--turn",
        metavar="WHAT",
        rich_help_panel=PANEL,
        help="What goes round on a turntable: camera, light, both.",
        show_default="camera",
    ),
]
ReflectionOption = Annotated[
    str | None,
    typer.Option(
        "--reflection",
        metavar="HOW",
        rich_help_panel=PANEL,
        help="material (as the file says) or lambertian (without gloss).",
        show_default="material",
    ),
]
ViewDependentOption = Annotated[
    Path | None,
    typer.Option(
        "--view-dependent",
        metavar="FILE",
        rich_help_panel=PANEL,
        help="Mode color of a run's mesh.ply with its view_dependent.npz: colours that change with the direction.",
    ),
]
OcclusionOption = Annotated[
    int | None,
    typer.Option(
        "--occlusion",
        metavar="RAYS",
        min=0,
        max=4096,
        rich_help_panel=PANEL,
        help="Ambient occlusion in modes shaded and raytraced: rays of a pixel, of the lights studio and three-point "
        "of a point of the surface; 0: none.",
        show_default="40 with studio and three-point, else 0",
    ),
]
ReachOption = Annotated[
    float | None,
    typer.Option(
        "--occlusion-reach",
        metavar="SHARE",
        rich_help_panel=PANEL,
        help="How far occlusion reaches, of the longest side.",
        show_default="0.25, fading to 0.4 with studio and three-point",
    ),
]
BackgroundOption = Annotated[
    str | None,
    typer.Option(
        "--background",
        metavar="COLOUR",
        rich_help_panel=PANEL,
        help="Behind the object: white, black, studio (light grey, darker towards the border), transparent, #RRGGBB.",
        show_default="white, mode volume black, or a scene's own",
    ),
]
DepthOption = Annotated[
    int | None,
    typer.Option(
        "--depth",
        min=0,
        max=2**16,
        rich_help_panel=RAYS,
        help="How often a ray goes on.",
        show_default="raytraced 2, of scenes 4; path 8; scattering without end",
    ),
]
ShadowsOption = Annotated[
    bool | None,
    typer.Option(
        "--shadows/--no-shadows",
        rich_help_panel=RAYS,
        help="Modes raytraced and path: whether things block the light.",
        show_default="shadows",
    ),
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
    ground: bool = False

    def check(self, mode: Mode, dataset: Path | None) -> None:
        """Refuse what has no effect in a mode, and unknown words (UsageError)."""
        given = {"--light": self.light, "--turn": self.turn, "--reflection": self.reflection}
        for flag, value in given.items():
            if value is not None and mode.name not in LIT:
                raise UsageError(
                    f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode shaded, raytraced or path"
                )
        self.rays.check(mode)
        self._check_rig(mode, dataset)
        if self.view_dependent is not None and mode.name != "color":
            raise UsageError(f"--view-dependent has no effect in mode {mode.name}", "leave it out, or use --mode color")
        check_choice("--turn", self.turn or "camera", TURNS)
        check_choice("--reflection", self.reflection or "material", REFLECTIONS)
        if dataset is not None and self.turn not in (None, "camera"):
            raise UsageError(
                f"--turn {self.turn} has no place in a dataset, which knows one light",
                "leave it out, or write one dataset for each --light",
            )

    def _check_rig(self, mode: Mode, dataset: Path | None) -> None:
        """Refuse lights that go with the camera where they cannot, and a ground without them (UsageError)."""
        if self.light in RIGS and mode.name not in ("shaded", "raytraced"):
            raise UsageError(
                f"--light {self.light} has no effect in mode {mode.name}", "leave it out, or use --mode shaded"
            )
        if self.light in RIGS and self.turn not in (None, "camera"):
            raise UsageError(
                f"--light {self.light} goes with the camera, and --turn {self.turn} turns a light",
                "leave one of them out, or use --light camera",
            )
        if not self.ground:
            return
        if mode.name != "shaded" or self.rig(mode, False) is None:
            raise UsageError(
                "--ground goes with mode shaded and the lights studio and three-point", "leave the other options out"
            )
        if dataset is not None:
            raise UsageError("a dataset has no --ground: its masks show the object alone", "leave it out")

    def rig(self, mode: Mode, dataset: bool) -> str | None:
        """The lights by name that go with the camera; None: others, whose physics is that of `shading`.

        Pictures for people have them; a dataset only where it is asked for, since a method may be told the light of it.
        """
        if self.light is not None:
            return self.light if self.light in RIGS else None
        people = mode.name == "shaded" and not dataset and self.turn in (None, "camera")
        return RIGS[0] if people else None

    def studio(self, mode: Mode, dataset: bool) -> Studio | None:
        """The same for the renderer, with its ambient occlusion."""
        from invrender.render.baked import Baking
        from invrender.render.studio import Rig, Studio

        name = self.rig(mode, dataset)
        if name is None:
            return None
        plain = Baking()
        baking = Baking(self.rays.occlusion or plain.rays, self.rays.reach or plain.reach)
        return Studio(cast("Rig", name), self.ground, None if self.rays.occlusion == 0 else baking)

    def shot(self, mode: Mode, background: Colour | None, samples: int, dataset: bool = False) -> MeshShot:
        """What to draw, for a dataset or for people; files of lights and colours are read."""
        from invrender.io.view_dependent import read_view_dependent
        from invrender.run.relight import Relight, parse_light
        from invrender.run.render_mesh import MeshShot

        plain = "camera" if self.light is None or self.light in RIGS else self.light
        light = Relight(parse_light(plain), cast("Turn", self.turn or "camera"))
        coefficients = None if self.view_dependent is None else read_view_dependent(self.view_dependent)
        studio = self.studio(mode, dataset)
        return MeshShot(mode, background, samples, light, coefficients, self.rays.settings(), studio)

    def reflecting(self, mesh: Mesh) -> Mesh:
        """The mesh as `--reflection` wants it."""
        from invrender.shading.finish import dull

        return dull(mesh) if self.reflection == "lambertian" else mesh
