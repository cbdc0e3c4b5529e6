"""A sample environment: the clear sky of `shading.sky`."""

from __future__ import annotations

import torch

from invrender.shading.sky import Sky, sky_picture


def clear_sky() -> torch.Tensor:
    """A clear sky over a plain, by latitude and longitude, without the sun's disc (.exr)."""
    return sky_picture(Sky()).float()
