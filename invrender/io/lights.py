"""Light files: lights as JSON, which `render --light FILE.json` takes.

    {
      "directional": [{"direction": [0.3, 1, 0.5], "intensity": 0.75}, {"direction": "camera", ...}],
      "ambient": 0.25,
      "sh": [[r, g, b], ... nine of them]
    }

All three fields may be left out, and one that is left out gives no light; an intensity left out is 1. Directions point
towards the light, in the world's axes; "camera" is a light that moves with it, and must be the only directional one.
Numbers are as `nouns.Lights` has them: an intensity is the radiance of a white Lambertian surface that faces the light,
a number or three for RGB; "sh" is the radiance that arrives from each side, as coefficients of
`shading.spherical_harmonics` in its order, a row of three numbers for each function.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch

from invrender.errors import InputError
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.files.json_table import check_names, read_json_table
from invrender.io.files.paths import shown
from invrender.nouns import Lights

EXAMPLE = '{"directional": [{"direction": [0, 1, 1], "intensity": 0.75}], "ambient": 0.25}'
_FIELDS = ("directional", "ambient", "sh")
_LIGHT = ("direction", "intensity")


def read_lights(path: Path) -> Lights:
    """The lights of a file.

    Raises:
        InputError: it is missing or no JSON; a field is unknown, or not the numbers that belong there; it has no light.
    """
    return lights_of(path, read_json_table(path, "light", EXAMPLE))


def lights_of(path: Path, table: dict[str, Any]) -> Lights:
    """The lights of a table with the fields of a light file.

    Args:
        path: of the file, for messages.
        table: its fields.

    Raises:
        InputError: a field is unknown, or not the numbers that belong there; it has no light.
    """
    check_names(path, table, _FIELDS, "a light file")
    if not table:
        raise InputError(f"{shown(path)} holds no light", f"write {EXAMPLE}")
    direction, intensity = _directional(path, table.get("directional", []))
    ambient = _colour(path, "ambient", table.get("ambient", 0.0))
    sh = _harmonics(path, table["sh"]) if "sh" in table else None
    return Lights(direction, intensity, ambient, sh)


def write_lights(path: str | Path, lights: Lights) -> None:
    """Write lights so that `read_lights` gives the same ones.

    Raises:
        UsageError: the place cannot be written to.
    """
    atomic_write_bytes(path, (json.dumps(table_of(lights), indent=2) + "\n").encode())


def table_of(lights: Lights) -> dict[str, Any]:
    """The fields of a light file that `lights_of` reads as these lights."""
    if lights.direction is None:
        directions: list[Any] = ["camera"]
    else:
        directions = torch.as_tensor(lights.direction).detach().double().reshape(-1, 3).tolist()
    strength = torch.as_tensor(lights.intensity).detach().double()
    each = strength.tolist() if strength.ndim == 2 else [strength.tolist()] * len(directions)
    table: dict[str, Any] = {
        "directional": [{"direction": d, "intensity": _plain(i)} for d, i in zip(directions, each, strict=True)],
        "ambient": _plain(torch.as_tensor(lights.ambient).detach().double().tolist()),
    }
    if lights.sh is not None:
        table["sh"] = lights.sh.detach().double().expand(9, 3).tolist()
    return table


def _plain(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _directional(path: Path, found: Any) -> tuple[torch.Tensor | None, float | torch.Tensor]:
    """Directions [K,3] (None: with the camera) and intensities; none at all is a light of intensity 0."""
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(f"{shown(path)}: 'directional' is no list of lights", f"write {EXAMPLE}")
    for each in found:
        check_names(path, each, _LIGHT, "a directional light")
    if not found:
        return None, 0.0
    intensity = torch.stack([_colour(path, "intensity", each.get("intensity", 1.0)) for each in found])
    with_camera = [each.get("direction") == "camera" for each in found]
    if any(with_camera):
        if len(found) > 1:
            raise InputError(
                f"{shown(path)} has a light that moves with the camera beside others",
                "keep that one alone, or give it a direction",
            )
        return None, intensity[0]
    numbers = [_numbers(path, "direction", each.get("direction"), 3) for each in found]
    directions = torch.tensor(numbers, dtype=torch.float64)
    if bool((directions.norm(dim=1) == 0).any()):
        raise InputError(f"{shown(path)} has a light of direction 0, 0, 0", "point it towards the light")
    return directions, intensity


def _colour(path: Path, field: str, value: Any) -> torch.Tensor:
    """[3] of a number or of three, none of them negative."""
    numbers = [value] * 3 if isinstance(value, int | float) else value
    colour = torch.tensor(_numbers(path, field, numbers, 3), dtype=torch.float64)
    if bool((colour < 0).any()):
        raise InputError(f"{shown(path)}: '{field}' is negative", "light cannot be: use numbers from 0")
    return colour


def _harmonics(path: Path, rows: Any) -> torch.Tensor:
    if not isinstance(rows, list) or len(rows) != 9:
        raise InputError(
            f"{shown(path)}: 'sh' does not have nine rows", "give [r, g, b] for each of the nine functions"
        )
    return torch.tensor([_numbers(path, "sh", row, 3) for row in rows], dtype=torch.float64)


def _numbers(path: Path, field: str, values: Any, count: int) -> list[float]:
    fine = isinstance(values, list) and len(values) == count
    if not fine or not all(_is_number(value) for value in values):
        raise InputError(f"{shown(path)}: '{field}' is not {count} finite numbers", f"write {EXAMPLE}")
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30 and math.isfinite(value)
