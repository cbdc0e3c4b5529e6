"""What training works on: the samples of a data set, and the network that is to learn from them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from invrender.errors import InputError, MemoryLimitError, UsageError
from invrender.findings import Finding
from invrender.io.files.memory import SPARE, available_memory
from invrender.io.network import read_network
from invrender.io.pairs.dataset import Pairs, Split, read_pairs
from invrender.kernels import Backend
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.networks.names import Architecture, count_parameters, kind_called, parameters

Tensor = torch.Tensor

COPIES = 10  # of the weights that a run holds at its height: before and after a step, Adam's moments, the best, ...


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        train, validation: the samples to learn from, and those to judge by on the way.
        test: those to measure by in the end; None: the data set has none, and the validation samples serve.
        architecture: of the network.
        weights: to begin with.
        parameters: how many numbers are learnt.
        digest: of some samples of every shard, so that a run does not go on with other data.
    """

    train: Split
    validation: Split
    test: Split | None
    architecture: Architecture
    weights: Mapping[str, Tensor]
    parameters: int
    digest: int


def load(settings: TrainSettings, backend: Backend) -> Task:
    """Open the data set and build the network, before any work starts.

    Raises:
        InputError: the data set is none, damaged, or lacks train or validation samples; or the network to start from
            was made for other voxels or pictures.
        UsageError: there is no such network for these voxels.
        MemoryLimitError: the network would not fit.
    """
    del backend
    pairs = read_pairs(settings.input)
    if settings.accumulate > settings.batch:
        raise UsageError(
            f"--accumulate is {settings.accumulate} and a batch has {settings.batch} samples", "give fewer parts"
        )
    train, validation = pairs.split("train"), pairs.split("validation")
    architecture = _architecture(pairs, settings)
    with torch.device("meta"):
        count = count_parameters(architecture.build())
    _check_memory(count)
    weights: Mapping[str, Tensor] = parameters(architecture.build(settings.seed))
    if settings.start is not None:
        weights = _from(settings.start, architecture)
    test = pairs.split("test") if "test" in pairs.counts else None
    return Task(train, validation, test, architecture, weights, count, _digest(pairs))


def _architecture(pairs: Pairs, settings: TrainSettings) -> Architecture:
    layout, width = pairs.meta.layout, settings.width
    return Architecture(
        settings.network,
        kind_called(settings.network).width if width is None else width,
        layout.voxels,
        layout.pictures,
        layout.encoding,
        pairs.meta.stage,
    )


def _from(start: str, architecture: Architecture) -> Mapping[str, Tensor]:
    found = read_network(start)
    there = found.architecture
    for name in ("network", "width", "voxels", "pictures", "encoding"):
        if getattr(there, name) != getattr(architecture, name):
            raise InputError(
                f"the network of {start} is made for {name} {getattr(there, name)}, and this run for "
                f"{getattr(architecture, name)}",
                "leave --start out, or train on data like that which it learnt from",
            )
    return parameters(found.module)


def _check_memory(count: int) -> None:
    room, needed = available_memory(), 4 * count * COPIES
    if room is not None and needed > SPARE * room:
        raise MemoryLimitError(
            f"a network of {count:,} parameters does not fit: {needed / 2**30:.1f} GiB are needed and "
            f"{room / 2**30:.1f} are free",
            "give a smaller --width",
        )


def _digest(pairs: Pairs) -> int:
    """A checksum over the first and the last sample of every shard."""
    found = 0
    for shard in pairs.meta.shards:
        split = Split(pairs.folder, pairs.meta.layout, (shard,))
        batch = split.read([0, len(split) - 1])
        for tensor in (batch.voxels, batch.pictures):
            found = zlib.crc32(tensor.numpy().tobytes(), found)
    return found


def describe(task: Task) -> str:
    """A task in a few words."""
    voxels, pictures = task.architecture.voxels, task.architecture.pictures
    return (
        f"{task.architecture.network}, {task.parameters:,} parameters: voxels {' x '.join(map(str, voxels))} to "
        f"pictures {' x '.join(map(str, pictures))}; {len(task.train)} samples to learn from, "
        f"{len(task.validation)} to judge by"
    )


def check(task: Task, backend: Backend) -> list[Finding]:
    """What looks wrong in the data: pictures that are all the same, voxels that are all empty."""
    del backend
    some = task.train.read(range(min(4, len(task.train))))
    found = []
    if not bool(some.voxels[:, 0].any()):
        found.append(Finding("the first voxels of the data set are all empty", "look at it with `invrender inspect`"))
    if len(some.pictures) > 1 and bool((some.pictures == some.pictures[:1]).all()):
        found.append(Finding("the first pictures of the data set are all the same", "look with `invrender inspect`"))
    return found
