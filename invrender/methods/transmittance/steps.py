"""How FISTA steps on parts of the views, one after the other, with a smoothing weight that is relative to the data.

A phase of either is made here, too; which phases there are is `schedule`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invrender.methods.transmittance.budget import is_large
from invrender.methods.transmittance.continuing import kept_result
from invrender.methods.transmittance.problem import DENSITY, Parts, Problem, Shape
from invrender.solve.fista import Fista
from invrender.solve.ordered_subsets import Turns
from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import Solver

ROUNDING = 0.01  # of the density's level: below it, differences are smoothed quadratically
ADVICE = "use --fresh --solver fista, or check the images' weights"
CHOOSE = "choose"  # the name of phases that others may go on from


def fista(problem: Problem, parts: Parts, weight: float, most_momentum: float = 1.0) -> Fista:
    """The solver on a part of some views; `problem` knows the density's level, and which backend smooths."""
    smoothing = (weight * parts.scale * problem.level, ROUNDING * problem.level)
    return Fista(parts.curvature, smoothing, problem.backend.smooth_step, most_momentum)


def in_turn(problem: Problem, parts: Parts, weight: float) -> tuple[Any, Solver[Any, Any]]:
    """The objective of some views, and FISTA on one part of them after the other."""
    inner = tuple(fista(problem, parts, weight) for _ in parts.systems)
    return (parts.systems, Turns(inner)) if len(inner) > 1 else (parts.systems[0], inner[0])


def phase(
    name: str,
    span: tuple[int, int, int],
    shape: Shape,
    weight: float,
    stepping: tuple[Any, Solver[Any, Any]],
    start: Callable[[], Start],
) -> Phase:
    """A phase of a density.

    Args:
        name: of it; one called `CHOOSE` leaves all that the next needs to go on from it.
        span: how many steps, after how many, of how many in total.
        shape: (D, H, W) of the grid; a large one keeps no state to go back to.
        weight: of the smoothing, for the record.
        stepping: the objective, and the solver.
        start: where it begins.
    """
    objective, solver = stepping
    steps, done, total = span
    return Phase(
        name=name,
        title="solve",
        steps=steps,
        start=start,
        objective=objective,
        solver=solver,
        decode=lambda params: params[DENSITY],
        result=kept_result if name == CHOOSE else lambda params, state: params,
        first=done,
        total=total,
        rolls_back=not is_large(shape),
        labels={"phase": name},
        constants={"smoothing": weight},
        advice=ADVICE,
    )
