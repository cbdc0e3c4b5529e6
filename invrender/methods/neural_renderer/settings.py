"""The settings of training a network to render voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, RunSettings

PANEL = "Training"

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 1100, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 40_000},
}


@dataclass(frozen=True)
class TrainSettings(RunSettings):
    """What training takes; the input is a data set of voxels and pictures.

    Attributes:
        network: which one; see `networks.names`.
        width: of it: channels of slices (32), or a factor on all channels of the others (1).
        iterations: steps, each on one batch.
        batch: samples of a step, over all processes.
        accumulate: parts in which a batch is worked on, one after the other, where it does not fit in memory.
        rate: of Adam at its height; it rises over the first steps and falls along half a cosine.
        loss: l1, or l2, the mean absolute or squared difference of the pictures' values.
        validate_every: steps between two looks at the validation samples; none: a twentieth of all.
        validation: how many of its samples are looked at, at most.
        patience: looks without a better one after which training ends; 0: it goes on to the last step.
        precision: auto is bfloat16 on GPUs that have it and float32 on the CPU; weights are float32 in any case.
        workers: processes that read ahead.
        start: a run, or its network, from whose weights to set out.
    """

    network: Annotated[Literal["slices", "conv-deconv", "conv-deconv-apart"], Flag("Which network.", panel=PANEL)] = (
        "slices"
    )
    width: Annotated[
        float | None,
        Flag("Channels of slices (32); of the others a factor on all channels (1).", panel=PANEL),
        Range(1e-3, 1024),
    ] = None
    iterations: Annotated[int, Flag("Steps, each on one batch."), Range(1, 100_000_000)] = 8000
    batch: Annotated[int, Flag("Samples of a step.", panel=PANEL), Range(1, 1 << 20)] = 2
    accumulate: Annotated[
        int, Flag("Parts in which a batch is worked on, one after the other.", panel=PANEL), Range(1, 1 << 20)
    ] = 1
    rate: Annotated[float, Flag("Step length of Adam at its height.", panel=PANEL), Range(1e-9, 10)] = 1.5e-3
    loss: Annotated[Literal["l1", "l2"], Flag("Absolute or squared differences.", panel=PANEL)] = "l1"
    validate_every: Annotated[
        int | None, Flag("Steps between two looks at the validation samples.", panel=PANEL), Range(1, 100_000_000)
    ] = None
    validation: Annotated[int, Range(1, 1 << 30)] = 64
    patience: Annotated[
        int, Flag("Looks without a better one after which training ends; 0: none.", panel=PANEL), Range(0, 1 << 30)
    ] = 0
    precision: Annotated[Literal["auto", "float32", "bfloat16"], Flag("Of the network's layers.", panel=PANEL)] = "auto"
    workers: Annotated[int, Flag("Processes that read ahead.", panel=PANEL), Range(0, 256)] = 0
    start: Annotated[str | None, Flag("A run, or its network, from whose weights to set out.", "RUN|FILE", PANEL)] = (
        None
    )
    gif_frames: Annotated[int, Range(0, 1000)] = 24


SETTINGS = TrainSettings
