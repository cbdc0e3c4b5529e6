"""The settings of reconstruction from transmittance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import Flag, Key, Own, Range, VolumeRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 40, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 200},
}
SCANS = "Frames of scans"  # the heading of what counts of detectors need
OF_SCAN = "as the scan's file says"


@dataclass(frozen=True)
class TransmittanceSettings(VolumeRunSettings):
    """What a run from transmittance adds."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    OWN: ClassVar[Own] = Own(views=64, size=128)
    UNSET: ClassVar[Mapping[str, str]] = {
        "formats": "none",
        "units": "densities alone",
        "mu_water": "not guessed",
        "views": "64 of an asset",
        "size": "128 of an asset, a dataset's as they are",
        "noise": "exact for an asset, by the files for a dataset",
        "iterations": "85, more for few views, fewer for noisy ones; others their own; 400 of the neural field",
        "smoothing": "chosen by views left out",
        **dict.fromkeys(("rings", "zingers", "dead_pixels", "drift", "i0", "downscale", "beam_hardening"), OF_SCAN),
    }

    method: Annotated[Literal["transmittance"], Key("What to learn from.")] = "transmittance"
    extinction: Annotated[
        str, Flag("Factor on an asset's values; auto: its views are neither empty nor black.", "auto|NUMBER")
    ] = "auto"
    noise: Annotated[
        str | None,
        Flag(
            "How the pixels err, by which they are weighed; an asset's views are given that noise.",
            "float|8bit|poisson:PHOTONS",
        ),
    ] = None
    field: Annotated[
        Literal["grid", "neural"],
        Flag("What the density is: samples, or a small network on a latent grid."),
    ] = "grid"
    solver: Annotated[
        Literal["fista", "fdk", "sirt", "cgls", "os-sart", "asd-pocs", "adam"],
        Flag(
            "What solves for the density; fdk is filtered back-projection of views on a circle. All but fista take no "
            "smoothing, and fdk and cgls may turn negative."
        ),
    ] = "fista"
    calibrate: Annotated[
        Literal["none", "axis", "offset", "tilt", "all"],
        Flag(
            "What of a scanner's geometry to find from the views first: the axis of rotation, the detector's offsets, "
            "its tilt in its plane."
        ),
    ] = "none"
    filter: Annotated[
        Literal["ram-lak", "shepp-logan", "cosine", "hann"],
        Flag("Of filtered back-projection, from the sharpest to the smoothest."),
    ] = "ram-lak"
    compare: Annotated[
        bool,
        Flag("Solve by fdk, sirt, cgls, os-sart and asd-pocs, too, and write a picture and a table of all of them."),
    ] = False
    iterations: Annotated[
        int | None,
        Flag("Passes over the views, all phases together; exact ones are taken by quarters."),
        Range(1, 1_000_000),
    ] = None
    smoothing: Annotated[
        float | None,
        Key("Weight of the total variation, relative to the data's curvature and the density's level."),
        Range(0, 1e6),
    ] = None
    carve: Annotated[bool, Key("Hold what empty rays cross at zero.")] = True
    formats: Annotated[
        str | None, Flag("Write the density in these formats too: nrrd, nii.gz, mha, tif, vdb, ...", "EXT,EXT")
    ] = None
    units: Annotated[
        str | None, Flag("hu: write volume_hu in Hounsfield units too (as .nrrd, or --formats).", "hu")
    ] = None
    mu_water: Annotated[
        float | None,
        Flag("Attenuation of water for them, in 1/(unit of length): about 0.02 for mm at 70 keV.", "MU"),
        Range(1e-12, 1e12),
    ] = None
    split: Annotated[
        Literal["auto", "views", "slabs"],
        Key(
            "What a run over several processes shares out: views, or slabs of the grid, of which each then holds one "
            "alone; auto: views, unless the grid has 512^3 samples or more."
        ),
    ] = "auto"
    rings: Annotated[
        bool | None, Flag("Take off what a pixel has too much of in all frames, beyond noise.", None, SCANS)
    ] = None
    zingers: Annotated[bool | None, Flag("Mask pixels that are too bright in a single frame.", None, SCANS)] = None
    dead_pixels: Annotated[bool | None, Flag("Find and mask pixels that are broken.", None, SCANS)] = None
    drift: Annotated[bool | None, Flag("Bring all frames to the same brightness in the air.", None, SCANS)] = None
    i0: Annotated[
        Literal["auto"] | float | None,
        Flag("Counts without an object, a number; auto: from the air around it.", "auto|COUNTS", SCANS),
        Range(1e-12, 1e15),
    ] = None
    downscale: Annotated[int | None, Flag("Pixels that are averaged each way.", None, SCANS), Range(1, 64)] = None
    beam_hardening: Annotated[
        str | None,
        Flag("Coefficients of p, p^2, ... that line integrals p become, such as 1,0.03.", "C1,C2,...", SCANS),
    ] = None


SETTINGS = TransmittanceSettings


def suits(source: Path) -> bool:
    """Whether an input is a volume file, a dataset of transmittance or a scan."""
    from invrender.io.datasets.transmittance import is_transmittance
    from invrender.io.scans import is_scan
    from invrender.io.volumes.paths import is_volume_path

    return is_volume_path(source) or is_transmittance(source) or is_scan(source)
