"""The options of volume files and of pictures of volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from invrender.cli.options import a_number, check_choice

if TYPE_CHECKING:
    from invrender.nouns import Volume
    from invrender.parameters.neural_field import LearnedField
    from invrender.render.estimated import Estimation
    from invrender.render.modes import Mode

COMPOSITING = ("early-termination", "sequential", "vectorized", "mip")
FRAMINGS = ("occupied", "grid")
LOOKS = ("auto", "linear", "glow", "cloud", "shells", "solid", "bone", "skin", "ct")  # of `render.looks`
LAMPS = ("camera", "three-point")  # of `shading.density_gradient`
ESTIMATORS = ("exact", "march", "delta", "ratio", "residual-ratio")
SPP = 16  # estimates a pixel
BY_CHANCE = ESTIMATORS[2:]
QUALITIES = ("draft", "standard", "fine")

FILES, COLOURS, SAMPLING = "Volume files", "Colours of volumes", "Sampling of volumes"

KeyOption = Annotated[
    str, typer.Option("--key", metavar="NAME", help="Which array of an .npz, .vti or .vdb.", rich_help_panel=FILES)
]
ShapeOption = Annotated[
    str | None,
    typer.Option("--shape", metavar="Z,Y,X", help="Samples of a .raw file, z first.", rich_help_panel=FILES),
]
DtypeOption = Annotated[
    str | None,
    typer.Option("--dtype", metavar="TYPE", help="Numbers of a .raw file: uint8, float32.", rich_help_panel=FILES),
]
FrameOption = Annotated[
    int | None,
    typer.Option(
        "--frame", min=0, metavar="N", help="Which volume of several in a file, from 0.", rich_help_panel=FILES
    ),
]
SpacingOption = Annotated[
    str | None,
    typer.Option(
        "--spacing",
        metavar="X,Y,Z",
        help="Between samples, where the file tells none (slices, TIFF, .npy, .raw); one number: cubes.",
        rich_help_panel=FILES,
    ),
]
MuWaterOption = Annotated[
    float | None,
    typer.Option(
        "--mu-water",
        metavar="MU",
        callback=a_number("--mu-water"),
        help="Attenuation of water for Hounsfield units, in 1/(unit of length): about 0.02 for mm at 70 keV.",
        rich_help_panel=FILES,
    ),
]
VolumeLookOption = Annotated[
    str | None,
    typer.Option(
        "--look",
        metavar="NAME",
        help=f"What the values look like: {', '.join(LOOKS)}; auto reads all of it off the histogram.",
        show_default="auto; in datasets linear",
        rich_help_panel=COLOURS,
    ),
]
ColormapOption = Annotated[
    str | None,
    typer.Option(
        "--colormap",
        metavar="NAME",
        help="A matplotlib name, or points of the window: '0:#000000, 1:#ffffff'.",
        show_default="the look's",
        rich_help_panel=COLOURS,
    ),
]
OpacityOption = Annotated[
    str | None,
    typer.Option(
        "--opacity",
        metavar="CURVE",
        help="How opacity grows over the window: linear, exponential, one-step:0.5, ramp:0.2,0.8, bell:0.5,0.1, "
        "peaks:0.2,0.5,0.8, or points: '0:0, 0.3:0, 1:0.6'.",
        show_default="the look's",
        rich_help_panel=COLOURS,
    ),
]
StrengthOption = Annotated[
    float | None,
    typer.Option(
        "--strength",
        callback=a_number("--strength"),
        metavar="X",
        help="The greatest opacity of a curve, from 0 to 1, over 1/32 of the longest axis.",
        show_default="as much as shows the inside; in datasets 0.5",
        rich_help_panel=COLOURS,
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="LOW,HIGH",
        help="The file's values at both ends of colours and opacity, or percentiles: 1%,99%.",
        show_default="read off the histogram",
        rich_help_panel=COLOURS,
    ),
]
TransferOption = Annotated[
    Path | None,
    typer.Option(
        "--transfer",
        metavar="FILE",
        help="Colours, opacity and window from a transfer.json, or from a run with --known.",
        rich_help_panel=COLOURS,
    ),
]
SaveTransferOption = Annotated[
    Path | None,
    typer.Option(
        "--save-transfer",
        metavar="FILE",
        help="Write what is used as a .json for --transfer; a .png draws it over the histogram.",
        rich_help_panel=COLOURS,
    ),
]
LightingOption = Annotated[
    bool | None,
    typer.Option(
        "--lighting/--no-lighting",
        help="Light along the density's gradient.",
        show_default="lit, but for look glow",
        rich_help_panel=COLOURS,
    ),
]
VolumeLightOption = Annotated[
    str | None,
    typer.Option(
        "--volume-light",
        metavar="NAME",
        help=f"Where that light comes from, seen from the camera: {', '.join(LAMPS)}.",
        show_default="camera",
        rich_help_panel=COLOURS,
    ),
]
FramingOption = Annotated[
    str | None,
    typer.Option(
        "--framing",
        metavar="NAME",
        help=f"What fills a picture: {', '.join(FRAMINGS)}: what shows, or all of the grid.",
        show_default="occupied; in datasets and with --distance grid",
        rich_help_panel=SAMPLING,
    ),
]
CompositingOption = Annotated[
    str,
    typer.Option(
        "--compositing",
        metavar="NAME",
        help=f"How samples are put together: {', '.join(COMPOSITING)} (mip: the greatest value of each ray).",
        rich_help_panel=SAMPLING,
    ),
]
QualityOption = Annotated[
    str,
    typer.Option(
        "--quality", metavar="NAME", help=f"How finely to sample: {', '.join(QUALITIES)}.", rich_help_panel=SAMPLING
    ),
]
ExtinctionOption = Annotated[
    str,
    typer.Option(
        "--extinction",
        metavar="FACTOR",
        help="For transmittance and scattering: the factor on the values; auto makes the volume well visible.",
        rich_help_panel=SAMPLING,
    ),
]
EstimatorOption = Annotated[
    str | None,
    typer.Option(
        "--estimator",
        metavar="NAME",
        help=f"For transmittance: {', '.join(ESTIMATORS)}; the last three by chance, with --spp and --seed.",
        show_default="exact",
        rich_help_panel=SAMPLING,
    ),
]
FloatsOption = Annotated[
    bool,
    typer.Option(
        "--floats",
        rich_help_panel="Output",
        help="Datasets of floats, not 8-bit PNG: transmittance in .npy, by rays and paths in .exr.",
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
    spacing: str | None = None

    def read(self) -> Volume:
        """The volume."""
        from invrender.io.volumes.read import read_volume

        shape = None if self.shape is None else _integers(self.shape)
        spacing = None if self.spacing is None else _lengths(self.spacing)
        return read_volume(self.path, key=self.key, shape=shape, dtype=self.dtype, frame=self.frame, spacing=spacing)

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


def _lengths(text: str) -> tuple[float, ...]:
    from invrender.errors import UsageError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--spacing is {text!r}", "give it along x, y, z: --spacing 0.5,0.5,1") from error


def _integers(text: str) -> tuple[int, ...]:
    from invrender.errors import UsageError

    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise UsageError(f"--shape is {text!r}", "give the samples along z, y, x: --shape 64,128,128") from error
