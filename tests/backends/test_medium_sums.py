"""What the cpu backend's adjoint of media does besides gradients: the size of its sums, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from invrender.errors import UsageError
from invrender.kernels.radiance import Transport
from tests.backends.scene_arrays import camera, medium


def test_sums_are_no_larger_than_the_paths_are_worth():
    from invrender.backends.cpu.radiance_sums import TILES, grid_tile_count

    scene, needs = medium(torch.ones(6, 6, 6, 1)), frozenset({"extinction"})
    assert grid_tile_count(scene, needs, 10**6) == TILES
    assert grid_tile_count(scene, needs, 4) == 4 * 256 // 6**3
    assert grid_tile_count(scene, needs, 1) == 2


def test_rays_through_a_medium_have_no_gradient(open_backend):
    kernels, scene = open_backend("cpu"), medium(torch.ones(6, 6, 6, 1))
    given = (scene, *camera(2), 5, Transport(indirect=True))
    shown = kernels.radiance(*given)
    with pytest.raises(UsageError, match="rays through a medium"):
        kernels.radiance_adjoint(shown, *given, shown, frozenset({"origin"}))
