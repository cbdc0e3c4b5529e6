"""How well, and at what cost, reconstruction from silhouettes chooses its smoothness, on objects of different kinds.

    python benchmarks/choosing.py [NAME ...] [--views 12] [--size 192] [--rig orbit]

Samples of `invrender sample` and solids by formula (`formulas.py`) are reconstructed at every strength that can be
chosen, and what leaving views out chooses is compared with the best of them: by how much the IoU of 16 unseen views is
lower (`regret`, in thousandths), and the Chamfer distance greater, than at the strength that is best by that measure.
`kept` tells whether the default run keeps what is refined, or the hull. `share` is that of choosing in the CPU seconds
of a run without pictures and measuring.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from formulas import KINDS

from invrender.backends import select
from invrender.cameras.rigs import RigKind
from invrender.evaluate.mesh import mesh_metrics
from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import STRENGTHS, Plan, Result
from invrender.methods.silhouette.selection import TRY, Choice
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape, first_shape
from invrender.methods.silhouette.task import own_masks
from invrender.nouns import Mesh, Views
from invrender.samples import SAMPLES
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished

MODELS: Mapping[str, Callable[[], Mesh]] = SAMPLES | {name: kind.mesh for name, kind in KINDS.items()}
LEFT_OUT = ("sphere", "chain", "ladder")  # unless they are asked for: much like others


@dataclass(frozen=True)
class Quality:
    """Of a result: mean IoU with unseen views, and Chamfer distance."""

    iou: float
    chamfer: float


@dataclass(frozen=True)
class Found:
    """Of one model: what was chosen; CPU seconds of choosing and of the rest of that run; results by strength."""

    choice: Choice
    choosing: float
    rest: float
    results: Mapping[float, Quality]


def problem(mesh: Mesh, settings: SilhouetteSettings, backend: Backend) -> tuple[Views, FirstShape]:
    """Views of a model, and the shape to start from."""
    masks, cameras = own_masks(mesh, settings, backend)
    views = Views(cameras, masks)
    return views, first_shape(views, settings, backend)


def finished(plan: Plan, before: tuple[Finished, ...] = ()) -> tuple[tuple[Finished, ...], Result]:
    """What a plan comes to, after phases that are finished."""
    loop = Loop(lambda after: plan.following((*before, *after)))
    for _ in loop:
        pass
    done = (*before, *loop.state.finished)
    return done, plan.result(done)


def tried(plan: Plan) -> tuple[Finished, ...]:
    """The trials of a plan alone."""
    loop = Loop(plan.trials.following)
    for _ in loop:
        pass
    return loop.state.finished


def measured(name: str, settings: SilhouetteSettings, backend: Backend) -> Found:
    """Reconstruct a model at every strength."""
    mesh, begun = MODELS[name](), time.process_time()
    views, first = problem(mesh, settings, backend)
    started = time.process_time() - begun
    plan, begun = Plan(views, settings, backend, first), time.process_time()
    trials = tried(plan)
    choice = plan.choice(trials)
    assert choice is not None
    assert all(each.name == TRY for each in trials)
    choosing, results, rest = time.process_time() - begun, {}, 0.0
    for strength in STRENGTHS:
        fixed = dataclasses.replace(settings, smoothness=strength)
        begun = time.process_time()
        _, result = finished(Plan(views, fixed, backend, first))
        if strength == choice.strength:
            rest = started + time.process_time() - begun
        found = mesh_metrics(result.mesh, mesh, backend)
        results[strength] = Quality(found.iou, found.chamfer)
    return Found(choice, choosing, rest, results)


def regrets(found: Found) -> tuple[float, float]:
    """How much less IoU, and by what share more Chamfer distance, the choice has than the best strength."""
    own, every = found.results[found.choice.strength], found.results.values()
    best, nearest = max(each.iou for each in every), min(each.chamfer for each in every)
    return best - own.iou, own.chamfer / nearest - 1


def row(name: str, found: Found) -> str:
    """One line of the table."""
    iou, chamfer = regrets(found)
    cells = [name, *(f"{each.iou:.4f} {100 * each.chamfer:.3f}" for each in found.results.values())]
    cells += [f"{found.choice.strength:g}", f"{1000 * iou:.1f}", f"{100 * chamfer:.1f} %"]
    cells += [str(len(found.choice.scores)), "refined" if found.choice.refinement_helps else "hull"]
    cells += [f"{found.choosing:.2f}", f"{100 * found.choosing / (found.choosing + found.rest):.0f} %"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[each for each in MODELS if each not in LEFT_OUT])
    parser.add_argument("--views", type=int, default=12)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--rig", choices=("orbit", "sphere"), default="orbit")
    options = parser.parse_args()
    rig: RigKind = options.rig
    backend = select("cpu", needs=("meshes",))
    settings = SilhouetteSettings(input=Path("-"), views=options.views, size=options.size, cameras=rig)
    quick = dataclasses.replace(settings, size=48, iterations=3)
    views, first = problem(MODELS["sphere"](), quick, backend)
    finished(Plan(views, quick, backend, first))  # kernels are loaded
    ladder = [f"IoU, Chamfer [%] at {strength:g}" for strength in STRENGTHS]
    columns = ["model", *ladder, "chosen", "regret", "Chamfer", "tried", "kept", "CPU s", "share"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    rows = []
    for name in options.names:
        rows.append(measured(name, settings, backend))
        print(row(name, rows[-1]), flush=True)
    iou, chamfer = (statistics.mean(each) for each in zip(*(regrets(found) for found in rows), strict=True))
    share = sum(found.choosing for found in rows) / sum(found.choosing + found.rest for found in rows)
    regret = f"{1000 * iou:.2f} thousandths of IoU, {100 * chamfer:.1f} % of Chamfer"
    print(f"\nmean regret {regret}; share {100 * share:.1f} %")


if __name__ == "__main__":
    main()
