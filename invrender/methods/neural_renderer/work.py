"""How much work a training run is: multiplications of the network, counted on tensors that hold nothing."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from invrender.io.assets import NETWORK
from invrender.methods.neural_renderer.film import SAMPLES
from invrender.methods.neural_renderer.report import AVERAGED, BATCH, CURVES, PICTURES, SHOWN, TIMED, measured
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.methods.neural_renderer.task import COPIES, Task
from invrender.run.film import film_files
from invrender.run.work import Work, bytes_of

LOOKS = 20  # at the validation samples, unless given
BACK = 3.0  # a step costs this much more than a picture: the gradients of weights and of inputs


def work(task: Task, settings: TrainSettings) -> Work:
    """How much work a run is."""
    operations, values = counted(task)
    batch = min(settings.batch, len(task.train))
    judged = min(settings.validation, len(task.validation))
    looks = settings.iterations // (settings.validate_every or max(1, settings.iterations // LOOKS))
    learnt = settings.iterations * batch
    pictures = looks * judged + len(measured(task)) + TIMED + SHOWN + settings.gif_frames * SAMPLES
    amounts = {
        "load.process": 1.0,
        "solve.operations.network": BACK * learnt * operations + looks * judged * operations,
        "solve.values.network": (BACK * learnt + looks * judged) * values,
        "solve.steps": float(settings.iterations),
        "solve.weights": float(settings.iterations * task.parameters),
        "measure.operations.network": (len(measured(task)) + TIMED) * operations,
        "measure.pictures": float(pictures + min(AVERAGED, len(task.train))),
        "write.frames": float(settings.gif_frames),
    }
    held = {
        "weights": 4.0 * COPIES * task.parameters,
        "values": 4.0 * max(BATCH / 2, batch / settings.accumulate) * values,
        "task": bytes_of(task),
    }
    films = film_files(settings.gif_frames, settings.video, turning=False)
    return Work(amounts, held, (NETWORK, PICTURES, CURVES, *films))


def counted(task: Task) -> tuple[float, float]:
    """Multiplications and additions of one picture, and how many numbers its layers hand on."""
    handed = 0

    def note(module: torch.nn.Module, given: object, found: object) -> None:
        nonlocal handed
        if isinstance(found, torch.Tensor) and not list(module.children()):
            handed += found.numel()

    with torch.device("meta"), torch.no_grad():
        network = task.architecture.build()
        for module in network.modules():
            module.register_forward_hook(note)
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, *task.architecture.voxels))
    return float(counter.get_total_flops()), float(handed)
