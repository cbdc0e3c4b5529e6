"""Units of length by name, and the factor from one to another."""

from __future__ import annotations

from invrender.errors import UsageError
from invrender.io.files.paths import nearest

METRES = {
    "metre": 1.0, "kilometre": 1e3, "centimetre": 1e-2, "millimetre": 1e-3, "micrometre": 1e-6, "nanometre": 1e-9,
    "inch": 0.0254, "foot": 0.3048,
}  # fmt: skip
"""How many metres each unit is long."""

ALIASES = {
    "m": "metre", "meter": "metre", "km": "kilometre", "kilometer": "kilometre", "cm": "centimetre",
    "centimeter": "centimetre", "mm": "millimetre", "millimeter": "millimetre", "um": "micrometre",
    "\u00b5m": "micrometre", "micron": "micrometre", "micrometer": "micrometre", "nm": "nanometre",
    "nanometer": "nanometre", "in": "inch", "ft": "foot", "feet": "foot", "inches": "inch",
}  # fmt: skip

SHORT = ("m", "cm", "mm", "um", "in", "ft")
"""Names that help texts list."""


def unit_called(name: str, option: str = "--units") -> str:
    """The full name of a unit that people may write in several ways.

    Raises:
        UsageError: no unit has that name.
    """
    found = known_unit(name)
    if found is None:
        near = nearest(name.strip().lower(), [*METRES, *ALIASES])
        hint = f"did you mean {near}? " if near else ""
        raise UsageError(f"{option} is {name!r}, which is no unit of length", f"{hint}known are {', '.join(METRES)}")
    return found


def known_unit(name: str | None) -> str | None:
    """The same; None where there is no such unit."""
    plain = (name or "").strip().lower()
    singular = plain.removesuffix("s") if plain not in METRES and plain not in ALIASES else plain
    found = ALIASES.get(singular, singular)
    return found if found in METRES else None


def factor_between(unit: str, other: str) -> float:
    """What lengths in one unit are multiplied by to be in another; both are names in `METRES`."""
    return METRES[unit] / METRES[other]
