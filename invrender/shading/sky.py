"""A clear sky by day: sunlight that air and haze scatter on its way to a place near the ground.

Along a ray of the camera, with T the transmittance of air, haze and ozone, E the sun's irradiance, h the height, and a
the angle with the sun's rays,

    L = integral of T (E T(sun) (b_R(h) p_R(a) + b_M(h) p_M(a)) + (b_R(h) + b_M(h)) M(h)) dt  +  T L_ground

by quadrature: light that is scattered once as Nishita, Sirai, Tadamura and Nakamae 1993 have it ("Display of the Earth
taking into account atmospheric scattering"), and M for all that is scattered more often, which counts as alike from all
sides and is a geometric series (Hillaire 2020, "A scalable and production ready sky and atmosphere rendering
technique"). Coefficients of scattering and absorption in red, green and blue (680, 550, 440 nm) are those of Bruneton
and Neyret 2008, "Precomputed atmospheric scattering", ozone's those of Hillaire. Haze grows with the turbidity, the
ratio of the optical depth of air and haze to that of air alone (Preetham, Shirley and Smits 1999, "A practical analytic
model for daylight").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from invrender.errors import InputError
from invrender.nouns.appearance import Colour
from invrender.nouns.light import DirectionalLight, Environment, Vector
from invrender.shading.lat_long import picture_directions

Tensor = torch.Tensor

EARTH, TOP = 6360.0, 6460.0  # radii of ground and air, km
AIR = (5.802e-3, 13.558e-3, 33.1e-3)  # scattering at sea level, per km; it falls by e in
AIR_HEIGHT, HAZE_HEIGHT = 8.0, 1.2  # km
HAZE_ALBEDO, HAZE_G = 0.9, 0.76  # single-scattering albedo and mean cosine
OZONE = (0.650e-3, 1.881e-3, 0.085e-3)  # absorption per km at its densest: at
OZONE_HEIGHT, OZONE_HALF = 25.0, 15.0  # km, and falls to 0 within
EYE = 0.2  # km above the ground
SIZE = (64, 128)

_VIEW, _SUN = 48, 64  # points along a ray, and along the way from one of them to the sun
_HEIGHTS, _COSINES = 48, 24  # of the table of optical depths towards the sun
_LAYERS, _AROUND = 12, (12, 8)  # heights at which light of many scatterings is known, and directions around them


@dataclass(frozen=True)
class Sky:
    """A clear sky.

    Attributes:
        sun: direction towards it, of any length.
        turbidity: from 1, pure air; 2 is a clear day, 6 a hazy one.
        sunlight: irradiance outside of the air, across the rays, alike in red, green and blue. The default lets what
            is white and faces the sun show about 1.
        ground: albedo of the ground, linear RGB.
        size: (h, w) of its picture.
    """

    sun: Vector = (0.4, 0.6, 0.5)
    turbidity: float = 2.0
    sunlight: float = 4.0
    ground: Colour = (0.2, 0.18, 0.15)
    size: tuple[int, int] = SIZE

    def __post_init__(self) -> None:
        length = math.sqrt(sum(x * x for x in self.sun))
        if not (math.isfinite(length) and length > 0 and self.sun[1] / length > _LOWEST):
            raise InputError(
                f"the sun at {', '.join(f'{x:g}' for x in self.sun)} is below the horizon",
                "give a direction towards it that points up (+Y), such as 0.4, 0.6, 0.5",
            )
        if not (math.isfinite(self.turbidity) and 1 <= self.turbidity <= _HAZIEST):
            raise InputError(f"the sky's turbidity is {self.turbidity:g}", f"use a number from 1 to {_HAZIEST:g}")


_LOWEST = 0.01  # sine of the sun's elevation
_HAZIEST = 20.0


def sun_and_sky(sky: Sky) -> tuple[Environment, DirectionalLight]:
    """The sky as an environment, and the sun as a light of its own, which the environment's picture does not show."""
    red, green, blue = sunlight(sky).tolist()
    return Environment(picture=sky_picture(sky).float()), DirectionalLight(sky.sun, (red, green, blue), "sun")


def sunlight(sky: Sky) -> Tensor:
    """Irradiance [3] float64 of the sun across its rays, at the eye."""
    towards = _sun(sky)
    return sky.sunlight * _through(_eye(), towards, sky)


