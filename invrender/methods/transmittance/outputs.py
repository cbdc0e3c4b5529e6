"""Files of the density beside volume.npz and volume.vti: other formats, and Hounsfield units."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from invrender.errors import UsageError
from invrender.io.volumes.write import write_volume
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Volume
from invrender.radiography.hounsfield import checked_water, to_hounsfield
from invrender.run.folder import RunFolder

FORMATS = ("nrrd", "nii", "nii.gz", "mha", "tif", "vdb", "npy", "raw")
_OF_HOUNSFIELD = ("nrrd",)


@dataclass(frozen=True)
class Outputs:
    """What is written besides.

    Attributes:
        formats: extensions.
        mu_water: attenuation of water in the density's unit, for a volume in Hounsfield units; None: no such volume.
    """

    formats: tuple[str, ...] = ()
    mu_water: float | None = None

    @property
    def names(self) -> Sequence[str]:
        """Of the files."""
        scaled = [] if self.mu_water is None else [f"volume_hu.{end}" for end in self.formats or _OF_HOUNSFIELD]
        return [*(f"volume.{end}" for end in self.formats), *scaled]


def outputs(settings: TransmittanceSettings) -> Outputs:
    """What the settings ask for.

    Raises:
        UsageError: an unknown format, one whose package is missing, or Hounsfield units without what water attenuates.
    """
    formats = [] if settings.formats is None else [part.strip().lstrip(".") for part in settings.formats.split(",")]
    for each in formats:
        if each not in FORMATS:
            raise UsageError(f"--formats names {each!r}", f"choose of {', '.join(FORMATS)}, with commas between")
        if each.startswith("nii") and importlib.util.find_spec("nibabel") is None:
            raise UsageError(f"--formats {each} needs the package nibabel", "run `pip install 'invrender[volumes]'`")
    if settings.units == "density" and settings.mu_water is not None:
        raise UsageError("--mu-water goes with --units hu", "leave it out, or pass --units hu")
    water = checked_water(settings.mu_water) if settings.units == "hu" else None
    return Outputs(tuple(dict.fromkeys(formats)), water)


def write_outputs(run: RunFolder, volume: Volume, wanted: Outputs) -> None:
    """Write the density in every format that is asked for."""
    for name in wanted.names:
        shown = volume
        if wanted.mu_water is not None and name.startswith("volume_hu"):
            shown = to_hounsfield(volume, wanted.mu_water)
        write_volume(run.file(name), shown)
