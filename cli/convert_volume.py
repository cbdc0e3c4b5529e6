"""What `invrender convert` does to a volume: units of length, Hounsfield units, upright axes, one file or slices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.cli.mesh import Lengths
from invrender.cli.volume_options import VolumeFile
from invrender.cli.written import Written, written_volume

if TYPE_CHECKING:
    from invrender.nouns import Volume

HU = "hu"
SLICES = ("tiff", "png")


@dataclass(frozen=True)
class Wanted:
    """What the options ask for.

    Attributes:
        lengths: units of length; or `hu`, of the values, on either side.
        mu_water: attenuation of water, in 1/(unit of length).
        upright: whether a turned grid is resampled.
        to: None, or the kind of a folder of slices.
    """

    lengths: Lengths
    mu_water: float | None
    upright: bool
    to: str | None


def converted(file: VolumeFile, target: Path, wanted: Wanted, overwrite: bool) -> Written:
    """Read a volume, change what is asked for, write it, and tell of it."""
    _check(target, wanted)
    volume, said = _in_units(file.read(), wanted)
    if wanted.upright:
        from invrender.io.volumes.grid import upright

        volume = upright(volume, file.path)
    if wanted.to is None:
        done = written_volume(file.path, target, volume, overwrite)
    else:
        done = _slices(target, volume, wanted.to, overwrite)
    return Written([*said, *done.lines], {**done.table, **({"said": said} if said else {})})


def _check(target: Path, wanted: Wanted) -> None:
    """Refuse what cannot be meant (UsageError), before anything is read."""
    from invrender.cli.options import check_choice
    from invrender.errors import UsageError
    from invrender.io.meshes.write import WRITE_EXTENSIONS
    from invrender.io.volumes.write import check_writable
    from invrender.radiography.hounsfield import checked_water

    if target.suffix.lower() in WRITE_EXTENSIONS:
        raise UsageError(
            f"a volume cannot be written as {target.name}, a mesh",
            f"make its surface: invrender mesh VOLUME --isovalue auto -o {target.name}",
        )
    if wanted.to is not None:
        check_choice("--to", wanted.to, SLICES)
    else:
        if not target.suffix and not target.is_file():
            raise UsageError(
                f"{target} has no extension that names a format",
                f"name a file, such as {target.name}.nrrd, or write a folder of slices: --to tiff",
            )
        check_writable(target)
    hounsfield = [_is_hu(text) for text in (wanted.lengths.units, wanted.lengths.from_units)]
    if all(hounsfield):
        raise UsageError("--units and --from-units are both hu", "leave both out")
    if any(hounsfield):
        checked_water(wanted.mu_water)
        others = [text for text in (wanted.lengths.units, wanted.lengths.from_units) if text and not _is_hu(text)]
        if others or wanted.lengths.scale is not None:
            raise UsageError("Hounsfield units and another unit of length at once", "convert in two steps")
    elif wanted.mu_water is not None:
        raise UsageError("--mu-water goes with --units hu or --from-units hu", "leave it out, or pass one of them")


def _is_hu(text: str | None) -> bool:
    return text is not None and text.strip().lower() in (HU, "hounsfield")


def _in_units(volume: Volume, wanted: Wanted) -> tuple[Volume, list[str]]:
    """The volume in the units of the output, and what is to be said of that."""
    from invrender.radiography.hounsfield import checked_water, from_hounsfield, to_hounsfield

    if _is_hu(wanted.lengths.units):
        return to_hounsfield(volume, checked_water(wanted.mu_water)), []
    if _is_hu(wanted.lengths.from_units):
        found, below = from_hounsfield(volume, checked_water(wanted.mu_water))
        share = f"{below} of {found.values.numel()} samples ({100 * below / found.values.numel():.3g}%)"
        return found, [f"note: {share} were below air (-1000) and become 0"] if below else []
    factor, unit = wanted.lengths.factor(volume.units, metres=False)
    return (volume if factor == 1 and unit == volume.units else volume.scaled(factor, unit)), []


def _slices(target: Path, volume: Volume, kind: str, overwrite: bool) -> Written:
    """Write a folder of slices, and tell of it."""
    from typing import cast

    from invrender.io.volumes.stack_write import Kind, write_slices

    error = write_slices(target, volume, cast("Kind", kind), overwrite)
    depth, height, width = volume.shape
    notes = [f"values are rounded, by {error:.3g} at the most; slices.toml tells the scale"] if error else []
    if volume.placement is not None:
        notes.append("slices do not say how the grid is turned against its world")
    table = {
        "output": target, "samples": [width, height, depth], "channels": 1, "spacing": volume.spacing.tolist(),
        "bounds": volume.bounds.tolist(), "lost": notes,
    }  # fmt: skip
    first = f"wrote {target}: {depth} slices of {width} x {height}, and slices.toml with spacing and origin"
    return Written([*(f"note: {note}" for note in notes), first], table)
