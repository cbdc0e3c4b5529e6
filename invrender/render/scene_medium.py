"""The medium of a scene for kernels: grids per unit of the frame, and what they may hold.

The frame's coordinates are the world's over a unit, so that extinction is multiplied by it; albedo, the mean cosine and
emission, which is per unit of optical depth, are the same in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from invrender.errors import InputError, UsageError
from invrender.nouns import Volume
from invrender.nouns.medium import Medium
from invrender.render.derivatives import asked_for
from invrender.render.scene_boundary import outwards

Tensor = torch.Tensor

_SAME = 1e-6  # of the box's size: grids whose bounds differ by less are over the same box


def the_medium(media: Sequence[Medium]) -> Medium | None:
    """The only medium, or None.

    Raises:
        InputError: there are several.
    """
    if len(media) > 1:
        names = ", ".join(f"'{medium.name}'" for medium in media)
        raise InputError(
            f"the scene has {len(media)} media ({names})", "put them on one grid: a scene holds one medium"
        )
    return media[0] if media else None


def medium_arrays(medium: Medium | None, centre: Tensor, unit: float, like: Tensor) -> dict[str, Tensor]:
    """Fields of `SceneArrays` by name: extinction, albedo, asymmetry, emission and box; none where there is no medium.

    Differentiable in the medium's numbers.

    Args:
        medium: with channels and boxes as `check_medium` wants them.
        centre, unit: of the frame: middle [3] float64 in the world, and world units per unit of the frame.
        like: whose dtype and device the fields have.

    Raises:
        InputError: a grid has the wrong channels or another box.
        UsageError: a derivative is asked for with the box or the closed mesh.
    """
    if medium is None:
        return {name: like.new_zeros(0, 0, 0, width) for name, width in _WIDTHS.items()} | {"box": like.new_zeros(2, 3)}
    check_grids(medium)
    corners = medium.inside.vertices if medium.inside is not None else None
    if asked_for(medium.extinction.bounds, corners):
        raise UsageError("the box and the mesh of a medium have no gradient", "detach them")
    box = (medium.extinction.bounds.to(centre) - centre) / unit
    return {
        "extinction": (medium.extinction.values.to(like) * unit).movedim(0, -1).contiguous(),
        "albedo": _field(medium.albedo, 3, like),
        "asymmetry": _field(medium.asymmetry, 1, like),
        "emission": like.new_zeros(0, 0, 0, 3) if _dark(medium.emission) else _field(medium.emission, 3, like),
        "box": box.to(like),
    }


_WIDTHS = {"extinction": 1, "albedo": 3, "asymmetry": 1, "emission": 3}


def _field(value: object, width: int, like: Tensor) -> Tensor:
    """A number, a colour or a grid as [d,h,w,width]; what is the same everywhere has one vertex."""
    if isinstance(value, Volume):
        grid = value.values.to(like).movedim(0, -1)
        return grid.expand(*grid.shape[:3], width).contiguous()
    numbers = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=torch.float64)
    return numbers.to(like).reshape(-1).expand(width).reshape(1, 1, 1, width)


def _dark(emission: object) -> bool:
    """Whether a medium sends nothing out, by plain numbers."""
    return not isinstance(emission, Volume | Tensor) and not bool(torch.as_tensor(emission).any())


def box_of(medium: Medium) -> tuple[Tensor, Tensor]:
    """The lower and upper corner [3] float64 of a medium's box in the world."""
    low, high = medium.extinction.bounds.detach().double()
    return low, high


def check_medium(medium: Medium) -> None:
    """
    Raises:
        InputError: grids have the wrong channels, boxes or sizes; a number is none; extinction or emission are
            negative, albedo is not from 0 to 1, the mean cosine not between -1 and 1; or the mesh around it is open.
    """
    check_grids(medium)
    name = medium.name
    _within(name, "extinction", medium.extinction, 0.0, None)
    _within(name, "albedo", medium.albedo, 0.0, 1.0)
    _within(name, "emission", medium.emission, 0.0, None)
    _within(name, "asymmetry g", medium.asymmetry, -1.0, 1.0, reached=False)
    if medium.inside is not None:
        outwards(medium.inside, name)


def check_grids(medium: Medium) -> None:
    """
    Raises:
        InputError: a grid has the wrong channels, or another box than the extinction, which needs a volume.
    """
    grid, name = medium.extinction, medium.name
    _check_channels(name, "extinction", grid, (1, 3))
    size = (grid.bounds[1] - grid.bounds[0]).detach()
    if min(grid.shape) < 2 or not bool((torch.isfinite(size) & (size > 0)).all()):
        raise InputError(
            f"the box of the medium '{name}' has no volume: {_told(grid)}",
            "give its grid two samples or more along each axis, and a box that is as wide as they are apart",
        )
    others = (
        ("albedo", medium.albedo, (1, 3)),
        ("asymmetry", medium.asymmetry, (1,)),
        ("emission", medium.emission, (3,)),
    )
    for part, value, channels in others:
        if not isinstance(value, Volume):
            _check_count(name, part, value, channels)
            continue
        _check_channels(name, part, value, channels)
        if bool(((value.bounds.to(grid.bounds) - grid.bounds).abs() > _SAME * size).any()):
            raise InputError(
                f"{part} of the medium '{name}' is over another box than its extinction",
                f"give both the same bounds, {grid.bounds.tolist()}",
            )


def _check_channels(name: str, part: str, volume: Volume, allowed: tuple[int, ...]) -> None:
    if volume.values.ndim != 4 or len(volume.values) not in allowed:
        counts = " or ".join(map(str, allowed))
        raise InputError(
            f"{part} of the medium '{name}' has {len(volume.values)} channels, and not {counts}",
            "choose one of its arrays or channels, such as --key density",
        )
    if not all(volume.values.shape):
        raise InputError(f"{part} of the medium '{name}' has no samples", "give it a grid that is not empty")


def _check_count(name: str, part: str, value: object, allowed: tuple[int, ...]) -> None:
    count = torch.as_tensor(value).numel()
    if count not in (1, *allowed):
        counts = " or ".join(map(str, dict.fromkeys((1, *allowed))))
        raise InputError(f"{part} of the medium '{name}' is {count} numbers", f"give {counts}")


def _within(name: str, part: str, value: object, low: float, high: float | None, reached: bool = True) -> None:
    """Refuse numbers that are none or beyond limits, which may be reached or not."""
    numbers = (value.values if isinstance(value, Volume) else torch.as_tensor(value)).detach()
    if not bool(torch.isfinite(numbers).all()):
        raise InputError(f"{part} of the medium '{name}' has values that are no finite numbers", "use finite numbers")
    least, most = (float(each) for each in torch.aminmax(numbers))
    below, above = (least < low, most > (high or 0.0)) if reached else (least <= low, most >= (high or 0.0))
    if below or (high is not None and above):
        worst = least if below else most
        limits = f"from {low:g}" if high is None else f"from {low:g} to {high:g}" if reached else "between -1 and 1"
        raise InputError(f"{part} of the medium '{name}' is {worst:g} somewhere", f"use numbers {limits}")


def _told(grid: Volume) -> str:
    low, high = grid.bounds.tolist()
    return f"{' x '.join(map(str, reversed(grid.shape)))} samples from {low} to {high}"