@lru_cache(maxsize=4)
def sky_picture(sky: Sky) -> Tensor:
    """Radiance [h,w,3] float64 of sky and ground by latitude and longitude, without the sun's disc."""
    directions = picture_directions(sky.size).reshape(-1, 3)
    return torch.cat([radiance(part, sky) for part in directions.split(2048)]).reshape(*sky.size, 3)


def radiance(directions: Tensor, sky: Sky, often: bool = True) -> Tensor:
    """Radiance [N,3] float64 of sky and ground in unit directions [N,3]; `often`: with what is scattered repeatedly."""
    layers = _often(sky) if often else torch.zeros(_LAYERS, 3, dtype=torch.float64)
    seen, _ = _seen(_eye().expand_as(directions), directions, sky, layers, phase=True)
    return sky.sunlight * seen


def _seen(origin: Tensor, directions: Tensor, sky: Sky, layers: Tensor, phase: bool) -> tuple[Tensor, Tensor]:
    """Of a sun of irradiance 1, along rays from places [N,3] in the air: radiance [N,3], and [N,3] what would be seen
    if the air sent out radiance 1 to all sides wherever it scatters.

    Args:
        origin, directions: of the rays.
        sky: the sky.
        layers: [L,3] the light of many scatterings at heights; see `_often`.
        phase: whether scattering has its direction; else it is alike to all sides.
    """
    towards = _sun(sky)
    ends, grounded = _ends(origin, directions)
    # Points are closer where the air is denser, near the eye: distances grow with the square.
    at = (torch.arange(_VIEW, dtype=torch.float64) + 0.5) / _VIEW
    distance, step = ends[:, None] * at**2, (ends[:, None] * 2 * at / _VIEW)[..., None]
    places = origin[:, None] + distance[..., None] * directions[:, None]
    air, haze, lost = _densities(places, sky)
    passed = (lost * step).cumsum(1) - lost * step / 2
    cosine = (directions @ towards)[:, None, None]
    once = air * _rayleigh(cosine) + haze * _haze(cosine) if phase else (air + haze) / (4 * math.pi)
    through, scattered = torch.exp(-passed) * step, air + haze
    light = once * _through(places, towards, sky) + scattered * _between(layers, places)
    ends_at = torch.where(grounded[:, None], _ground(sky, towards), 0.0)
    return (through * light).sum(1) + torch.exp(-(lost * step).sum(1)) * ends_at, (through * scattered).sum(1)


def _often(sky: Sky) -> Tensor:
    """Light [L,3] that was scattered more than once, as radiance from all sides at heights that grow with the square.

    Of the radiance of second order the share f is scattered again, and so on: M = L2 / (1 - f).
    """
    height = (TOP - EARTH) * (torch.arange(_LAYERS, dtype=torch.float64) / (_LAYERS - 1)) ** 2
    around = picture_directions(_AROUND)
    weight = (1 - around[..., 1] ** 2).clamp(min=0).sqrt().reshape(-1, 1)
    directions = around.reshape(-1, 3)
    none = torch.zeros(_LAYERS, 3, dtype=torch.float64)
    result = []
    for each in height:
        place = torch.tensor([0.0, EARTH + float(each), 0.0], dtype=torch.float64).expand_as(directions)
        seen, again = _seen(place, directions, sky, none, phase=False)
        second, share = ((weight * values).sum(0) / weight.sum() for values in (seen, again))
        result.append(second / (1 - share))
    return torch.stack(result)


def _between(layers: Tensor, places: Tensor) -> Tensor:
    """Light of many scatterings [...,3] at places [...,3]."""
    at = ((places.norm(dim=-1) - EARTH) / (TOP - EARTH)).clamp(0, 1).sqrt() * (_LAYERS - 1)
    below = at.floor().clamp(max=_LAYERS - 2)
    row, share = below.long(), (at - below)[..., None]
    light: Tensor = (1 - share) * layers[row] + share * layers[row + 1]
    return light


def _ground(sky: Sky, towards: Tensor) -> Tensor:
    """Radiance [3] of the ground under a sun of irradiance 1; what the sky adds is left out."""
    lit = _through(_eye(), towards, sky) * towards[1]
    return torch.tensor(sky.ground, dtype=torch.float64) / math.pi * lit


