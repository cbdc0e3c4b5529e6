"""Numbers of binary files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Floats


def doubles(values: NDArray[Any]) -> Floats:
    """Numbers as float64, without numpy's warning of signalling NaNs: NaN is looked for where it matters."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)
