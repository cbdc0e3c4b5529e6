"""What the command line says of how volumes are shown, and the style that becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from invrender.cli.options import check_choice
from invrender.cli.volume_options import COMPOSITING, FRAMINGS, LAMPS, LOOKS, QUALITIES

if TYPE_CHECKING:
    from invrender.kernels.compositing import Compositing
    from invrender.nouns import Volume
    from invrender.nouns.transfer import TransferFunction
    from invrender.render.emission import Quality, VolumeStyle
    from invrender.render.looks import Look
    from invrender.run.placement import CameraPlacement
    from invrender.shading.density_gradient import Lighting, Rig

STRENGTH = 0.5  # of datasets: the opacity of the greatest value
PICTURES = (".json", ".png")


@dataclass(frozen=True)
class StyleOptions:
    """How a volume is to be shown, as the options say it; None where they say nothing."""

    look: str | None
    colormap: str | None
    opacity: str | None
    strength: float | None
    window: str | None
    transfer: Path | None
    save: Path | None
    lighting: bool | None
    light: str | None
    framing: str | None
    compositing: str
    quality: str

    def check(self, overwrite: bool = False) -> None:
        """Refuse names that are not known, and what contradicts itself (UsageError); or OutputExistsError."""
        from invrender.errors import OutputExistsError, UsageError

        check_choice("--compositing", self.compositing, COMPOSITING)
        check_choice("--quality", self.quality, QUALITIES)
        check_choice("--look", self.look or "auto", LOOKS)
        check_choice("--volume-light", self.light or "camera", LAMPS)
        check_choice("--framing", self.framing or "grid", FRAMINGS)
        own = {
            "--look": self.look, "--colormap": self.colormap, "--opacity": self.opacity,
            "--strength": self.strength, "--window": self.window,
        }  # fmt: skip
        given = [flag for flag, value in own.items() if value is not None]
        if self.transfer is not None and given:
            raise UsageError(f"--transfer brings its own {given[0][2:]}", f"leave {given[0]} out, or --transfer")
        if self.light is not None and (self.lighting is False or self.compositing == "mip"):
            raise UsageError("--volume-light has no effect without lighting", "leave it out")
        if self.save is not None and self.save.suffix.lower() not in PICTURES:
            raise UsageError(f"{self.save} is neither a .json nor a .png", f"write {self.save.with_suffix('.json')}")
        if self.save is not None and self.save.exists() and not overwrite:
            raise OutputExistsError(f"{self.save} exists already", "pass --overwrite to replace it, or choose another")

    def for_dataset(self, volume: Volume) -> VolumeStyle:
        """The style of posed images: colours and opacity along the values, unless options say something else."""
        if self.look is None and self.transfer is None:
            fixed = replace(
                self, look="linear", colormap=self.colormap or "inferno", opacity=self.opacity or "linear",
                strength=self.strength or STRENGTH,
            )  # fmt: skip
            return fixed._style(volume, fixed._plain(volume))
        return self.for_picture(volume)

    def for_picture(self, volume: Volume) -> VolumeStyle:
        """The style of pictures for people: what is not given is read off the volume."""
        return self._style(volume, self._look(volume))

    def placement(self, volume: Volume, style: VolumeStyle, given: CameraPlacement) -> tuple[Volume, CameraPlacement]:
        """What cameras are placed around, and how: the box of what shows, which fills the picture, or the grid."""
        from invrender.cameras.occupied import filling_distance, filling_extent, occupied
        from invrender.cameras.volume_rigs import FOV
        from invrender.render.looks import shown

        rig = given.kind in ("orbit", "sphere")
        if not rig or (self.framing or ("occupied" if given.distance is None else "grid")) == "grid":
            return volume, given
        part = occupied(volume, shown(volume, style.transfer, self.compositing == "mip"))
        if given.distance is not None:
            return part, given
        if given.parallel:
            extent = given.extent or filling_extent(part, given.kind, given.size, given.elevation)
            return part, replace(given, extent=extent)
        distance = filling_distance(part, given.kind, given.size, given.fov or FOV, given.elevation)
        return part, replace(given, distance=distance)

    def _plain(self, volume: Volume) -> Look | None:
        from invrender.render.looks import Look
        from invrender.render.transfer import transfer_function
        from invrender.shading.density_gradient import Lighting

        if len(volume.values) != 1:
            return None
        assert self.colormap is not None
        assert self.opacity is not None
        assert self.strength is not None
        window = window_of(self.window, volume)
        return Look(transfer_function(volume, self.colormap, self.opacity, self.strength, window), Lighting())

    def _look(self, volume: Volume) -> Look | None:
        """Transfer function and lighting; None for a volume that brings its colours."""
        from invrender.render.looks import Look, look_of, mip_look
        from invrender.render.transfer_file import read_transfer
        from invrender.shading.density_gradient import Lighting

        if len(volume.values) != 1:
            return None
        if self.transfer is not None:
            return Look(read_transfer(self.transfer), Lighting())
        window = window_of(self.window, volume)
        if self.compositing == "mip":
            return mip_look(volume, self.colormap, window)
        return look_of(volume, self.look or "auto", self.colormap, self.opacity, self.strength, window)

    def _style(self, volume: Volume, look: Look | None) -> VolumeStyle:
        from invrender.render.emission import QUALITY, VolumeStyle
        from invrender.shading.density_gradient import Lighting

        transfer = None if look is None else look.transfer
        lighting: Lighting | None = Lighting() if look is None else look.lighting
        if self.lighting is not None or self.light is not None:
            lighting = None if self.lighting is False else lighting or Lighting()
        if self.compositing == "mip":
            lighting = None
        if lighting is not None:
            lighting = replace(lighting, rig=cast("Rig", self.light or "camera"))
        compositing = cast("Compositing", self.compositing)
        return VolumeStyle(transfer, lighting, compositing, self._fineness(QUALITY[self.quality], transfer))

    def _fineness(self, quality: Quality, transfer: TransferFunction | None) -> Quality:
        """More samples on what is opaque, where rings of samples would show, and for the greatest value of rays."""
        from invrender.render.looks import is_sharp

        if transfer is None or self.quality == "draft" or self.look == "linear":
            return quality
        if self.compositing == "mip":
            return replace(quality, samples=2 * quality.samples)
        return replace(quality, samples=2.5 * quality.samples) if is_sharp(transfer) else quality


def save_transfer(path: Path, transfer: TransferFunction, volume: Volume) -> None:
    """Write a transfer function for `--transfer`, or draw it where the name ends in .png."""
    from invrender.render.transfer_file import write_transfer
    from invrender.render.transfer_picture import write_transfer_picture

    if path.suffix.lower() == ".png":
        write_transfer_picture(path, transfer, volume)
    else:
        write_transfer(path, transfer)


def window_of(text: str | None, volume: Volume | None = None) -> tuple[float, float] | None:
    """The two numbers of --window, where it is given; percentiles are those of what is not background.

    Raises:
        UsageError: they are no numbers, or percentiles of nothing.
    """
    from invrender.errors import UsageError

    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    try:
        low, high = (float(part.removesuffix("%")) for part in parts)
    except ValueError as error:
        raise UsageError(
            f"--window is {text!r}", "give the lower and the upper value: --window 0,255, or percentiles: 1%,99%"
        ) from error
    shares = [part.endswith("%") for part in parts]
    if not any(shares):
        return low, high
    if volume is None or any(share and not 0 <= n <= 100 for share, n in zip(shares, (low, high), strict=True)):
        raise UsageError(f"--window {text} has no percentiles from 0 to 100", "give such as --window 1%,99%")
    from invrender.render.value_statistics import percentiles

    found = percentiles(volume, (low, high))
    return found[0] if shares[0] else low, found[1] if shares[1] else high
