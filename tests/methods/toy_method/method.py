"""The toy as a method of `invrender reconstruct`: two phases, coarse and fine, of Adam on numbers drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.errors import InputError
from invrender.findings import Finding
from invrender.run.method import Method, Problem
from invrender.solve.adam import Adam
from invrender.solve.phase import Phase, Start
from toy_method.settings import ToySettings


def load(settings, backend):
    """The numbers."""
    if not settings.input.is_file():
        raise InputError(f"there is no file {settings.input}", "name a list of numbers")
    return torch.tensor([float(word) for word in settings.input.read_text().split()])


@dataclass(frozen=True)
class Distance:
    """Mean squared distance from some of the numbers."""

    numbers: torch.Tensor
    batch: int

    def value_and_grad(self, params, random):
        chosen = torch.randint(len(self.numbers), (self.batch,), generator=random)
        off = params["mean"] - self.numbers[chosen]
        return {"loss": float(off.square().mean())}, {"mean": 2 * off.mean()[None]}


def begin(numbers, settings, backend):
    """Half of the steps are coarse."""

    def following(finished):
        if len(finished) == 2:
            return None
        done = settings.iterations // 2 if finished else 0
        return Phase(
            name=("coarse", "fine")[len(finished)],
            title="average",
            steps=settings.iterations - done if finished else settings.iterations // 2,
            start=lambda: Start(finished[-1].result if finished else {"mean": torch.zeros(1)}),
            objective=Distance(numbers, settings.batch),
            solver=Adam(lambda count: (0.5, 0.1)[len(finished)]),
            decode=lambda params: params["mean"],
            result=lambda params, state: params,
            first=done,
            total=settings.iterations,
            keeps=1,
        )

    return Problem(following, lambda done: float(done[-1].result["mean"]), None, lambda mean: {"mean": mean.numpy()})


def check(numbers, backend):
    """Numbers that all agree look like a mistake."""
    spread = float(numbers.max() - numbers.min())
    return [Finding("all numbers are the same", "check the file")] if spread == 0 else []


def doubt(numbers, metrics):
    """An average far off looks like too few steps."""
    return [Finding(f"the mean is {metrics['off']:g} off", "give more --iterations")] if metrics["off"] > 1 else []


METHOD = Method(
    name="toy",
    inputs="a list of numbers",
    settings=ToySettings,
    needs=(),
    load=load,
    describe=lambda numbers: f"{len(numbers)} numbers",
    begin=begin,
    measure=lambda numbers, mean, backend: {"mean": mean, "off": abs(mean - float(numbers.mean()))},
    write=lambda run, numbers, mean: run.file("mean.txt").write_text(f"{mean}\n"),
    rows=lambda metrics: [("mean", f"{metrics['mean']:.3f}")],
    files=lambda metrics: "mean.txt",
    asset=lambda numbers, mean: mean,
    check=check,
    doubt=doubt,
)
