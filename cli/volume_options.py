"""What the commands do with volumes: the options of volume files, and the pictures of `invrender render`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import check_choice

if TYPE_CHECKING:
    from invrender.kernels import VolumeKernels
    from invrender.nouns import Cameras, Volume
    from invrender.render.emission import Look

VOLUME_MODES = ("volume", "transmittance")
COMPOSITING = ("early-termination", "sequential", "vectorized", "mip")
QUALITIES = ("draft", "standard", "fine")
DISTANCE, FOV = 2.0, 40.0  # of volumes, in longest axes and degrees

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
    typer.Option("--strength", min=0.001, max=1.0, help="Opacity of the greatest value.", rich_help_panel="Volumes"),
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
        help="For transmittance: the factor on the values; auto makes the volume well visible.",
        rich_help_panel="Volumes",
    ),
]
FloatsOption = Annotated[
    bool,
    typer.Option("--floats", help="A transmittance dataset in .npy, not 8-bit PNG.", rich_help_panel="Volumes"),
]


@dataclass(frozen=True)
class VolumeFile:
    """Which volume: the file, the array in it, and what a .raw file does not tell."""

    path: Path
    key: str = "density"
    shape: str | None = None
    dtype: str | None = None

    def read(self) -> Volume:
        """The volume."""
        from invrender.io.volumes.read import read_volume

        shape = None if self.shape is None else _integers(self.shape)
        return read_volume(self.path, key=self.key, shape=shape, dtype=self.dtype)


@dataclass(frozen=True)
class VolumeShot:
    """What to draw of a volume, as the options say it."""

    mode: str
    colormap: str
    opacity: str
    strength: float
    window: str | None
    lighting: bool
    compositing: str
    quality: str
    extinction: str
    floats: bool
    background: tuple[float, float, float] | None

    def check(self) -> None:
        """Refuse names that are not known (UsageError)."""
        check_choice("--mode", self.mode, VOLUME_MODES)
        check_choice("--compositing", self.compositing, COMPOSITING)
        check_choice("--quality", self.quality, QUALITIES)

    def look(self, volume: Volume) -> Look:
        """The look of a volume."""
        from invrender.render.emission import QUALITY, Look
        from invrender.render.transfer import transfer_function
        from invrender.shading.density_gradient import Lighting

        compositing: Any = self.compositing
        transfer = None
        if len(volume.values) == 1:
            window = None if self.window is None else _window(self.window)
            transfer = transfer_function(volume, self.colormap, self.opacity, self.strength, window)
        lighting = Lighting() if self.lighting and self.compositing != "mip" else None
        return Look(transfer, lighting, compositing, QUALITY[self.quality])


def volume_cameras(
    volume: Volume, kind: str, count: int, size: tuple[int, int], stance: tuple[float, float, float]
) -> Cameras:
    """The cameras of --cameras: a rig around the volume, or those of a file; stance: distance, fov, elevation."""
    from invrender.cameras.volume_rigs import volume_rig
    from invrender.io.datasets.dataset import read_cameras

    if kind not in ("orbit", "sphere"):
        return read_cameras(kind, size)[:count]
    return volume_rig(volume, "orbit" if kind == "orbit" else "sphere", count, size, *stance)


def write_volume_picture(
    path: Path, volume: Volume, cameras: Cameras, shot: VolumeShot, kernels: VolumeKernels, facts: dict[str, Any]
) -> str:
    """Draw and write a still, a sheet of stills or a turntable; return what to say about it."""
    import torch

    from invrender.io.images import write_gif, write_png
    from invrender.render.images import contact_sheet, stored_as_is, straight, to_bytes

    height, width = cameras.size
    turns = path.suffix.lower() == ".gif"
    note = f"{width} x {height}" + (f", {len(cameras)} {'frames' if turns else 'views'}" if len(cameras) > 1 else "")
    if shot.mode == "transmittance":
        light = transmittance(volume, cameras, shot, kernels, facts)
        if turns:
            write_gif(path, list(to_bytes(stored_as_is(light)[..., None].expand(-1, -1, -1, 3))))
        else:
            write_png(path, contact_sheet(light[..., None])[..., 0])
        return f"{note}, extinction {facts['extinction']:.4g}"
    from invrender.render.emission import render_volume

    layers = render_volume(volume, cameras, shot.look(volume), kernels).cpu()
    if shot.background is None:
        colour, alpha = straight(layers)
        write_png(path, contact_sheet(torch.cat([colour, alpha[..., None]], -1)))
        return note
    pictures = layers[..., :3] + (1 - layers[..., 3:]) * torch.tensor(shot.background)
    if turns:
        write_gif(path, list(to_bytes(pictures)))
    else:
        write_png(path, contact_sheet(pictures))
    return note


def write_volume_dataset(
    folder: Path, volume: Volume, cameras: Cameras, shot: VolumeShot, kernels: VolumeKernels, facts: dict[str, Any]
) -> list[Path]:
    """Write posed images that reconstruct takes: transmittance, or colours with straight alpha."""
    if shot.mode == "transmittance":
        from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance

        light = transmittance(volume, cameras, shot, kernels, facts)
        depth, height, width = volume.values.shape[1:]
        views = TransmittanceViews(
            cameras,
            light,
            "transmittance",
            volume.bounds.double(),
            (depth, height, width),
            facts["extinction"],
            not shot.floats,
        )
        return write_transmittance(folder, views)
    from invrender.io.datasets.dataset import write_dataset
    from invrender.nouns import Views
    from invrender.render.emission import render_volume
    from invrender.render.images import straight

    colour, alpha = straight(render_volume(volume, cameras, shot.look(volume), kernels).cpu())
    return write_dataset(folder, Views(cameras, alpha, colour.clamp(0, 1)))


def transmittance(
    volume: Volume, cameras: Cameras, shot: VolumeShot, kernels: VolumeKernels, facts: dict[str, Any]
) -> Any:
    """[N,H,W] share of the light that comes through; notes the extinction in `facts`."""
    import torch

    from invrender.render.absorption import auto_extinction, check_extinction, optical_depth

    given = check_extinction(shot.extinction)
    depths = optical_depth(volume, cameras, kernels)
    facts["extinction"] = auto_extinction(depths) if given is None else given
    return torch.exp(-depths * facts["extinction"])


def _window(text: str) -> tuple[float, float]:
    from invrender.errors import UsageError

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


def volume_result(path: Path) -> Path | None:
    """The volume that a path means: a volume file, or the one in a run folder; None where it means something else."""
    from invrender.io.volumes.read import is_volume_path

    if path.is_dir():
        return next((path / name for name in ("volume.npz", "volume.vti") if (path / name).is_file()), None)
    return path if is_volume_path(path) else None
