"""How a run from colours showed its asset, as its folder tells: so that its result is judged as it was learnt."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invrender.errors import InputError
from invrender.evaluate.shown import Shown
from invrender.io.files.paths import is_file
from invrender.io.volumes.paths import is_volume_path
from invrender.io.volumes.read import read_volume
from invrender.nouns import Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.transfer import transfer_function
from invrender.render.transfer_file import FILE, read_transfer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG = "config.toml"
COLOURS = "volume"  # the method that learns from colours


@dataclass(frozen=True)
class Look:
    """A transfer function by name, as `transfer_function` takes it.

    Attributes:
        colormap, opacity, strength, window: see there.
        source: where it comes from, for people.
    """

    colormap: str = "inferno"
    opacity: str = "linear"
    strength: float = 0.3
    window: tuple[float, float] | None = None
    source: str = "as given"

    def of(self, volume: Volume) -> TransferFunction:
        """The function for a volume, whose values tell the window where none is given."""
        return transfer_function(volume, self.colormap, self.opacity, self.strength, self.window)

    def __str__(self) -> str:
        return f"colormap {self.colormap}, opacity {self.opacity}, strength {self.strength:g}, {self.source}"


def asset_look(run: Path) -> Look | None:
    """Under which transfer function a run from colours showed the volume that it drew its views of.

    None: the path is no folder of such a run, or the run learnt from pictures that others made.
    """
    settings = _settings(run)
    if settings is None or not is_volume_path(Path(str(settings.get("input", "")))):
        return None
    own = Look()
    return Look(
        str(settings.get("colormap", own.colormap)),
        str(settings.get("opacity", own.opacity)),
        float(settings.get("strength", own.strength)),
        source=f"as in {run / CONFIG}",
    )


def found_look(run: Path) -> Shown | None:
    """The volume that a run knew, under the transfer function that it found; None: the run sought something else.

    Raises:
        InputError: transfer.json is damaged, or the volume is no longer there.
    """
    settings = _settings(run)
    if settings is None or not is_file(run / FILE) or settings.get("known") in (None, "none"):
        return None
    return Shown(read_volume(str(settings["known"])), read_transfer(run))


def _settings(run: Path) -> dict[str, Any] | None:
    if not is_file(run / CONFIG):
        return None
    try:
        settings = tomllib.loads((run / CONFIG).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{run / CONFIG} cannot be read as settings", "name the result's file instead") from error
    return settings if settings.get("method") == COLOURS else None
