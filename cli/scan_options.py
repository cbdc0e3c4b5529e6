"""`invrender render VOLUME --scan scan.toml`: the options of scans that are simulated, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import a_number, given
from invrender.cli.volume_options import VolumeFile

if TYPE_CHECKING:
    from invrender.run.pictures import Written

PANEL = "Scans"
TAKEN = (
    "asset", "output", "mode", "samples", "seed", "extinction", "key", "shape", "dtype", "frame", "backend", "device",
    "overwrite", "json", "quiet", "scan", "photons", "defects",
)  # fmt: skip
"""The parameters of `render` that go with a scan; the rest of a scanner is in its file."""
PHOTONS = 20_000.0

ScanOption = Annotated[
    Path | None,
    typer.Option(
        "--scan",
        metavar="FILE",
        help="Mode transmittance: record the volume with the scanner of a scan.toml, which needs no projections; "
        "-o names a folder, which reconstruct takes.",
        rich_help_panel=PANEL,
    ),
]
PhotonsOption = Annotated[
    float,
    typer.Option(
        "--photons",
        callback=a_number("--photons"),
        metavar="N",
        help="Per pixel without an object; 0: exact transmittances.",
        rich_help_panel=PANEL,
    ),
]
DefectsOption = Annotated[
    str,
    typer.Option(
        "--defects",
        metavar="NAMES",
        help="What is wrong with the detector: all, none, or some of flat,dark,drift,zingers,dead,rings.",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True)
class ScanRequest:
    """What to record, and where it goes.

    Attributes:
        file: the volume.
        scan: the scan file; its frames are not read.
        output: the folder.
        mode: as it was asked for.
        samples: rays on each side of a pixel.
        extinction: text of --extinction; auto: the values are absorption per unit of length as they are.
        photons, defects, seed: see `run.render_scan.ScanShot`.
        backend, device: by name.
        overwrite: whether a scan that is there is replaced.
    """

    file: VolumeFile
    scan: Path
    output: Path | None
    mode: str | None
    samples: int | None
    extinction: str
    photons: float
    defects: str
    seed: int
    backend: str
    device: str | None
    overwrite: bool


def refuse_beside_scans(context: typer.Context) -> None:
    """Refuse options of `render` that mean nothing to a scanner (UsageError); variables are for all commands alike."""
    from invrender.errors import UsageError

    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in TAKEN and source is not None and source.name == "COMMANDLINE":
            raise UsageError(
                f"--{name.replace('_', '-')} does not go with --scan: the scan file says where projections are taken",
                "leave it out",
            )


def refuse_without_scan(context: typer.Context) -> None:
    """Refuse what goes with --scan alone (UsageError)."""
    from invrender.errors import UsageError

    for name in ("photons", "defects"):
        if given(context, name):
            raise UsageError(f"--{name} goes with --scan", "pass --scan FILE, or leave it out")


def record_scan(request: ScanRequest) -> Written:
    """Simulate and write the scan."""
    from invrender.backends import select
    from invrender.errors import UsageError
    from invrender.io.volumes.paths import is_volume_path
    from invrender.radiography.simulate import parse_defects
    from invrender.render.absorption import check_extinction
    from invrender.run.render_scan import ScanShot, check_scan_output, write_simulated

    if request.mode not in (None, "transmittance"):
        raise UsageError(f"--mode {request.mode} does not go with --scan", "use --mode transmittance")
    if not is_volume_path(request.file.path):
        raise UsageError(f"--scan records a volume, and {request.file.path.name} is none", "name a volume file")
    if not (request.photons == 0 or 1 <= request.photons <= 1e12):
        raise UsageError(f"--photons is {request.photons:g}", "use 1 or more, or 0 for exact transmittances")
    folder = check_scan_output(request.output, request.overwrite)
    factor = check_extinction(request.extinction)
    shot = ScanShot(
        request.photons, parse_defects(request.defects), request.samples or 2, 1.0 if factor is None else factor,
        request.seed,
    )  # fmt: skip
    backend = select(request.backend, request.device, ("volumes",))
    return write_simulated(folder, request.file.read(), request.scan, shot, backend)
