"""Running means follow what is measured of them."""

from __future__ import annotations

import torch

from invrender.solve.adam import Adam
from invrender.solve.groups import Groups
from invrender.solve.running import Running


class Measured:
    """The numbers 1, 2, 3, ... for the first entry, and nothing for the second."""

    def __init__(self) -> None:
        self.count = 0

    def value_and_grad(self, params, random):
        del random
        self.count += 1
        gradient = {name: 2 * value for name, value in params.items()}
        if "mean" in params:
            gradient["mean"] = torch.stack([params["mean"][0] - self.count, torch.zeros(())])
        return {"loss": 0.0}, gradient


def test_equal_shares_give_the_arithmetic_mean(run):
    found, _ = run(
        Running(lambda count: 1 / (count + 1)), Measured(), {"mean": torch.full((2,), 7.0), "x": torch.ones(1)}, 5
    )
    torch.testing.assert_close(found["mean"], torch.tensor([3.0, 7.0]))


def test_a_fixed_share_forgets_and_other_parameters_do_not_notice(run):
    start = {"mean": torch.zeros(2), "x": torch.ones(1)}
    solver = Groups({"mean": Running(lambda _: 0.5), "x": Adam(lambda _: 0.1)})
    objective = Measured()
    state = solver.init(objective, start)
    objective.count = 0
    params = start
    for _ in range(3):
        params, state, _ = solver.step(objective, params, state, torch.Generator())
    assert float(params["mean"][0]) == ((0 * 0.5 + 1 * 0.5) * 0.5 + 2 * 0.5) * 0.5 + 3 * 0.5
    alone, _ = run(Adam(lambda _: 0.1), Measured(), start, 3)
    assert torch.equal(params["x"], alone["x"])
