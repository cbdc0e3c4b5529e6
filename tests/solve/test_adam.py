"""Adam takes the very steps of torch's, bounded from below or not."""

from __future__ import annotations

import pytest
import torch

from invrender.solve.adam import Adam
from invrender.solve.rates import linear_decay

STEPS = 20


class Banana:
    """Rosenbrock's function of two parameters of two entries each, by autograd."""

    def value_and_grad(self, params, random):
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        loss = (100 * (leaves["y"] - leaves["x"].square()).square() + (1 - leaves["x"]).square()).sum()
        return {"loss": float(loss.detach())}, dict(
            zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True)
        )


def begin(kind):
    return {"x": torch.tensor([-1.2, 0.7], dtype=kind), "y": torch.tensor([1.0, -0.3], dtype=kind)}


@pytest.mark.parametrize("lowest", [None, 0.0])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_twenty_steps_are_those_of_torch_to_the_last_bit(run, kind, lowest):
    rate, betas = linear_decay(0.1, 0.8, STEPS), (0.9, 0.95)
    ours, _ = run(Adam(rate, betas, 1e-10, lowest), Banana(), begin(kind), STEPS)
    theirs = begin(kind)
    judge = torch.optim.Adam(theirs.values(), betas=betas, eps=1e-10, foreach=False)
    for count in range(STEPS):
        judge.param_groups[0]["lr"] = rate(count)
        for name, gradient in Banana().value_and_grad(theirs, None)[1].items():
            theirs[name].grad = gradient
        judge.step()
        for value in theirs.values() if lowest is not None else ():
            value.clamp_(min=lowest)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_bound_is_reached_where_the_bottom_lies_below_it(run, linear):
    bowl = linear(torch.eye(2), torch.tensor([-1.0, 2.0]))
    found, _ = run(Adam(linear_decay(0.1, 1.0, 200), lowest=0.5), bowl, {"x": torch.ones(2)}, 200)
    assert found["x"].tolist() == pytest.approx([0.5, 2.0], abs=1e-3)


def test_half_the_scale_is_half_the_first_step(run):
    whole, half = (run(Adam(lambda _: 0.1, scale=s), Banana(), begin(torch.float64), 1)[0] for s in (1.0, 0.5))
    for name, value in begin(torch.float64).items():
        assert torch.allclose(half[name] - value, (whole[name] - value) / 2, rtol=1e-12)


def test_terms_are_those_before_the_step(run):
    start = begin(torch.float64)
    _, told = run(Adam(lambda _: 0.1), Banana(), start, 1)
    assert told[0] == Banana().value_and_grad(start, None)[0]
