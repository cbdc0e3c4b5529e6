"""Which input and which command line a case number stands for: a pure function of the seed and the number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from mutations.containers import mutate_file
from seeds import datasets, gltf, meshes, runs, scenes, volumes
from seeds.seed import Command, Seed

PLAIN_EVERY = 25
"""One round over all kinds in so many is left as it is: the seeds have to be valid, or the rest proves nothing."""

PATIENCE = {"inspect": 20.0, "render": 20.0, "reconstruct": 60.0}
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Case:
    """One command line on one set of files.

    Attributes:
        number: of the case.
        kind: of the input.
        files: contents by relative path.
        command: the arguments after `invrender`.
        damaged: the files that were changed; none: the input is valid, and the command has to succeed.
        patience: seconds after which it counts as hanging.
    """

    number: int
    kind: str
    files: dict[str, bytes]
    command: Command
    damaged: tuple[str, ...]
    patience: float


@cache
def all_seeds() -> tuple[Seed, ...]:
    """Every kind of input, in the order in which case numbers go through them."""
    return (*meshes.seeds(), *gltf.seeds(), *volumes.seeds(), *datasets.seeds(), *runs.seeds(), *scenes.seeds())


def make_case(seed: int, number: int) -> Case:
    """The case of a number; numbers go through the kinds in turns, each round with other damage."""
    kinds = all_seeds()
    chosen, turn = kinds[number % len(kinds)], number // len(kinds)
    if turn % PLAIN_EVERY == 0:
        command = chosen.commands[(number + turn // PLAIN_EVERY) % len(chosen.commands)]
        return Case(number, chosen.kind, chosen.files, command, (), PATIENCE[command[0]])
    rng = Random(f"{seed} {number}")
    files, damaged = dict(chosen.files), set()
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        names = list(files)
        name = names[0] if rng.random() < 0.6 else rng.choice(names)
        files[name] = mutate_file(name, files[name], rng)
        damaged.add(name)
    command = _command(chosen, rng)
    return Case(number, chosen.kind, files, command, tuple(sorted(damaged)), PATIENCE[command[0]])


def _command(seed: Seed, rng: Random) -> Command:
    """Any of the commands; the last, which is the dearest, a little less often than the rest together."""
    return seed.commands[-1] if rng.random() < 0.25 else rng.choice(seed.commands)
