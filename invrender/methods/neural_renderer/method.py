"""Training a network to render voxels, as a method that the one runner runs: `invrender train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from invrender.errors import UsageError
from invrender.io.pairs.feed import Feed, Order
from invrender.kernels import Backend
from invrender.methods.neural_renderer import report, task
from invrender.methods.neural_renderer.compared import compared
from invrender.methods.neural_renderer.film import film
from invrender.methods.neural_renderer.objective import PictureMisfit, judged, precision
from invrender.methods.neural_renderer.settings import PRESETS, TrainSettings
from invrender.methods.neural_renderer.work import work
from invrender.networks.trained import TrainedNetwork
from invrender.ranks import alike as ranks
from invrender.run.method import Method, Problem
from invrender.solve.adam import Adam
from invrender.solve.minibatches import Minibatches
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.rates import warm_cosine

LOOKS = 20  # at the validation samples, unless given
WARM, LAST = 0.05, 0.002  # shares: of the steps in which the rate rises, and of it that is left in the end


def begin(given: task.Task, settings: TrainSettings, backend: Backend) -> Problem:
    """The one phase of training."""
    misfit = objective(given, settings, backend)
    every = settings.validate_every or max(1, settings.iterations // LOOKS)
    adam = Adam(warm_cosine(settings.rate, WARM, LAST, settings.iterations))
    solver = Minibatches(adam, settings.iterations, every, settings.patience)

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if finished:
            return None
        return Phase(
            name="train",
            title="train",
            steps=settings.iterations,
            start=lambda: Start({name: value.to(backend.device) for name, value in given.weights.items()}),
            objective=misfit,
            solver=solver,
            decode=lambda params: params,
            result=lambda params, state: state.best,
            measures=lambda params, state: {"validation": state.score},
            advice="give a smaller --rate",
        )

    def result(finished: tuple[Finished, ...]) -> report.Result:
        last = finished[-1]
        module = misfit.module
        module.load_state_dict({name: value.to(backend.device) for name, value in last.result.items()})
        network = TrainedNetwork(given.architecture, module.eval().requires_grad_(False))
        return report.Result(network, last.steps, last.measures["validation"])

    shown = film(given, misfit.drawn, settings)
    return Problem(following, result, shown, _no_arrays)


def objective(given: task.Task, settings: TrainSettings, backend: Backend) -> PictureMisfit:
    """The misfit that this process works on: all of it, or its share of several.

    Raises:
        UsageError: a batch cannot be shared out evenly.
    """
    count = ranks.count()
    size = min(settings.batch, len(given.train))
    if size % count:
        raise UsageError(f"a batch of {size} samples cannot be shared by {count} processes", "give a --batch that can")
    order = Order(len(given.train), size, settings.seed)
    return PictureMisfit(
        given.architecture.build(settings.seed).to(backend.device),
        Feed(given.train, order.share(ranks.rank(), count), settings.workers),
        given.validation,
        judged(given.validation, settings.validation),
        settings.loss,
        settings.accumulate,
        precision(settings.precision, backend.device),
    )


def _no_arrays(_: Any) -> Mapping[str, NDArray[Any]]:
    """Weights are part of the loop's own state, by their names."""
    return {}


METHOD = Method(
    name="neural-renderer",
    inputs="a data set of voxels and pictures",
    settings=TrainSettings,
    presets=PRESETS,
    needs=(),
    load=task.load,
    describe=task.describe,
    check=task.check,
    begin=begin,
    measure=report.measure,
    write=report.write,
    rows=report.rows,
    files=report.files,
    asset=lambda given, result: result.network,
    compared=compared,
    command="train",
    work=work,
    last=lambda _: "train",
)
