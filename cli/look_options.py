"""Options of `invrender render` for what a mesh looks like: its light, how it reflects, colours of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from invrender.cli.options import check_choice
from invrender.errors import UsageError
from invrender.render.modes import Mode

if TYPE_CHECKING:
    from invrender.nouns import Mesh
    from invrender.nouns.appearance import Colour
    from invrender.run.relight import Turn
    from invrender.run.render_mesh import MeshShot

TURNS = ("camera", "light", "both")
REFLECTIONS = ("material", "lambertian")

LightOption = Annotated[
    str | None,
    typer.Option(
        "--light",
        metavar="X,Y,Z[,INTENSITY]|camera|FILE.json",
        help="Where the light of mode shaded comes from (camera: over its shoulder).",
    ),
]
TurnOption = Annotated[
    str | None,
    typer.Option("--turn", metavar="|".join(TURNS), help="What goes round on a turntable of mode shaded (camera)."),
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


@dataclass(frozen=True)
class LookOptions:
    """What the command line says of light and colours; None where it says nothing."""

    light: str | None
    turn: str | None
    reflection: str | None
    view_dependent: Path | None

    def check(self, mode: Mode, dataset: Path | None) -> None:
        """Refuse what has no effect in a mode, and unknown words (UsageError)."""
        given = {"--light": self.light, "--turn": self.turn, "--reflection": self.reflection}
        for flag, value in given.items():
            if value is not None and mode.name != "shaded":
                raise UsageError(f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode shaded")
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
        return MeshShot(mode, background, samples, light, coefficients)

    def reflecting(self, mesh: Mesh) -> Mesh:
        """The mesh as `--reflection` wants it."""
        if self.reflection != "lambertian":
            return mesh
        dull = replace(mesh.material, roughness=None, metallic=0.0, gloss=None, unlit=False)
        return replace(mesh, material=dull)
