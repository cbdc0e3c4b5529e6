"""Options of `invrender render` for the light on a mesh, and how its surface reflects it."""

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
    from invrender.run.relight import Relight, Turn

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


@dataclass(frozen=True)
class LightOptions:
    """What the command line says of light; None where it says nothing."""

    light: str | None
    turn: str | None
    reflection: str | None

    def check(self, mode: Mode, dataset: Path | None) -> None:
        """Refuse what has no effect in a mode, and unknown words (UsageError)."""
        given = {"--light": self.light, "--turn": self.turn, "--reflection": self.reflection}
        for flag, value in given.items():
            if value is not None and mode.name != "shaded":
                raise UsageError(f"{flag} has no effect in mode {mode.name}", "leave it out, or use --mode shaded")
        check_choice("--turn", self.turn or "camera", TURNS)
        check_choice("--reflection", self.reflection or "material", REFLECTIONS)
        if dataset is not None and self.turn not in (None, "camera"):
            raise UsageError(
                f"--turn {self.turn} has no place in a dataset, which knows one light",
                "leave it out, or write one dataset for each --light",
            )

    def relight(self) -> Relight:
        """The light; a file of lights is read."""
        from invrender.run.relight import Relight, parse_light

        return Relight(parse_light(self.light or "camera"), cast("Turn", self.turn or "camera"))

    def reflecting(self, mesh: Mesh) -> Mesh:
        """The mesh as `--reflection` wants it."""
        if self.reflection != "lambertian":
            return mesh
        dull = replace(mesh.material, roughness=None, metallic=0.0, gloss=None, unlit=False)
        return replace(mesh, material=dull)
