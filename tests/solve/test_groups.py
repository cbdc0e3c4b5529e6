"""Groups of parameters take the steps that their own solvers would take."""

from __future__ import annotations

import torch

from invrender.solve.adam import Adam
from invrender.solve.groups import Groups

STEPS = 15


class Bowl:
    """(x - 3)^2 + 100 (y + 1)^2: two scales, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def value_and_grad(self, params, random):
        del random
        self.asked += 1
        x, y = params["x"] - 3, params["y"] + 1
        loss = float((x.square() + 100 * y.square()).sum())
        gradient = {"x": 2 * x, "y": 200 * y, "z": torch.zeros(1)}
        return {"loss": loss}, {name: gradient[name] for name in params}


def begin():
    return {name: torch.zeros(1) for name in "xyz"}


def test_each_group_takes_its_own_steps_and_the_objective_is_asked_once(run):
    bowl = Bowl()
    groups = Groups({"x": Adam(lambda _: 0.2), "y": Adam(lambda _: 0.05)})
    ours, _ = run(groups, bowl, begin(), STEPS)
    assert bowl.asked == STEPS + 1
    for name, rate in (("x", 0.2), ("y", 0.05)):
        alone, _ = run(Adam(lambda _, rate=rate: rate), Bowl(), begin(), STEPS)
        assert torch.equal(ours[name], alone[name])
    assert torch.equal(ours["z"], torch.zeros(1))


def test_a_scale_shortens_all_steps(run):
    whole, _ = run(Groups({"x": Adam(lambda _: 0.2)}), Bowl(), begin(), 1)
    half, _ = run(Groups({"x": Adam(lambda _: 0.2)}, scale=0.5), Bowl(), begin(), 1)
    assert torch.allclose(half["x"], whole["x"] / 2)
