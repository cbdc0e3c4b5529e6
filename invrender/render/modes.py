"""The table of picture modes: what each draws, and what its values are. A new way to draw starts with a row here.

Light on purpose: `invrender render --help` lists the modes.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from invrender.errors import UsageError

Subject = Literal["mesh", "volume"]
Renderer = Literal["raster", "traced", "paths", "emission", "absorption"]


@dataclass(frozen=True)
class Mode:
    """One way to draw.

    Attributes:
        name: as `--mode` calls it.
        subject: what it draws.
        renderer: what draws it: the module of that name in `invrender.render`; of "paths", `scenes`.
        about: what the values mean, in a few words.
        channels: of a picture over a background.
        colour: whether the values are linear RGB, which image files hold as sRGB; others are stored as they are.
        layered: whether pictures come with an alpha of their own, so that the background may be transparent.
        dataset: whether a dataset of such pictures can be written.
    """

    name: str
    subject: Subject
    renderer: Renderer
    about: str
    channels: int = 3
    colour: bool = False
    layered: bool = False
    dataset: bool = True


MODES = (
    Mode("shaded", "mesh", "raster", "linear RGB under the lights, as the material says", colour=True, layered=True),
    Mode("raytraced", "mesh", "traced", "the same with shadows and mirrors, by rays", colour=True, layered=True),
    Mode("path", "mesh", "paths", "all light, also between surfaces, by paths", colour=True, layered=True),
    Mode("scattering", "mesh", "paths", "the same through the scene's medium", colour=True, layered=True),
    Mode("color", "mesh", "raster", "albedo, texture, vertex colours as they are", colour=True, layered=True),
    Mode("silhouette", "mesh", "raster", "coverage of the pixel, 0 to 1", channels=1),
    Mode("depth", "mesh", "raster", "distance along the viewing axis; inf: nothing", channels=1, dataset=False),
    Mode("normal", "mesh", "raster", "0.5 + 0.5 n of the normal n in the world", layered=True),
    Mode("volume", "volume", "emission", "emission and absorption by a transfer function", colour=True, layered=True),
    Mode("transmittance", "volume", "absorption", "share of the light that comes through, 0 to 1", channels=1),
    Mode("scattering", "volume", "paths", "as a medium that scatters light, under a sky", colour=True, layered=True),
)
"""In the order in which `--help` lists them; the first of a subject is its default."""


def mode_names(subject: Subject | None = None) -> tuple[str, ...]:
    """The names of all modes, or of those that draw a mesh or a volume; the default comes first."""
    return tuple(dict.fromkeys(mode.name for mode in MODES if subject in (None, mode.subject)))


def find_mode(name: str | None, subject: Subject) -> Mode:
    """The mode of that name that draws a mesh or a volume; None takes the subject's default.

    Raises:
        UsageError: there is none.
    """
    names = mode_names(subject)
    for mode in MODES:
        if mode.subject == subject and name in (None, mode.name):
            return mode
    if name in mode_names():
        raise UsageError(f"mode {name} does not draw a {subject}", f"use one of {', '.join(names)}")
    near = difflib.get_close_matches(str(name), names, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no mode {name!r}", f"{hint}choose one of {', '.join(names)}")
