"""The options of volume files and of pictures of volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from invrender.cli.options import a_number, check_choice

if TYPE_CHECKING:
    from invrender.nouns import Volume
    from invrender.parameters.neural_field import LearnedField
    from invrender.render.emission import VolumeStyle
    from invrender.render.estimated import Estimation
    from invrender.render.modes import Mode

COMPOSITING = ("early-termination", "sequential", "vectorized", "mip")
ESTIMATORS = ("exact", "march", "delta", "ratio", "residual-ratio")
SPP = 16  # estimates a pixel
BY_CHANCE = ESTIMATORS[2:]
QUALITIES = ("draft", "standard", "fine")

KeyOption = Annotated[
    str, typer.Option("--key", metavar="NAME", help="Which array of an .npz, .vti or .vdb.", rich_help_panel="Volumes")
]
ShapeOption = Annotated[
    str | None,
    typer.Option("--shape", metavar="Z,Y,X", help="Samples of a .raw file, z first.", rich_help_panel="Volumes"),
]
DtypeOption = Annotated[
    str | None,
    typer.Option("--dtype", metavar="TYPE", help="Numbers of a .raw file: uint8, float32.", rich_help_panel="Volumes"),
]
FrameOption = Annotated[
    int | None,
    typer.Option(
        "--frame",
        min=0,
        metavar="N",
        help="Which volume of several in a file, from 0.",
        rich_help_panel="Volumes",
    ),
]
ColormapOption = Annotated[
    str,
    typer.Option(
        "--colormap", metavar="NAME|PLACE:COLOUR,...", help="A matplotlib name, or points.", rich_help_panel="Volumes"
    ),
]
OpacityOption = Annotated[
    str,
    typer.Option(
        "--opacity",
        metavar="linear|exponential|PLACE:OPACITY,...",
        help="How opacity grows with the value.",
        rich_help_panel="Volumes",
    ),
]
StrengthOption = Annotated[
    float,
    typer.Option(
        "--strength",
        min=0.001,
        max=1.0,
        callback=a_number("--strength"),
        help="Opacity of the greatest value.",
        rich_help_panel="Volumes",
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window", metavar="LOW,HIGH", help="Values at both ends of the colormap.", rich_help_panel="Volumes"
    ),
]
LightingOption = Annotated[
    bool,
    typer.Option("--lighting/--no-lighting", help="Light along the density's gradient.", rich_help_panel="Volumes"),
]
CompositingOption = Annotated[
    str,
    typer.Option(
        "--compositing", metavar="|".join(COMPOSITING), help="How samples are put together.", rich_help_panel="Volumes"
    ),
]
QualityOption = Annotated[
    str, typer.Option("--quality", metavar="|".join(QUALITIES), help="How finely to sample.", rich_help_panel="Volumes")
]
ExtinctionOption = Annotated[
    str,
    typer.Option(
        "--extinction",
        metavar="auto|FACTOR",
        help="For transmittance and scattering: the factor on the values; auto makes the volume well visible.",
        rich_help_panel="Volumes",
    ),
]
EstimatorOption = Annotated[
    str | None,
    typer.Option(
        "--estimator",
        metavar="|".join(ESTIMATORS),
        help="For transmittance: exact on the grid, marched, or by chance with --spp and --seed (exact).",
        rich_help_panel="Volumes",
    ),
]
FloatsOption = Annotated[
    bool,
    typer.Option(
        "--floats", help="Datasets of floats, not 8-bit PNG: transmittance in .npy, by rays and paths in .exr."
    ),
]


@dataclass(frozen=True)
class VolumeFile:
    """Which volume: the file, the array and the frame in it, and what a .raw file does not say."""

    path: Path
    key: str = "density"
    shape: str | None = None
    dtype: str | None = None
    frame: int | None = None

    def read(self) -> Volume:
        """The volume."""
        from invrender.io.volumes.read import read_volume

        shape = None if self.shape is None else _integers(self.shape)
        return read_volume(self.path, key=self.key, shape=shape, dtype=self.dtype, frame=self.frame)

    def learned(self) -> LearnedField | None:
        """The neural field in the file, where it holds one."""
        from invrender.io.volumes.field import is_field, read_field

        return read_field(self.path) if is_field(self.path) else None


@dataclass(frozen=True)
class EstimatorOptions:
    """How transmittance is to be found, as the options say it."""

    estimator: str | None
    spp: int | None
    seed: int

    @property
    def by_chance(self) -> bool:
        """Whether estimates are random, so that --spp counts."""
        return self.estimator in BY_CHANCE

    def check(self, mode: Mode) -> None:
        """Refuse an estimator that is not known, or has no effect in a mode (UsageError)."""
        from invrender.errors import UsageError

        if self.estimator is None:
            return
        check_choice("--estimator", self.estimator, ESTIMATORS)
        if mode.name != "transmittance":
            raise UsageError(f"--estimator has no effect in mode {mode.name}", "use --mode transmittance")

    def estimation(self) -> Estimation:
        """The estimator, with its rays a pixel and its seed."""
        from invrender.render.estimated import Estimation, Estimator

        return Estimation(cast("Estimator", self.estimator or "exact"), self.spp or SPP, self.seed)


@dataclass(frozen=True)
class StyleOptions:
    """How a volume is to be shown, as the options say it."""

    colormap: str
    opacity: str
    strength: float
    window: str | None
    lighting: bool
    compositing: str
    quality: str

    def check(self) -> None:
        """Refuse names that are not known (UsageError)."""
        check_choice("--compositing", self.compositing, COMPOSITING)
        check_choice("--quality", self.quality, QUALITIES)

    def of(self, volume: Volume) -> VolumeStyle:
        """The style in which a volume is shown."""
        from invrender.render.emission import QUALITY, VolumeStyle
        from invrender.render.transfer import transfer_function
        from invrender.shading.density_gradient import Lighting

        compositing: Any = self.compositing
        transfer = None
        if len(volume.values) == 1:
            window = window_of(self.window)
            transfer = transfer_function(volume, self.colormap, self.opacity, self.strength, window)
        lighting = Lighting() if self.lighting and self.compositing != "mip" else None
        return VolumeStyle(transfer, lighting, compositing, QUALITY[self.quality])


def window_of(text: str | None) -> tuple[float, float] | None:
    """The two numbers of --window, where it is given (UsageError: they are none)."""
    from invrender.errors import UsageError

    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--window is {text!r}", "give the lower and the upper value: --window 0,255") from error
    return low, high


def _integers(text: str) -> tuple[int, ...]:
    from invrender.errors import UsageError

    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise UsageError(f"--shape is {text!r}", "give the samples along z, y, x: --shape 64,128,128") from error
