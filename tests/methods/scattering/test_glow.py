"""The first shape of a medium, from pictures that glow and absorb by formula."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.scattering.beginning import lowest
from invrender.methods.scattering.glow import Glow, read_at
from invrender.methods.scattering.task import Task
from invrender.nouns import Scene, Volume
from invrender.nouns.medium import Medium
from invrender.solve.adam import Adam

N, RADIUS, EXTINCTION = 17, 0.3, 8.0
COLOUR, BEHIND = torch.tensor([0.9, 0.5, 0.2]), torch.tensor([0.1, 0.3, 0.6])
CENTRE = torch.tensor([0.1, 0.0, -0.05], dtype=torch.float64)
BACKEND = select("cpu", needs=("volumes",))


def chords(cameras) -> torch.Tensor:
    """Lengths [N,H,W] of the pixels' rays within the ball."""
    rays = camera_rays(cameras)
    away = rays.origin - CENTRE
    nearest = (away * rays.direction).sum(-1)
    inside = RADIUS**2 - away.square().sum(-1) + nearest.square()
    return (2 * inside.clamp(min=0).sqrt()).reshape(len(cameras), *cameras.size)


@pytest.fixture(scope="module")
def glow() -> Glow:
    empty = Volume.from_numpy(torch.zeros(N, N, N).numpy())
    cameras = volume_rig(empty, "sphere", 12, (24, 24))
    left = torch.exp(-EXTINCTION * chords(cameras)).float()[..., None]
    shown = (1 - left) * COLOUR + left * BEHIND
    scene = Scene((), media=Medium(empty))
    weight, support = torch.ones(shown.shape[:3]), torch.ones(N, N, N)
    task = Task(cameras, shown, weight, None, None, scene, (N, N, N), support, (), None, 1.0, ())
    return Glow(task, BEHIND.expand_as(shown).contiguous(), BACKEND)


def at(glow: Glow, params) -> float:
    return glow.value_and_grad(params, torch.Generator().manual_seed(3))[0]["loss"]


def test_gradients_are_those_of_the_loss(glow: Glow) -> None:
    random = torch.Generator().manual_seed(0)
    params = {name: value + 2 * torch.rand(value.shape, generator=random) for name, value in glow.initial().items()}
    count = 2048
    _, gradient = glow.value_and_grad(params, torch.Generator().manual_seed(3))
    for name, value in params.items():
        step = torch.randn(value.shape, generator=random)
        sides = [at(glow, {**params, name: value + by * step}) for by in (0.02, -0.02)]
        slope = float((gradient[name] * step).sum()) / count
        assert slope == pytest.approx((sides[0] - sides[1]) / 0.04, rel=0.02)


def test_a_ball_is_found_where_it_is(glow: Glow) -> None:
    params, random = glow.initial(), torch.Generator().manual_seed(0)
    solver = Adam(lambda _: 0.3, (0.9, 0.99))
    state = solver.init(glow, params)
    for _ in range(60):
        params, state, terms = solver.step(glow, params, state, random)
    assert terms["misfit"] < 2e-3
    found = glow.extinction(params)
    assert float(found.mean()) == pytest.approx(1, rel=1e-4)
    z, y, x = torch.meshgrid(*[torch.linspace(-0.5, 0.5, N, dtype=torch.float64)] * 3, indexing="ij")
    away = (torch.stack([x, y, z], -1) - CENTRE).norm(dim=-1)
    assert float(found[away < 0.7 * RADIUS].mean()) > 20 * float(found[away > 1.5 * RADIUS].mean())
    places = torch.stack([x, y, z], -1)
    centre = (places * found[..., None]).sum((0, 1, 2)) / found.sum()
    torch.testing.assert_close(centre, CENTRE, atol=0.03, rtol=0)


def test_a_linear_grid_is_read_as_it_is_and_nothing_is_outside() -> None:
    own, other = torch.tensor([[0.0, 0, 0], [1, 2, 4]]), torch.tensor([[0.5, 1, 1], [1.5, 2, 3]])
    z, y, x = torch.meshgrid(*[torch.linspace(0, side, 5) for side in (4.0, 2.0, 1.0)], indexing="ij")
    found = read_at(x + 2 * y + 3 * z, own, (3, 2, 3), other)
    assert found[0].flatten().tolist() == pytest.approx([5.5, 6.0, 0.0, 7.5, 8.0, 0.0])


def test_the_lowest_of_a_parabola_is_between_its_samples() -> None:
    values = [(k - 2.3) ** 2 for k in range(6)]
    assert lowest(values) == pytest.approx(2.3)
    assert lowest(values[3:]) == 0.0
