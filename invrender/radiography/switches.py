"""What a command line or settings say of the preparation of a scan, over what its file says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from invrender.errors import UsageError
from invrender.nouns.scan import Preparation


def switched(preparation: Preparation, asked: Mapping[str, Any]) -> Preparation:
    """The preparation with what is asked for.

    Args:
        preparation: a scan file's.
        asked: by the names of `Preparation`; None, or a name that is missing: as it is. `i0` is text or a number,
            `beam_hardening` text such as '1,0.05'.

    Raises:
        UsageError: a text that means nothing.
    """
    given = {name: asked[name] for name in vars(preparation) if asked.get(name) is not None}
    if "i0" in given:
        given["i0"] = _i0(str(given["i0"]))
    if "beam_hardening" in given:
        given["beam_hardening"] = _coefficients(given["beam_hardening"])
    return replace(preparation, **given)


def refuse_switches(asked: Mapping[str, Any]) -> None:
    """Refuse what is asked of the preparation of frames where there are none (UsageError)."""
    names = [name for name in vars(Preparation()) if asked.get(name) is not None]
    if names:
        raise UsageError(
            f"--{names[0].replace('_', '-')} prepares the frames of a scan, and the input is no scan",
            "leave it out, or name a scan.toml",
        )


def _i0(text: str) -> float | Literal["auto"]:
    if text == "auto":
        return "auto"
    value = _number(text)
    if not 0 < value < math.inf:
        raise UsageError(f"--i0 is {text!r}", "use auto, or the counts without an object, such as 50000")
    return value


def _coefficients(given: Any) -> tuple[float, ...]:
    values = tuple(_number(part) for part in str(given).split(",")) if isinstance(given, str) else tuple(given)
    if not values or not all(math.isfinite(value) for value in values) or values[0] <= 0:
        raise UsageError(
            f"--beam-hardening is {given!r}",
            "use the coefficients of p, p^2, ... with commas between them, the first above 0: 1,0.03",
        )
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
