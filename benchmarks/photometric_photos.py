"""`invrender reconstruct` on photographs, beside their plain visual hull, for `benchmarks/photometric.py`.

A set is one argument, "NAME=FOLDER FLAGS": its name in the table, its dataset, and flags of the command, such as
"temple=DIR --size 320 --masks auto --bounds=X0,Y0,Z0,X1,Y1,Z1". The same photographs may stand there several times.
Without --holdout and --folds, sets of fewer than 24 pictures are measured by two folds, larger ones by their own split
or every eighth view, as the command has it.

Scores are the means that the run's metrics.json tells of photographs that nothing learnt from. CPU seconds and the
peak of memory are those of the whole command with all processes that it starts, folds, texture and pictures included.
The hull is that of the same views, with colours baked by the same code.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from invrender.evaluate.pictures import PictureScores, mean_scores
from invrender.io.datasets.dataset import read_cameras
from invrender.kernels import Backend
from invrender.methods.photometric.colouring import coloured
from invrender.methods.photometric.plan import Part, Plan
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.task import load
from invrender.nouns import Views
from invrender.run.resolve import resolve

HEAD = (
    "| photographs | shared dB | masked dB | whole dB | SSIM | IoU | CPU s | GiB |\n|---|---|---|---|---|---|---|---|"
)
FEW = 24  # views below which a set is measured by folds


@dataclass(frozen=True)
class Photographs:
    """A row: its name, the dataset, and flags of the command."""

    name: str
    folder: Path
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, CPU seconds, peak memory in GiB, and what it wrote to stderr."""

    status: int
    seconds: float
    memory: float
    said: str


def photographs(text: str) -> Photographs:
    """What an argument names.

    Raises:
        ValueError: there is no NAME=FOLDER.
    """
    name, _, rest = text.partition("=")
    if not name or not rest:
        raise ValueError(f"{text!r} is not NAME=FOLDER FLAGS")
    folder, *flags = shlex.split(rest)
    return Photographs(name, Path(folder), tuple(flags))


def rows(given: Photographs, backend: Backend) -> None:
    """Run the command on a set and print its row and that of its hull."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"
        ended = reconstructed(given, folder)
        if ended.status:
            print(f"| {given.name} | exit {ended.status}: {ended.said} |", flush=True)
            return
        metrics = json.loads((folder / "metrics.json").read_text())
        print(line(given.name, scores(metrics), f"{ended.seconds:.0f}", f"{ended.memory:.2f}"), flush=True)
        print(line(f"{given.name}, hull", of_the_hull(folder / "config.toml", backend)), flush=True)


def reconstructed(given: Photographs, folder: Path) -> Ended:
    """Run the command into a folder; children that it has waited for count."""
    command = [sys.executable, "-m", "invrender.cli.app", "reconstruct", str(given.folder), "--method", "photometric"]
    command += [*measured(given), *given.flags, "-o", str(folder), "-q"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return Ended(
            process.returncode, usage.ru_utime + usage.ru_stime, gibibytes(usage), " ".join(said.read().split())
        )


def measured(given: Photographs) -> list[str]:
    """How to measure, where the flags do not say so."""
    if any(flag.partition("=")[0] in ("--holdout", "--folds") for flag in given.flags):
        return []
    return ["--holdout", "0", "--folds", "2"] if len(read_cameras(given.folder, (1, 1))) < FEW else []


def gibibytes(usage: resource.struct_rusage) -> float:
    """The peak of resident memory of the largest process (KiB on Linux, bytes on macOS)."""
    return usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def scores(metrics: dict[str, Any]) -> PictureScores:
    """Of photographs that a run did not learn from."""
    return PictureScores(**(metrics["unseen"] or metrics["folds"]))


def of_the_hull(config: Path, backend: Backend) -> PictureScores:
    """The same of the hull, by the settings of a run."""
    settings = resolve(PhotometricSettings, file=config)
    task = load(settings, backend)
    *folds, last = Plan(task, settings, backend).parts
    if task.unseen is not None:
        return mean_scores(hull_scores(last, task.unseen))
    pairs = zip(folds, task.folds, strict=True)
    return mean_scores([score for part, aside in pairs for score in hull_scores(part, task.views[list(aside)])])


def hull_scores(part: Part, unseen: Views) -> tuple[PictureScores, ...]:
    """How the hull of a part of the views shows others."""
    first = part.opening
    hull = coloured(first.shape, (), part.views, first.frame, part.settings, part.backend)
    found: tuple[PictureScores, ...] = hull.compared(unseen).each
    return found


def line(name: str, found: PictureScores, *costs: str) -> str:
    """One line of the table."""
    s = asdict(found)
    cells = [name, *(f"{s[key]:.2f}" for key in ("psnr_shared", "psnr_masked", "psnr_whole"))]
    cells += [f"{s['ssim']:.3f}", f"{s['iou']:.3f}", *(costs or ("-", "-"))]
    return "| " + " | ".join(cells) + " |"
