"""The settings of training a network to render voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import Flag, Key, Range, RunSettings

PANEL = "Training"

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 1100, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 40_000},
}


@dataclass(frozen=True)
class TrainSettings(RunSettings):
    """What training takes; the input is a data set of voxels and pictures."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    UNSET: ClassVar[Mapping[str, str]] = {
        "width": "32 of slices, 1 of the others",
        "validate_every": "a twentieth of all steps",
        "start": "random weights",
    }

    network: Annotated[Literal["slices", "conv-deconv", "conv-deconv-apart"], Flag("Which network.", panel=PANEL)] = (
        "slices"
    )
    width: Annotated[
        float | None,
        Flag("Channels of slices (32); of the others a factor on all channels (1).", panel=PANEL),
        Range(1e-3, 1024),
    ] = None
    iterations: Annotated[int, Flag("Steps, each on one batch."), Range(1, 100_000_000)] = 8000
    batch: Annotated[int, Flag("Samples of a step, over all processes.", panel=PANEL), Range(1, 1 << 20)] = 2
    accumulate: Annotated[
        int,
        Flag("Parts in which a batch is worked on, where it does not fit in memory.", panel=PANEL),
        Range(1, 1 << 20),
    ] = 1
    rate: Annotated[float, Flag("Step length of Adam at its height.", panel=PANEL), Range(1e-9, 10)] = 1.5e-3
    loss: Annotated[Literal["l1", "l2"], Flag("Absolute or squared differences.", panel=PANEL)] = "l1"
    validate_every: Annotated[
        int | None, Flag("Steps between two looks at the validation samples.", panel=PANEL), Range(1, 100_000_000)
    ] = None
    validation: Annotated[int, Key("How many of the validation samples are looked at, at most."), Range(1, 1 << 30)] = (
        64
    )
    patience: Annotated[
        int, Flag("Looks without a better one after which training ends; 0: none.", panel=PANEL), Range(0, 1 << 30)
    ] = 0
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"], Flag("Of the layers; auto: bfloat16 on GPUs that have it.", panel=PANEL)
    ] = "auto"
    workers: Annotated[int, Flag("Processes that read ahead.", panel=PANEL), Range(0, 256)] = 0
    start: Annotated[str | None, Flag("A run, or its network, from whose weights to set out.", "RUN|FILE", PANEL)] = (
        None
    )
    gif_frames: Annotated[int, Key("Pictures of progress.gif; 0: no GIFs."), Range(0, 1000)] = 24


SETTINGS = TrainSettings