def _through(places: Tensor, towards: Tensor, sky: Sky) -> Tensor:
    """Transmittance [...,3] from places [...,3] to the sun; 0 where the Earth is in between.

    Optical depths are looked up by height and by the cosine with the sun, in a table made for the cosines at hand.
    """
    radius = places.norm(dim=-1)
    cosine = (places @ towards) / radius
    low, high = float(cosine.min()), float(cosine.max()) + 1e-9
    table = _depths(low, high, sky)
    rows = ((radius - EARTH) / (TOP - EARTH)).clamp(0, 1).sqrt() * (_HEIGHTS - 1)
    columns = (cosine - low) / (high - low) * (_COSINES - 1)
    i, j = (each.floor().clamp(0, count - 2) for each, count in ((rows, _HEIGHTS), (columns, _COSINES)))
    u, v, i, j = (rows - i)[..., None], (columns - j)[..., None], i.long(), j.long()
    upper = (1 - v) * table[i, j] + v * table[i, j + 1]
    lower = (1 - v) * table[i + 1, j] + v * table[i + 1, j + 1]
    _, grounded = _ends(places, towards)
    return torch.exp(-(1 - u) * upper - u * lower) * ~grounded[..., None]


def _depths(low: float, high: float, sky: Sky) -> Tensor:
    """Optical depths [_HEIGHTS,_COSINES,3] from heights that grow with the square, towards a sun at equal cosines."""
    height = (TOP - EARTH) * (torch.arange(_HEIGHTS, dtype=torch.float64) / (_HEIGHTS - 1)) ** 2
    cosine = torch.linspace(low, high, _COSINES, dtype=torch.float64).clamp(-1, 1)
    radius, cosine = torch.meshgrid(EARTH + height, cosine, indexing="ij")
    zero = torch.zeros_like(radius)
    places = torch.stack([zero, radius, zero], -1)
    directions = torch.stack([(1 - cosine * cosine).sqrt(), cosine, zero], -1)
    ends, _ = _ends(places, directions)
    at = (torch.arange(_SUN, dtype=torch.float64) + 0.5) / _SUN
    along = ends[..., None] * at**2
    points = places[..., None, :] + along[..., None] * directions[..., None, :]
    return (_densities(points, sky)[2] * (ends[..., None] * 2 * at / _SUN)[..., None]).sum(-2)


def _densities(places: Tensor, sky: Sky) -> tuple[Tensor, Tensor, Tensor]:
    """Scattering of air and of haze and all extinction, per km, at places [...,3]; each [...,3]."""
    height = (places.norm(dim=-1, keepdim=True) - EARTH).clamp(min=0)
    air = torch.tensor(AIR, dtype=places.dtype) * torch.exp(-height / AIR_HEIGHT)
    # Of haze, alike in all colours, there is so much that the vertical optical depths in green have the ratio.
    dim = (sky.turbidity - 1) * AIR[1] * AIR_HEIGHT / HAZE_HEIGHT * torch.exp(-height / HAZE_HEIGHT)
    ozone = (1 - (height - OZONE_HEIGHT).abs() / OZONE_HALF).clamp(min=0)
    lost = air + dim + torch.tensor(OZONE, dtype=places.dtype) * ozone
    return air, (HAZE_ALBEDO * dim).expand_as(air), lost


def _rayleigh(cosine: Tensor) -> Tensor:
    """Rayleigh's phase function."""
    return 3 / (16 * math.pi) * (1 + cosine * cosine)


def _haze(cosine: Tensor) -> Tensor:
    """That of Cornette and Shanks 1992."""
    g = HAZE_G
    shape = (1 - g * g) * (1 + cosine * cosine) / (2 + g * g) / (1 + g * g - 2 * g * cosine) ** 1.5
    scaled: Tensor = 3 / (8 * math.pi) * shape
    return scaled


def _ends(origin: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """How far rays go [N], to the ground or out of the air, and whether it is the ground."""
    along, square = (origin * directions).sum(-1), (origin * origin).sum(-1)
    ground = along * along - square + EARTH * EARTH
    grounded = (ground > 0) & (along < 0)
    out = -along + (along * along - square + TOP * TOP).clamp(min=0).sqrt()
    return torch.where(grounded, -along - ground.clamp(min=0).sqrt(), out).clamp(min=0), grounded


def _sun(sky: Sky) -> Tensor:
    towards = torch.tensor(sky.sun, dtype=torch.float64)
    unit: Tensor = towards / towards.norm()
    return unit


def _eye() -> Tensor:
    return torch.tensor([0.0, EARTH + EYE, 0.0], dtype=torch.float64)
