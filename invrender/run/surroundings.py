"""The light around a volume that is drawn as a medium: `--environment` and `--sun`."""

from __future__ import annotations

import math
from pathlib import Path

from invrender.colour import parse_colour
from invrender.errors import UsageError
from invrender.io.scenes.pictures import read_environment
from invrender.nouns.light import DirectionalLight, Environment, Vector
from invrender.shading.sky import Sky, sun_and_sky

SKY, GREY = "sky", "grey"
PICTURES = (".exr", ".hdr", ".png", ".jpg", ".jpeg", ".npy")
_GREY = (0.5, 0.5, 0.5)


def surroundings(text: str, sun: str | None) -> tuple[Environment, tuple[DirectionalLight, ...]]:
    """An environment, and the sun where there is one.

    Args:
        text: "sky", whose sun is a light; "grey"; "#RRGGBB"; or a picture by latitude and longitude.
        sun: "X,Y,Z", the direction towards it; None: the default of a sky, else there is none.

    Raises:
        UsageError: it is none of these, or the numbers are no direction.
        InputError: the picture is missing or damaged, needs a package that is missing, or holds no radiance; the sun is
            below the horizon.
    """
    sky = Sky() if sun is None else Sky(_direction(sun))
    if text == SKY:
        environment, light = sun_and_sky(sky)
        return environment, (light,)
    lights = () if sun is None else (sun_and_sky(sky)[1],)
    if text == GREY:
        return Environment(_GREY), lights
    colour = parse_colour(text)
    if colour is not None:
        return Environment(colour), lights
    if Path(text).suffix.lower() in PICTURES:
        return Environment(picture=read_environment(Path(text))), lights
    raise UsageError(
        f"--environment is {text!r}", "use sky, grey, a colour such as '#8090a0', or a picture: FILE.exr, FILE.hdr"
    )


def _direction(text: str) -> Vector:
    try:
        x, y, z = (float(word) for word in text.split(","))
    except ValueError as error:
        raise UsageError(f"--sun is {text!r}", "give the direction towards it, such as 0.4,0.6,0.5") from error
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise UsageError(f"--sun is {text!r}", "use finite numbers, such as 0.4,0.6,0.5")
    return x, y, z
