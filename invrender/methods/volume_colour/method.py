"""Reconstruction from colour views as a method of `invrender reconstruct`."""

from __future__ import annotations

from dataclasses import replace

from invrender.kernels import Backend
from invrender.methods.volume_colour import report, task
from invrender.methods.volume_colour.compared import compared
from invrender.methods.volume_colour.estimate import arrays, estimate_of, styled_volume
from invrender.methods.volume_colour.film import film
from invrender.methods.volume_colour.schedule import colour_schedule, field_of, transfer_schedule, weights
from invrender.methods.volume_colour.settings import PRESETS, ColourSettings
from invrender.methods.volume_colour.work import work
from invrender.parameters.neural_field import LearnedField
from invrender.run.method import Method, Problem
from invrender.solve.phase import Finished


def begin(given: task.Task, settings: ColourSettings, backend: Backend) -> Problem:
    """The phases to density and colour, or to the transfer function of the known volume."""
    if given.known is None:
        schedule = colour_schedule(given.views, given.bounds, given.shape, settings, backend)
    else:
        schedule = transfer_schedule(given.views, given.known, given.window, settings, backend)

    def result(finished: tuple[Finished, ...]) -> report.Result:
        found = {name: value.cpu().numpy() for name, value in finished[-1].result.items()}
        styled = styled_volume(estimate_of(found, given), given.known)
        return report.Result(styled, finished[-1].terms["loss"], learnt(given, settings, backend, finished[-1]))

    return Problem(schedule, result, film(given, settings, backend), arrays)


def learnt(given: task.Task, settings: ColourSettings, backend: Backend, finished: Finished) -> LearnedField | None:
    """The trained field, on the CPU, where one was."""
    if settings.field != "neural":
        return None
    field = field_of(given.views, given.bounds, given.shape, settings, backend)
    params = {name: value.cpu() for name, value in weights(field, finished).items()}
    return LearnedField(replace(field, support=None if field.support is None else field.support.cpu()), params)


METHOD = Method(
    name="volume",
    inputs="a volume, or a dataset folder of images with alpha",
    settings=ColourSettings,
    presets=PRESETS,
    needs=("volumes",),
    load=task.load,
    describe=task.describe,
    check=task.check,
    begin=begin,
    measure=report.measure,
    write=report.write,
    rows=report.rows,
    files=report.files,
    asset=lambda task, result: result.styled.style.transfer or result.styled.volume,
    compared=compared,
    views=lambda given: given.views,
    work=work,
    shares=lambda settings: settings.field == "grid",
    last=lambda _: "descend",
)
